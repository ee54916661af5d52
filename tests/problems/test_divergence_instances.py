"""Opposed curvature and twin wells: constants, attained and not exceeded, and the curvature that makes them diverge."""

from collections.abc import Callable

import numpy as np
import pytest

from problems.convex_quadratic import convex_quadratic
from problems.opposed_curvature import opposed_curvature, opposed_curvature_quadratic
from problems.problem import Problem
from problems.twin_wells import twin_wells
from theory.loss import Array
from theory.maml import mean_over_tasks, meta_gradient, meta_objective

N, ALPHA_L = 4, 0.083
LINES: dict[str, Callable[[], Problem]] = {
    "opposed-curvature": opposed_curvature,
    "opposed-curvature, other": lambda: opposed_curvature(L=0.4, omega=3.1),
    "twin-wells": lambda: twin_wells(N, ALPHA_L),
    "twin-wells, other": lambda: twin_wells(N, ALPHA_L, L=2.9, rho=5.3),
}
GRID = np.linspace(-1, 1, 200_001)


def grid(problem: Problem) -> Array:
    """Points (P, 1, 1), a fine grid over all that happens."""
    reach = 4 * problem.scale if problem.analytic else 3 * float(np.abs(problem.constants.sigma / problem.constants.L))
    reach += 0 if problem.analytic else 12 * problem.constants.L / (problem.constants.rho * ALPHA_L)
    return reach * GRID[:, None, None]


@pytest.fixture(params=LINES)
def problem(request: pytest.FixtureRequest) -> Problem:
    return LINES[request.param]()


def test_constants_are_attained_and_not_exceeded(problem: Problem) -> None:
    c, w = problem.constants, grid(problem)
    curvature = problem.inner.hvp(w, np.ones(1))[..., 0]
    train, test = problem.inner.gradient(w)[..., 0], problem.outer.gradient(w)[..., 0]
    spread = np.sqrt(((test - test.mean(axis=1, keepdims=True)) ** 2).mean(axis=1))
    found = {
        "L": np.abs(curvature).max(),
        "rho": np.abs(np.diff(curvature, axis=0)).max() / (w[1, 0, 0] - w[0, 0, 0]),
        "sigma": spread.max(),
        "b": np.abs(train - test).max(axis=0).mean(),
        "b_sq": ((train - test) ** 2).max(axis=0).mean(),
    }
    for name, value in found.items():
        # differences over the grid's spacing carry the rounding of curvatures
        assert value <= getattr(c, name) * (1 + 1e-9), name
        assert value >= getattr(c, name) * (1 - 1e-6), name


def test_the_lower_bound_holds_for_the_meta_objective(problem: Problem) -> None:
    c, w = problem.constants, grid(problem)[::20]
    objective = meta_objective(w, ALPHA_L / c.L, N, problem.inner, problem.outer).mean(axis=1)
    assert objective.min() >= c.lower_bound * (1 + 1e-12)
    if problem.name == "opposed-curvature":
        np.testing.assert_allclose(objective.min(), c.lower_bound, rtol=1e-12)
    else:
        np.testing.assert_allclose(problem.outer.value(w).min(axis=0).mean(), c.lower_bound, rtol=1e-4)


@pytest.mark.parametrize("N", [0, 1, 2, 7, 30])
@pytest.mark.parametrize("name", ["opposed-curvature", "opposed-curvature-quadratic", "twin-wells"])
def test_the_meta_objective_curves_by_q_2N_L_at_its_minimiser_0(name: str, N: int) -> None:
    alpha_L = 0.5 / max(N, 1)
    problem = {
        "opposed-curvature": lambda: opposed_curvature(L=0.4, omega=3.1),
        "opposed-curvature-quadratic": lambda: opposed_curvature_quadratic(L=0.4),
        "twin-wells": lambda: twin_wells(N, alpha_L, L=2.9, rho=5.3),
    }[name]()
    L = problem.constants.L
    w = np.full((1, problem.dim), 1e-5 * problem.scale)
    gradient = mean_over_tasks(meta_gradient(w, alpha_L / L, N, problem.inner, problem.outer))
    np.testing.assert_allclose(gradient, (1 + alpha_L) ** (2 * N) * L * w[0], rtol=1e-6)


def test_twin_wells_are_quadratic_within_their_scale() -> None:
    problem = twin_wells(6, 0.11, L=2.9, rho=5.3)
    w = problem.scale * np.array([-1.0, -0.3, 0.5, 1.0])[:, None, None]
    gradient = mean_over_tasks(meta_gradient(w, 0.11 / 2.9, 6, problem.inner, problem.outer))
    np.testing.assert_allclose(gradient, 1.11**12 * 2.9 * w[:, 0], rtol=1e-11)


def test_twin_wells_need_a_stepsize() -> None:
    with pytest.raises(ValueError, match=r"^alpha_L = 0 is not allowed: alpha_L must be a finite number > 0$"):
        twin_wells(3, 0.0)


def test_convex_quadratic_shrinks_its_gradient_by_a_known_factor() -> None:
    problem = convex_quadratic(L=0.7)
    w = np.array([[[2.0, 5.0]]])
    found = meta_gradient(w, 0.3, 5, problem.inner, problem.outer)
    np.testing.assert_allclose(found, (1 - 0.21) ** 10 * problem.outer.gradient(w), rtol=1e-13)
    assert problem.constants.L == 0.7
    np.testing.assert_allclose(problem.outer.hvp(w, np.array([3.0, -1.0]))[0, 0], [2.1, -0.7], rtol=1e-15)
