"""Opposed curvature: the meta objective curves as much as it may at its minimiser, which it attains."""

import numpy as np
import pytest

from problems.opposed_curvature import opposed_curvature, opposed_curvature_quadratic
from problems.problem import Problem
from theory.maml import mean_over_tasks, meta_gradient, meta_objective

QUADRATIC = opposed_curvature_quadratic(L=0.4)
COSINES = opposed_curvature(L=0.4, omega=3.1)


@pytest.mark.parametrize("N", [0, 1, 2, 7, 30])
@pytest.mark.parametrize("problem", [QUADRATIC, COSINES], ids=lambda problem: problem.name)
def test_the_meta_objective_curves_by_q_2N_L_at_its_minimiser_0(problem: Problem, N: int) -> None:
    alpha_L = 0.5 / max(N, 1)
    w = np.full((1, problem.dim), 1e-5 * problem.scale)
    gradient = mean_over_tasks(meta_gradient(w, alpha_L / 0.4, N, problem.inner, problem.outer))
    np.testing.assert_allclose(gradient, (1 + alpha_L) ** (2 * N) * 0.4 * w[0], rtol=1e-6)


@pytest.mark.parametrize("problem", [QUADRATIC, COSINES], ids=lambda problem: problem.name)
def test_steps_are_linear_where_the_problem_says_so(problem: Problem) -> None:
    """Relative to what a linear step would be, up to 1e-7 also after paths have grown by √2."""
    w = np.full((1, problem.dim), problem.linear_within)
    gradient = mean_over_tasks(meta_gradient(w, 0.1, 3, problem.inner, problem.outer))
    np.testing.assert_allclose(gradient, (1 + 0.04) ** 6 * 0.4 * w[0], rtol=1e-7)


def test_the_lower_bound_is_the_least_meta_objective() -> None:
    w = np.linspace(-4, 4, 8001)[:, None, None] * COSINES.scale
    objective = meta_objective(w, 0.2, 4, COSINES.inner, COSINES.outer)
    assert objective.min() == pytest.approx(COSINES.constants.lower_bound, rel=1e-12)
