"""The runaway: every meta step lowers the objective by the same, and the rate K^{−1/3} of exact MAML is attained."""

import math

import numpy as np
import pytest

from problems.problem import Problem
from problems.runaway import runaway
from theory.algorithms import run
from theory.constants import Schedule

SETTINGS = {10_000: (1.0, 0.8, 0.874, 1.1), 100_000: (3.0, 0.82, 0.905, 1.7), 1_000_000: (2.5, 0.4, 0.919, 3.2)}
"""Meta steps: plateau, overshoot, the ratio that is reached, and that to a bound with `L_w` frozen at the start."""


def numbers(problem: Problem) -> tuple[float, float, float, float]:
    """a, C_L, C_β and α at N = 1."""
    c, alpha = problem.constants, problem.made_for["alpha"]
    q = 1 + alpha * c.L
    return q**2 * c.L, c.rho / c.L * q * alpha * c.L, problem.made_for["C_beta"], alpha


def bound(problem: Problem) -> float:
    """The own theorem for every α: `{(Λ + (3/2)c√(KS_0))^{4/3} − Λ^{4/3}}/(2cK)`."""
    a, C_L, C_beta, alpha = numbers(problem)
    K = problem.made_for["K"]
    S_0 = C_beta * problem.initial_gap(alpha, 1) / (1 - 1 / (2 * C_beta))
    L_w = a + C_L * abs(float(problem.inner.gradient(problem.start)[0, 0]))
    c = C_L * problem.constants.L / C_beta
    Lambda = L_w**1.5 + 3 / 8 * c**2 * S_0 / a**1.5
    return float(((Lambda + 1.5 * c * math.sqrt(K * S_0)) ** (4 / 3) - Lambda ** (4 / 3)) / (2 * c * K))


def recursion(problem: Problem) -> tuple[float, float]:
    """Mean `√(sL_w)` of the recursion that the docstring derives, and `L_w` at the end of it."""
    a, C_L, C_beta, alpha = numbers(problem)
    gamma = float(problem.inner.gradient(np.zeros((1, 1)))[0, 0])
    L_w = a + C_L * abs(float(problem.inner.gradient(problem.start)[0, 0]))
    y = alpha * float(problem.inner.hvp(problem.start, np.ones(1))[0, 0]) - 1
    s, total = (gamma * y) ** 2 / L_w, 0.0
    for _ in range(int(problem.made_for["K"])):
        G = math.sqrt(s * L_w)
        total += G
        L_w += C_L * (1 + G / gamma) / alpha * G / (C_beta * L_w)
    return total / problem.made_for["K"], L_w


def test_the_run_is_the_recursion_and_every_step_counts_the_same() -> None:
    problem = runaway()
    a, C_L, C_beta, alpha = numbers(problem)
    s = Schedule(N=1, alpha=alpha, C_beta=C_beta, K=problem.made_for["K"])
    trajectory = run("exact", problem, problem.constants, s, problem.start, np.random.default_rng(0))
    fall = -np.diff(trajectory.objective[0])
    assert fall.max() / fall.min() - 1 < 1e-4
    mean, end = recursion(problem)
    assert trajectory.gradient_norm.mean() == pytest.approx(mean, rel=1e-4)
    last = abs(float(problem.inner.gradient(trajectory.points[0, -1:])[0, 0]))
    assert a + C_L * last == pytest.approx(end, rel=1e-3)


@pytest.mark.parametrize("K", SETTINGS)
def test_the_bound_at_every_stepsize_is_nearly_attained_and_the_exponent_is_a_third(K: int) -> None:
    plateau, overshoot, least, frozen = SETTINGS[K]
    problem = runaway(L=0.6, rho=4.1, plateau=plateau, overshoot=overshoot, steps=K)
    mean, end = recursion(problem)
    assert least < mean / bound(problem) <= 1
    a, C_L, C_beta, alpha = numbers(problem)
    S_0 = C_beta * problem.initial_gap(alpha, 1) / (1 - 1 / (2 * C_beta))
    start = a + C_L * abs(float(problem.inner.gradient(problem.start)[0, 0]))
    assert mean > frozen * math.sqrt(start * S_0 / K)  # which would fall like K^{−1/2}
    assert end > 2 * start


def test_what_cannot_be_built_is_one_line() -> None:
    with pytest.raises(ValueError, match=r"^overshoot = 1\.3 is not allowed: overshoot must be < 1$"):
        runaway(overshoot=1.3)
    with pytest.raises(ValueError, match=r"^plateau = 0\.05 is not allowed: with 20000 steps l'' would rise faster"):
        runaway(plateau=0.05)
