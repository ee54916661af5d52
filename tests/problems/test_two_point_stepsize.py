"""META STEPSIZE MOMENTS are attained, or nearly, where gradient norms take two values."""

from dataclasses import replace

import numpy as np
import pytest

from problems.noise import FiniteNoise, multinomial_support
from problems.problem import Problem
from problems.two_point_stepsize import two_point_tasks
from tests.problems.enumeration import RULES, batches, build, exact_probes, stepsizes
from theory.constants import Schedule
from theory.paper import Paper


def stepsize_moments(problem: Problem, s: Schedule, w: float) -> tuple[float, float]:
    """`E[1/L̂] L_w` and `E[1/L̂²] L_w²` at `w`, over all draws of `B'` tasks with `D_L = 1` datum each."""
    assert isinstance(problem.noise, FiniteNoise)
    data, probabilities = batches(problem, 1)
    norms = np.abs(data.gradient(np.full((1, 1), w))[..., 0])
    joint = np.broadcast_to(probabilities[:, None] / problem.number_of_tasks, norms.shape)
    size, which = np.unique(norms.round(9), return_inverse=True)
    law = np.asarray(np.bincount(which.ravel(), weights=joint.ravel()), dtype=np.float64)
    support = multinomial_support(law, int(s.B_prime))
    p = Paper(problem.constants, s)
    L_hat = p.L_w(support.weights @ size)
    L_w = p.L_w(np.abs(problem.outer.gradient(np.full((1, 1), w))).mean())
    return float(support.probabilities @ (L_w / L_hat)), float(support.probabilities @ (L_w / L_hat) ** 2)


@pytest.mark.parametrize("N", [1, 2, 5, 20])
@pytest.mark.parametrize("rule", RULES)
def test_two_point_noise_attains_lambda_and_few_steep_tasks_need_b_prime(N: int, rule: str) -> None:
    problem, s = build("two-point-stepsize", N, rule, B_prime=8)
    c, (left, right) = problem.constants, exact_probes(problem, 2)
    p = Paper(c, s)
    first, _ = stepsize_moments(problem, s, left)
    assert first == pytest.approx(p.lam, rel=1e-7)
    assert first < 0.95
    assert p.lam == pytest.approx(1 / 1.1)
    _, second = stepsize_moments(problem, s, right)
    assert second <= p.kappa
    assert second > Paper(c, replace(s, B_prime=64)).kappa
    assert second > 10


@pytest.mark.parametrize("N", [1, 2, 5, 20])
@pytest.mark.parametrize("rule", RULES)
def test_two_point_tasks_are_within_a_factor_two_of_kappa_and_attain_the_sharper_one(N: int, rule: str) -> None:
    problem, s = build("two-point-tasks", N, rule)
    c = problem.constants
    p = Paper(c, s)
    _, second = stepsize_moments(problem, s, exact_probes(problem, 1)[0])
    assert 0.54 * p.kappa < second <= p.kappa
    assert 0.99 * p.kappa_sharper < second <= p.kappa_sharper
    larger = two_point_tasks(N, stepsizes(N)[rule], L=0.6, rho=4.1, tasks=64)
    s = replace(s, alpha=stepsizes(N)[rule] / 0.6)
    _, second = stepsize_moments(larger, s, exact_probes(larger, 1)[0])
    kappa = Paper(larger.constants, s).kappa_sharper
    assert 0.998 * kappa < second <= kappa
