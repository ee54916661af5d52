"""SECOND MOMENT is within a factor 2 on rare mismatches."""

import numpy as np
import pytest

from problems.problem import Problem
from problems.rare import rare, rare_mismatch, rare_tuned
from theory.constants import Schedule
from theory.maml import meta_gradient
from theory.paper import Paper

STEPS = (1, 2, 5, 10, 20)


def schedule(problem: Problem, N: int, alpha_L: float) -> Schedule:
    return Schedule(N=N, alpha=alpha_L / problem.constants.L)


def gradients(problem: Problem, s: Schedule, probe: int) -> tuple[np.ndarray, np.ndarray]:
    """Test gradients and meta-gradients of all tasks at the exact probe, each (tasks,)."""
    w = problem.probes(probe + 1, np.random.default_rng(0))[probe]
    tasks = meta_gradient(w[None], float(s.alpha), int(s.N), problem.inner, problem.outer)[:, 0]
    return problem.outer.gradient(w[None])[:, 0], tasks


@pytest.mark.parametrize("N", STEPS)
def test_rare_mismatch_refutes_the_square_of_the_mean_mismatch(N: int) -> None:
    alpha_L = 1 / (8 * N)
    for tasks, least in ((64, 0.41), (4096, 0.498)):
        problem = rare_mismatch(N, alpha_L, L=0.6, rho=4.1, mismatch=5.3, tasks=tasks)
        c, s = problem.constants, schedule(problem, N, alpha_L)
        paper = Paper(c, s)
        _, meta = gradients(problem, s, 0)
        measured, q_N = (meta**2).mean(), (1 + alpha_L) ** N
        assert abs(meta.mean()) < 1e-13 * np.abs(meta).max()
        assert measured == pytest.approx((q_N * (q_N - 1)) ** 2 * c.b_sq, rel=1e-12)
        assert least < measured / paper.finite_sum_second_moment(abs(meta.mean())) <= 0.5
        wrong = (
            float(paper.A_sq1) * meta.mean() ** 2 + float(paper.A_sq2) - 2 * (q_N * (q_N - 1)) ** 2 * (c.b_sq - c.b**2)
        )
        assert measured > wrong


@pytest.mark.parametrize("N", [1, 2, 5])
@pytest.mark.parametrize("x", [0.02, 0.25, 0.6])
def test_rare_attains_the_own_second_moment(N: int, x: float) -> None:
    """It is `(√((Q + p)/(2p) m² + Q²σ²) + R√b_sq)²` at ∇L = 0; the ratio is 1 − O(1/tasks)."""
    alpha_L = x / (2 * N)
    q_N = (1 + alpha_L) ** N
    Q, R, p = q_N**2, q_N * (q_N - 1), (1 - alpha_L) ** N * (2 - q_N)
    for tasks in (200, 20_000):
        problem = rare(N, alpha_L, L=0.6, rho=4.1, mismatch=1.3, tasks=tasks)
        c, s = problem.constants, schedule(problem, N, alpha_L)
        _, meta = gradients(problem, s, 0)
        measured = (meta**2).mean()
        assert measured == pytest.approx((Q * c.sigma + R * np.sqrt(c.b_sq)) ** 2, rel=1e-10)
        X = np.sqrt((Q + p) / (2 * p) * (R * c.b) ** 2 + (Q * c.sigma) ** 2)
        assert 1 - 4 / tasks < measured / (X + R * np.sqrt(c.b_sq)) ** 2 <= 1
    wrong = (Q * c.sigma) ** 2 if R * c.b_sq > 0.1 * c.sigma**2 else 0.0
    assert measured > wrong


@pytest.mark.parametrize(("x", "least"), [(0.01, 0.9971), (0.001, 0.9988)])
@pytest.mark.parametrize("N", [1, 5])
def test_rare_tuned_attains_the_second_moment_of_the_paper(N: int, x: float, least: float) -> None:
    problem = rare_tuned(N, x / N, tasks=2048)
    c, s = problem.constants, schedule(problem, N, x / N)
    _, meta = gradients(problem, s, 0)
    ratio = (meta**2).mean() / Paper(c, s).finite_sum_second_moment(abs(meta.mean()))
    assert least < ratio <= 1
    Q = (1 + x / N) ** (2 * N)
    predicted = 1 / (1 + ((Q - 1 + Q * np.sqrt(2 / 2048)) / (2 - Q)) ** 2)
    assert ratio == pytest.approx(predicted, abs=2e-3)
