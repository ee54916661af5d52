"""Martingale noise: paths are a chain on two points a step, and BIAS is attained at every N."""

import math

import numpy as np
import pytest

from problems.kinks import kinks, martingale_tent
from problems.problem import Problem
from tests.problems.chain import mean_estimator
from theory.loss import Array
from theory.maml import meta_gradient

STEPS = (2, 3, 5, 8)
REACH = (0.02, 0.125, 0.3)
"""NαL."""


def jensen(problem: Problem, N: int, alpha: float) -> Array:
    """`δ_0 … δ_N` at S = 1."""
    q = 1 + alpha * problem.constants.L
    return np.asarray(alpha * problem.constants.sigma_g * np.sqrt((q ** (2 * np.arange(N + 1)) - 1) / (q**2 - 1)))


def biases(problem: Problem, N: int, alpha: float) -> tuple[Array, Array, Array]:
    """`E Ĝ_i − ∇L_i`, `∇L_i` and `∇l_i` at the first probe, each (tasks,)."""
    w = problem.probes(1, np.random.default_rng(0))
    meta = meta_gradient(w, alpha, N, problem.inner, problem.inner)[:, 0]
    mean = [mean_estimator(problem, alpha, N, float(w[0, 0]), task)[0] for task in range(problem.number_of_tasks)]
    return np.array(mean) - meta, meta, problem.inner.gradient(w)[:, 0]


@pytest.mark.parametrize("N", STEPS)
@pytest.mark.parametrize("x", REACH)
def test_kinks_attain_the_bias_per_task_and_nearly_over_tasks(N: int, x: float) -> None:
    problem = kinks(N, x / N, steepness=10_000.0)
    c, alpha, q = problem.constants, x / N / problem.constants.L, 1 + x / N
    delta, (bias, meta, g) = jensen(problem, N, alpha), biases(problem, N, alpha)
    beta_1, beta_2 = q**N * c.L * delta[-1], alpha * c.rho * q ** (2 * N - 1) * delta[:-1].sum()
    ratio = np.abs(bias) / (beta_1 + beta_2 * np.abs(g))
    assert (ratio > 0.9998).all()
    assert (ratio <= 1).all()
    e, left = (1 + x) * abs(meta.mean()) / q ** (2 * N), 1 - x - x * x
    last = (x * e + math.sqrt((1 - x) * e**2 + left * (1 - x) * c.sigma**2)) / left  # LAST GRADIENT
    over_tasks = abs(bias.mean()) / (beta_1 + beta_2 * last)
    assert over_tasks == pytest.approx(math.sqrt(left / (1 - x)), abs=3e-4)
    assert over_tasks <= 1


@pytest.mark.parametrize("N", STEPS)
def test_paths_are_chains_on_two_points_a_step(N: int) -> None:
    for problem in (kinks(N, 0.1, L=0.6, rho=4.1), martingale_tent(N, 0.1, L=0.6, rho=4.1)):
        w = float(problem.probes(1, np.random.default_rng(0))[0, 0])
        for task in range(problem.number_of_tasks):
            _, levels = mean_estimator(problem, 0.1 / 0.6, N, w, task)
            assert [len(points) for points in levels] == [1] + [2] * N


def test_the_noise_of_each_step_added_like_squares_is_not_enough() -> None:
    """`δ_j → ασ_g√j`, `δ_j → ασ_g`, and half of the second term are refuted."""
    N, alpha_L = 5, 0.08
    problem = kinks(N, alpha_L)
    c, alpha, q = problem.constants, alpha_L / problem.constants.L, 1 + alpha_L
    bias, _, g = biases(problem, N, alpha)
    step, right = alpha * c.sigma_g, jensen(problem, N, alpha)
    slope = alpha * c.rho * q ** (2 * N - 1) * np.abs(g).max()
    for wrong in (step * np.sqrt(np.arange(N + 1)), step * (np.arange(N + 1) > 0)):
        assert np.abs(bias).max() > 1.05 * (q**N * c.L * wrong[-1] + slope * wrong[:-1].sum())
    assert np.abs(bias).max() > 1.9 * (q**N * c.L * right[-1] + slope * right[:-1].sum() / 2)


@pytest.mark.parametrize("N", [1, *STEPS])
@pytest.mark.parametrize("x", REACH)
def test_martingale_tents_attain_the_first_term_at_every_N(N: int, x: float) -> None:
    problem = martingale_tent(N, x / N, loudness=10_000.0)
    c, alpha = problem.constants, x / N / problem.constants.L
    bias, _, _ = biases(problem, N, alpha)
    beta_1 = (1 + x / N) ** N * c.L * jensen(problem, N, alpha)[-1]
    assert 0.99994 < abs(bias[0]) / beta_1 <= 1
