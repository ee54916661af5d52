"""SMOOTHNESS task by task is attained on the kink."""

import numpy as np
import pytest

from problems.kink import kink
from problems.problem import Problem
from problems.registry import families
from tests.problems.suprema import knot_points
from theory.constants import Schedule
from theory.loss import Array
from theory.maml import meta_gradient, meta_objective
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


@pytest.mark.parametrize(("N", "rule"), CELLS)
def test_kink_attains_smoothness_task_by_task(N: int, rule: str) -> None:
    problem, s = build("kink", N, rule)
    w = np.zeros((1, 1))
    outer, inner = (np.abs(loss.gradient(w))[:, 0] for loss in (problem.outer, problem.inner))
    bound = Paper(problem.constants, s).task_smoothness(outer, inner)
    measured = steepest(problem, s)
    assert (measured <= bound * (1 + 1e-9)).all()
    assert (measured >= 0.9999 * bound).all()
    half = Paper(problem.constants, s).q(2 * N) * problem.constants.L
    assert (measured > half + (bound - half) / 2).all()


def test_kink_is_attained_as_the_distance_vanishes() -> None:
    """The shortfall is of first order in the distance: ten times nearer, ten times less."""
    problem, s = kink(L=0.6, rho=4.1, steepness=0.3), Schedule(N=3, alpha=0.1 / 0.6)
    bound = Paper(problem.constants, s).task_smoothness(0.3 * 0.6**2 / 4.1, 0.0)

    def shortfall(distance: float) -> float:
        g = [
            meta_gradient(np.array([[x]]), float(s.alpha), 3, problem.inner, problem.outer)[0, 0]
            for x in (0.0, -distance)
        ]
        return float(1 - abs(g[1] - g[0]) / distance / bound)

    assert shortfall(1e-3) == pytest.approx(10 * shortfall(1e-4), rel=0.05)
    assert 0 < shortfall(1e-4) < 1e-3


@pytest.mark.parametrize("N", [1, 4])
def test_lower_bound_is_the_minimum_of_the_meta_objective(N: int) -> None:
    problem = kink(L=0.6, rho=4.1, steepness=0.3)
    w = np.append(knot_points(problem), 0.0)[:, None]
    objective = meta_objective(w[:, None], 0.1 / 0.6, N, problem.inner, problem.outer).mean(axis=1)
    assert objective.min() >= problem.constants.lower_bound - 1e-13
    assert objective[-1] == problem.constants.lower_bound
