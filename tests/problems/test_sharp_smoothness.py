"""PATH, GRADIENT GROWTH and SMOOTHNESS are attained on their sharp instances, and wrong exponents are refuted there."""

import numpy as np
import pytest

from problems.kink import kink
from problems.problem import Problem
from problems.registry import families
from theory.constants import Real, Schedule
from theory.growth import growth, growth_excess
from theory.lemmas import displacement_bound, gradient_growth_bound, path_bound
from theory.loss import Array
from theory.maml import adapt, meta_gradient
from theory.smoothness import C_L, C_b, meta_smoothness, smoothness_floor, task_smoothness

STEPS = (1, 2, 5, 10, 20)


def stepsizes(N: int) -> dict[str, float]:
    return {"recommended": 1 / (8 * N), "near cap": 0.9 * (2 ** (1 / (2 * N)) - 1), "fixed": 0.25}


CELLS = [(N, rule) for N in STEPS for rule in stepsizes(1)]


def build(name: str, N: int, rule: str) -> tuple[Problem, Schedule]:
    problem = families()[name].build(N, stepsizes(N)[rule])
    return problem, Schedule(N=N, alpha=stepsizes(N)[rule] / problem.constants.L)


def path_from(problem: Problem, s: Schedule, w: Array) -> Array:
    """(N + 1,) inner path of the only task from `w` (1,)."""
    return np.array([point[0, 0] for point in adapt(w[None], float(s.alpha), [problem.inner] * int(s.N))])


def steepest(problem: Problem, s: Schedule, w: float = 0.0) -> Array:
    """Largest `|∇L_i(w) − ∇L_i(u)|/|w − u|` per task over u at several distances on both sides."""
    distance = problem.scale * 10.0 ** -np.arange(1, 5) / float(growth(problem.constants, s, s.N))
    u = w + np.concatenate([distance, -distance])[:, None]

    def gradient(x: Array) -> Array:
        return meta_gradient(x[:, None], float(s.alpha), int(s.N), problem.inner, problem.outer)[..., 0]

    return np.asarray((np.abs(gradient(u) - gradient(np.full((1, 1), w))) / np.abs(u - w)).max(axis=0))


def outer_norm(problem: Problem) -> float:
    return float(np.abs(problem.outer.gradient(np.zeros((1, 1)))).mean())


@pytest.mark.parametrize(("N", "rule"), CELLS)
def test_saddle_attains_path_and_gradient_growth_and_refutes_less(N: int, rule: str) -> None:
    problem, s = build("saddle", N, rule)
    c, j = problem.constants, np.arange(1.0, N + 1)
    w, u = problem.probes(3, np.random.default_rng(0))[1:]
    path, other = path_from(problem, s, w), path_from(problem, s, u)
    apart, gradient = np.abs(path - other), np.abs(problem.inner.gradient(path[:, None, None]))[:, 0, 0]
    np.testing.assert_allclose(apart[1:], path_bound(c, s, j, apart[0]), rtol=1e-13)
    np.testing.assert_allclose(gradient[1:], gradient_growth_bound(c, s, j, gradient[0]), rtol=1e-13)
    np.testing.assert_allclose(np.abs(path - path[0])[1:], displacement_bound(c, s, j, gradient[0]), rtol=1e-12)
    wrong = [growth(c, s, N - 1)] + ([1 + N * s.alpha * c.L] if N > 1 else [])
    for factor in wrong:
        assert apart[-1] > factor * apart[0] * 1.0001
        assert gradient[-1] > factor * gradient[0] * 1.0001


@pytest.mark.parametrize(("N", "rule"), CELLS)
def test_saddle_attains_the_first_term_of_smoothness_and_refutes_lower_powers(N: int, rule: str) -> None:
    problem, s = build("saddle", N, rule)
    c = problem.constants
    measured = steepest(problem, s)[0]
    assert measured == pytest.approx(meta_smoothness(c, s, outer_norm(problem)), rel=1e-13)
    for power in (2 * N - 1, N):
        assert measured > growth(c, s, power) * c.L * 1.0001


@pytest.mark.parametrize(("N", "rule"), CELLS)
@pytest.mark.parametrize("name", ["teeth", "teeth-finite-sum"])
def test_teeth_attain_smoothness_in_full_and_refute_every_lower_one(name: str, N: int, rule: str) -> None:
    problem, s = build(name, N, rule)
    c, norm = problem.constants, outer_norm(problem)
    measured, bound = steepest(problem, s)[0], meta_smoothness(c, s, norm)
    assert 0.9998 * bound < measured <= bound * (1 + 1e-9)
    floor, slope, x = smoothness_floor(c, s), C_L(c, s), s.alpha * c.L
    mutants: dict[str, Real] = {
        "q^{2N−2} in C_L": floor + slope / (1 + x) * norm,
        "C_L dropped": floor,
        "q^{2N−1}L": bound - growth(c, s, 2 * N) * c.L * x / (1 + x),
    }
    if N > 1:
        mutants["NαL for q^N − 1"] = floor + slope * N * x / growth_excess(c, s, N) * norm
    if problem.case == "finite-sum":
        mutants["C_b dropped"] = bound - C_b(c, s) * c.b
    for mutant, wrong in mutants.items():
        assert measured > wrong, mutant


@pytest.mark.parametrize(("L", "rho", "steepness"), [(0.6, 4.1, 0.3), (3.0, 0.4, 11.0)])
def test_teeth_attain_smoothness_for_other_constants(L: float, rho: float, steepness: float) -> None:
    N, alpha_L = 4, 0.05
    for name in ("teeth", "teeth-finite-sum"):
        problem = families()[name].factory(N, alpha_L, L=L, rho=rho, steepness=steepness)
        s = Schedule(N=N, alpha=alpha_L / L)
        bound = meta_smoothness(problem.constants, s, outer_norm(problem))
        assert 0.999 * bound < steepest(problem, s)[0] <= bound * (1 + 1e-9)


@pytest.mark.parametrize(("N", "rule"), CELLS)
def test_kink_attains_smoothness_task_by_task(N: int, rule: str) -> None:
    problem, s = build("kink", N, rule)
    w = np.zeros((1, 1))
    outer, inner = (np.abs(loss.gradient(w))[:, 0] for loss in (problem.outer, problem.inner))
    bound = task_smoothness(problem.constants, s, outer, inner)
    measured = steepest(problem, s)
    assert (measured <= bound * (1 + 1e-9)).all()
    assert (measured >= 0.9999 * bound).all()
    half = growth(problem.constants, s, 2 * N) * problem.constants.L
    assert (measured > half + (bound - half) / 2).all()


def test_kink_is_attained_as_the_distance_vanishes() -> None:
    """The shortfall is of first order in the distance: ten times nearer, ten times less."""
    problem, s = kink(L=0.6, rho=4.1, steepness=0.3), Schedule(N=3, alpha=0.1 / 0.6)
    bound = task_smoothness(problem.constants, s, 0.3 * 0.6**2 / 4.1, 0.0)

    def shortfall(distance: float) -> float:
        g = [
            meta_gradient(np.array([[x]]), float(s.alpha), 3, problem.inner, problem.outer)[0, 0]
            for x in (0.0, -distance)
        ]
        return float(1 - abs(g[1] - g[0]) / distance / bound)

    assert shortfall(1e-3) == pytest.approx(10 * shortfall(1e-4), rel=0.05)
    assert 0 < shortfall(1e-4) < 1e-3
