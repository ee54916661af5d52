"""The exact LINK is attained on weighted cusps, for every number of steps and every stepsize below 1/L."""

import math

import numpy as np
import pytest

from problems.problem import Problem
from problems.registry import family
from problems.weighted_cusp import weighted_cusp
from theory.loss import Array
from theory.maml import meta_gradient

STEPSIZES = [(N, x / (2 * N)) for N in (1, 2, 5, 20) for x in (0.04, 0.25, 0.7)] + [(5, 0.9)]


def gradients(problem: Problem, N: int, alpha_L: float) -> tuple[Array, Array]:
    """Task gradients and meta-gradients (tasks,) at the first probe."""
    w = problem.probes(1, np.random.default_rng(0))[:, None]
    alpha = alpha_L / problem.constants.L
    meta = meta_gradient(w, alpha, N, problem.inner, problem.outer)
    return problem.outer.gradient(w)[0, :, 0], meta[0, :, 0]


def ratios(problem: Problem, N: int, alpha_L: float, p: float) -> tuple[float, float]:
    """Of ‖∇l‖ and of E‖∇l_i‖ to their exact bounds, which hold for every G and σ."""
    g, meta = gradients(problem, N, alpha_L)
    Q, G = (1 + alpha_L) ** (2 * N), abs(meta.mean())
    root = math.sqrt(G**2 + p * Q * problem.constants.sigma**2)
    of_mean = ((Q + p) * G + (Q - p) * root) / (2 * p * Q)
    of_tasks = ((Q - p) * G + (Q + p) * root) / (2 * p * Q)
    return float(abs(g.mean()) / of_mean), float(np.abs(g).mean() / of_tasks)


@pytest.mark.parametrize(("N", "alpha_L"), STEPSIZES)
def test_link_is_attained_at_every_stepsize(N: int, alpha_L: float) -> None:
    for problem in (family("weighted-cusp").build(N, alpha_L), weighted_cusp(N, alpha_L, L=0.6, rho=4.1, tasks=7)):
        assert ratios(problem, N, alpha_L, (1 - alpha_L) ** (2 * N)) == pytest.approx((1, 1), abs=1.5e-4)
        assert max(ratios(problem, N, alpha_L, (1 - alpha_L) ** (2 * N))) <= 1 + 1e-9


def test_link_is_attained_the_better_the_less_the_cusp_is_smoothed() -> None:
    for steepness in (100.0, 1e4, 1e6):
        problem = weighted_cusp(1, 0.125, steepness=steepness, tasks=130)
        share = (problem.outer.gradient(problem.start)[:, 0] > 0).mean()
        assert share == pytest.approx(81 / 130)  # Q/(p + Q): the meta-gradient vanishes
        _, meta = gradients(problem, 1, 0.125)
        assert abs(meta.mean()) < 1e-13 * np.abs(meta).max()
        shortfall = 1 - ratios(problem, 1, 0.125, 0.875**2)[0]
        assert shortfall == pytest.approx(1 / (1 + steepness), rel=1e-3)


@pytest.mark.parametrize(("N", "least"), [(1, 0.9998), (2, 0.98), (5, 0.97)])
def test_link_finite_sum_is_attained_at_one_step(N: int, least: float) -> None:
    alpha_L = 1 / (8 * N)
    p = (1 - alpha_L) ** N * (2 - (1 + alpha_L) ** N)
    problem = family("weighted-cusp-finite-sum").build(N, alpha_L)
    assert problem.constants.b == 0
    assert least < ratios(problem, N, alpha_L, p)[0] <= 1


def test_a_spread_three_percent_smaller_and_the_mean_of_p_and_Q_are_refuted() -> None:
    problem, p, Q = family("weighted-cusp").build(1, 0.125), 0.875**2, 1.125**2
    g, meta = gradients(problem, 1, 0.125)
    G, sigma = abs(meta.mean()), problem.constants.sigma
    root = math.sqrt(G**2 + p * Q * (0.97 * sigma) ** 2)
    assert abs(g.mean()) > ((Q + p) * G + (Q - p) * root) / (2 * p * Q)
    middle = math.sqrt(p * Q)
    root = math.sqrt(G**2 + middle * Q * sigma**2)
    assert abs(g.mean()) > ((Q + middle) * G + (Q - middle) * root) / (2 * middle * Q)
