"""Twin wells: the curvature that makes them diverge, and how far the meta objective is a quadratic."""

import numpy as np
import pytest

from problems.twin_wells import twin_wells
from theory.maml import mean_over_tasks, meta_gradient


@pytest.mark.parametrize("N", [0, 1, 2, 7, 30])
def test_the_meta_objective_curves_by_q_2N_L_at_its_minimiser_0(N: int) -> None:
    alpha_L = 0.5 / max(N, 1)
    problem = twin_wells(N, alpha_L, L=2.9, rho=5.3)
    w = np.full((1, 1), 1e-5 * problem.scale)
    gradient = mean_over_tasks(meta_gradient(w, alpha_L / 2.9, N, problem.inner, problem.outer))
    np.testing.assert_allclose(gradient, (1 + alpha_L) ** (2 * N) * 2.9 * w[0], rtol=1e-6)


def test_twin_wells_are_quadratic_within_their_scale() -> None:
    problem = twin_wells(6, 0.11, L=2.9, rho=5.3)
    w = problem.scale * np.array([-1.0, -0.3, 0.5, 1.0])[:, None, None]
    gradient = mean_over_tasks(meta_gradient(w, 0.11 / 2.9, 6, problem.inner, problem.outer))
    np.testing.assert_allclose(gradient, 1.11**12 * 2.9 * w[:, 0], rtol=1e-11)


def test_twin_wells_are_linear_where_they_say_so() -> None:
    problem = twin_wells(6, 0.11)
    assert 0 < problem.linear_within <= problem.scale


def test_twin_wells_need_a_stepsize() -> None:
    with pytest.raises(ValueError, match=r"^alpha_L = 0 is not allowed: alpha_L must be a finite number > 0$"):
        twin_wells(3, 0.0)
