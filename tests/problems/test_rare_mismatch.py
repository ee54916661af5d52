"""SECOND MOMENT is within a factor 2 on rare mismatches."""

import numpy as np
import pytest

from problems.problem import Problem
from problems.rare_mismatch import rare_mismatch
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
        p = Paper(c, s)
        _, meta = gradients(problem, s, 0)
        measured, q_N = (meta**2).mean(), p.q(N)
        assert abs(meta.mean()) < 1e-13 * np.abs(meta).max()
        assert measured == pytest.approx((q_N * (q_N - 1)) ** 2 * c.b_sq, rel=1e-12)
        assert least < measured / p.finite_sum_second_moment(abs(meta.mean())) <= 0.5
        wrong = p.A_sq1 * meta.mean() ** 2 + p.A_sq2 - 2 * (q_N * (q_N - 1)) ** 2 * (c.b_sq - c.b**2)
        assert measured > wrong
