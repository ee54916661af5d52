"""Rare teeth: the second moment exceeds `G² + Q²σ²`, and comes near the largest coefficient of G² for such losses."""

import math

import numpy as np
import pytest

from problems.problem import Problem
from problems.rare_teeth import rare_teeth, with_teeth
from theory.maml import meta_gradient


def moments(problem: Problem, N: int, alpha_L: float) -> tuple[float, float, float]:
    """`E‖∇L_i‖²`, G² and `Q²σ²` at the first probe."""
    w = problem.probes(1, np.random.default_rng(0))[:, None]
    meta = meta_gradient(w, alpha_L / problem.constants.L, N, problem.inner, problem.outer)[0, :, 0]
    Q = (1 + alpha_L) ** (2 * N)
    return float((meta**2).mean()), float(meta.mean() ** 2), (Q * problem.constants.sigma) ** 2


@pytest.mark.parametrize("N", [1, 2, 5])
def test_the_coefficient_one_is_refuted_and_the_own_bound_holds(N: int) -> None:
    alpha_L = 1 / (8 * N)
    X_squared, G_squared, spread = moments(rare_teeth(N, alpha_L), N, alpha_L)
    assert X_squared == pytest.approx(1.071 * (G_squared + spread), abs=5e-4 * X_squared)
    x = 2 * N * alpha_L
    assert X_squared < G_squared / (1 - x) + spread
    few = rare_teeth(N, alpha_L, tasks=1000, rare=3)
    X_squared, G_squared, spread = moments(few, N, alpha_L)
    assert X_squared == pytest.approx(1.015 * (G_squared + spread), rel=1e-3)


@pytest.mark.parametrize("N", [1, 2, 5])
@pytest.mark.parametrize("x", [0.1, 0.25, 0.6])
def test_the_coefficient_tends_to_that_of_a_rare_steep_group(N: int, x: float) -> None:
    alpha_L, share = x / (2 * N), 1e-3
    root = ((1 + alpha_L) / (1 - alpha_L)) ** N  # √(Q/p) on the line
    problem = with_teeth(N, alpha_L, 1.7, 2.3, 1e6, 1 / (root * share), 1000, 1)
    X_squared, G_squared, spread = moments(problem, N, alpha_L)
    assert (X_squared - spread) / G_squared == pytest.approx((1 + root) / 2, rel=2e-3)
    assert (X_squared - spread) / G_squared < (1 + root**2) / 2  # (Q + p)/(2p), the coefficient that is proved


def test_every_path_point_of_the_majority_is_the_peak_of_a_tooth() -> None:
    problem, alpha = rare_teeth(4, 0.05, L=0.6, rho=4.1), 0.05 / 0.6
    w = np.zeros((10, 1))
    for _ in range(4):
        curvature = problem.inner.hvp(w, np.ones(1))[:, 0]
        np.testing.assert_allclose(curvature[:2], -0.6, rtol=1e-12)
        np.testing.assert_allclose(curvature[2:], 0.6, rtol=1e-6)
        w = w - alpha * problem.inner.gradient(w)
    assert math.isclose(problem.inner.hvp(w, np.ones(1))[5, 0], -0.6)
