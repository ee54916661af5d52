"""Algorithm 1 rests on the bias floor, however large its batches of tasks: there ‖∇L‖ is nearly the bias."""

import math

import pytest

from problems.bias_floor import bias_floor
from tests.problems.enumeration import enumerate_at
from theory.constants import Schedule


@pytest.mark.parametrize(("alpha_L", "ratio"), [(0.002, 0.9975), (0.01, 0.9876), (0.125, 0.863)])
def test_the_run_rests_where_the_gradient_is_the_bias(alpha_L: float, ratio: float) -> None:
    problem = bias_floor(1, alpha_L)
    c, alpha, w = problem.constants, alpha_L / problem.constants.L, float(problem.start[0])
    at = enumerate_at(problem, Schedule(N=1, alpha=alpha), w)
    G, e_0 = abs(at.meta_gradient[0]), c.rho / 2 * (1 + alpha_L) * (alpha * c.sigma_g) ** 2
    assert abs(at.mean[0]) < 1e-12 * G
    assert G / e_0 == pytest.approx(ratio, abs=5e-4)
    for side in (-1e-3, 1e-3):  # meta steps lead back
        assert enumerate_at(problem, Schedule(N=1, alpha=alpha), w + side).mean[0] * side > 0


def test_the_own_theorem_without_variance_is_nearly_attained() -> None:
    """K, B, T, D_L, B' → ∞: λ = κ = κ_1 = 1, c_3 is all of r, and the root of the theorem is the bias but for `C_L`."""
    alpha_L, C_beta = 0.002, 20.0
    problem = bias_floor(1, alpha_L, L=0.6, rho=4.1)
    c, alpha, q = problem.constants, alpha_L / 0.6, 1 + alpha_L
    G = abs(enumerate_at(problem, Schedule(N=1, alpha=alpha), float(problem.start[0])).meta_gradient[0])
    e_0, tau = c.rho / 2 * q * (alpha * c.sigma_g) ** 2, 1 / C_beta
    x, Q, a, C_L = 2 * alpha_L, q**2, q**2 * c.L, c.rho / c.L * q * alpha_L
    Gamma, c_1 = C_L * (1 + x) / (Q * (1 - x)), 1 - tau / 2
    r, s = tau / 2 * e_0**2 / a, (1 - tau) * e_0 / a
    rest = Gamma * r + a * s
    bound = (rest + math.sqrt(rest**2 + 4 * (c_1 - Gamma * s) * a * r)) / (2 * (c_1 - Gamma * s))
    assert 0.997 < G / bound <= 1
    assert bound / 1.05 < G  # a bias 5 % smaller is refuted


def test_the_schedule_is_so_large_that_draws_do_not_matter() -> None:
    problem = bias_floor(1, 0.002)
    made_for = problem.made_for
    assert made_for["S"] == 1
    spread = problem.constants.sigma_g / math.sqrt(made_for["B"] * made_for["T"])
    assert spread < 1e-6 * problem.constants.L**2 / problem.constants.rho
