"""SMOOTHNESS is attained in full on teeth, and wrong exponents are refuted there."""

import numpy as np
import pytest

from problems.problem import Problem
from problems.registry import families
from theory.constants import Schedule
from theory.extended import Number
from theory.loss import Array
from theory.maml import meta_gradient
from theory.paper import Paper

STEPS = (1, 2, 5, 10, 20)


def stepsizes(N: int) -> dict[str, float]:
    return {"recommended": 1 / (8 * N), "near cap": 0.9 * (2 ** (1 / (2 * N)) - 1), "fixed": 0.25}


CELLS = [(N, rule) for N in STEPS for rule in stepsizes(1)]


def build(name: str, N: int, rule: str) -> tuple[Problem, Schedule]:
    problem = families()[name].build(N, stepsizes(N)[rule])
    return problem, Schedule(N=N, alpha=stepsizes(N)[rule] / problem.constants.L)


def steepest(problem: Problem, s: Schedule, w: float = 0.0) -> Array:
    """Largest `|∇L_i(w) − ∇L_i(u)|/|w − u|` per task over u at several distances on both sides."""
    distance = problem.scale * 10.0 ** -np.arange(1, 5) / float(Paper(problem.constants, s).q(s.N))
    u = w + np.concatenate([distance, -distance])[:, None]

    def gradient(x: Array) -> Array:
        return meta_gradient(x[:, None], float(s.alpha), int(s.N), problem.inner, problem.outer)[..., 0]

    return np.asarray((np.abs(gradient(u) - gradient(np.full((1, 1), w))) / np.abs(u - w)).max(axis=0))


def outer_norm(problem: Problem) -> float:
    return float(np.abs(problem.outer.gradient(np.zeros((1, 1)))).mean())


@pytest.mark.parametrize(("N", "rule"), CELLS)
@pytest.mark.parametrize("name", ["teeth", "teeth-finite-sum"])
def test_teeth_attain_smoothness_in_full_and_refute_every_lower_one(name: str, N: int, rule: str) -> None:
    problem, s = build(name, N, rule)
    c, norm = problem.constants, outer_norm(problem)
    p = Paper(c, s)
    measured, bound = steepest(problem, s)[0], p.L_w(norm)
    assert 0.9998 * bound < measured <= bound * (1 + 1e-9)
    floor, slope, x = p.a, p.C_L, s.alpha * c.L
    mutants: dict[str, Number] = {
        "q^{2N−2} in C_L": floor + slope / (1 + x) * norm,
        "C_L dropped": floor,
        "q^{2N−1}L": bound - p.q(2 * N) * c.L * x / (1 + x),
    }
    if N > 1:
        mutants["NαL for q^N − 1"] = floor + slope * N * x / p.e(N) * norm
    if problem.case == "finite-sum":
        mutants["C_b dropped"] = bound - p.C_b * c.b
    for mutant, wrong in mutants.items():
        assert measured > wrong, mutant


@pytest.mark.parametrize(("L", "rho", "steepness"), [(0.6, 4.1, 0.3), (3.0, 0.4, 11.0)])
def test_teeth_attain_smoothness_for_other_constants(L: float, rho: float, steepness: float) -> None:
    N, alpha_L = 4, 0.05
    for name in ("teeth", "teeth-finite-sum"):
        problem = families()[name].factory(N, alpha_L, L=L, rho=rho, steepness=steepness)
        s = Schedule(N=N, alpha=alpha_L / L)
        bound = Paper(problem.constants, s).L_w(outer_norm(problem))
        assert 0.999 * bound < steepest(problem, s)[0] <= bound * (1 + 1e-9)
