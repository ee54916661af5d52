"""LINK is attained on cusps as αL falls, SECOND MOMENT within a factor 2."""

import numpy as np
import pytest

from problems.cusp import cusp, cusp_mismatch
from problems.problem import Problem
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


def link_ratio(problem: Problem, s: Schedule) -> float:
    task, meta = gradients(problem, s, 0)
    assert abs(meta.mean()) < 1e-9 * np.abs(meta).max() + 1e-12
    return float(abs(task.mean()) / Paper(problem.constants, s).link(abs(meta.mean())))


@pytest.mark.parametrize("N", STEPS)
def test_cusp_attains_link_as_the_stepsize_falls(N: int) -> None:
    """The ratio is (C_1/C_2)(q^{2N} − p)/(q^{2N} + p), p = (1 − αL)^{2N}, but for the smoothing of the cusp."""
    for alpha_L, least in ((1 / (8 * N), 0.61), (1 / (100 * N), 0.96), (1 / (1000 * N), 0.995)):
        problem = cusp(N, alpha_L)
        s = schedule(problem, N, alpha_L)
        c, concave, convex = problem.constants, (1 + alpha_L) ** (2 * N), (1 - alpha_L) ** (2 * N)
        p = Paper(c, s)
        predicted = p.C_1 / p.C_2 * (concave - convex) / (concave + convex) / (1 + 1 / 10_000)
        ratio = link_ratio(problem, s)
        assert least < ratio <= 1
        assert ratio == pytest.approx(predicted, rel=1e-9)


def test_cusp_attains_link_the_better_the_less_it_is_smoothed() -> None:
    ratios = []
    for steepness in (10.0, 100.0, 1000.0):
        problem = cusp(5, 0.0001, L=0.6, rho=4.1, steepness=steepness)
        ratios.append(link_ratio(problem, schedule(problem, 5, 0.0001)))
    np.testing.assert_allclose(ratios, [10 / 11, 100 / 101, 1000 / 1001], rtol=2e-3)
    assert ratios[-1] > 0.997


@pytest.mark.parametrize("N", STEPS)
def test_cusp_refutes_link_with_half_of_the_spread_or_none(N: int) -> None:
    problem = cusp(N, 1 / (8 * N))
    c, s = problem.constants, schedule(problem, N, 1 / (8 * N))
    p = Paper(c, s)
    task, meta = gradients(problem, s, 0)
    for share in (0.0, 0.5):
        assert abs(task.mean()) > (abs(meta.mean()) + share * p.C_2 * c.sigma) / p.C_1
    assert np.abs(task).mean() <= p.link_tasks(abs(meta.mean()))
    assert np.abs(task).mean() > 0.7 * p.link_tasks(abs(meta.mean()))


@pytest.mark.parametrize("N", STEPS)
def test_cusp_mismatch_attains_link_as_the_stepsize_falls_and_needs_m(N: int) -> None:
    for alpha_L, least in ((1 / (8 * N), 0.63), (1 / (100 * N), 0.96), (1 / (1000 * N), 0.995)):
        problem = cusp_mismatch(N, alpha_L, L=0.6, mismatch=5.3)
        s = schedule(problem, N, alpha_L)
        p = Paper(problem.constants, s)
        assert least < link_ratio(problem, s) <= 1
        task, meta = gradients(problem, s, 0)
        for share in (0.0, 0.5):
            m = share * p.m
            assert abs(task.mean()) > (abs(meta.mean()) + m) / p.C_1


@pytest.mark.parametrize("N", STEPS)
def test_cusp_refutes_a_quarter_of_the_spread_in_the_second_moment(N: int) -> None:
    for alpha_L, least in ((1 / (8 * N), 0.38), (1 / (1000 * N), 0.498)):
        problem = cusp(N, alpha_L)
        c, s = problem.constants, schedule(problem, N, alpha_L)
        p = Paper(c, s)
        _, meta = gradients(problem, s, 1)
        assert abs(meta.mean()) < 1e-9 * c.sigma
        measured = (meta**2).mean()
        assert measured == pytest.approx(p.q(4 * N) * c.sigma**2, rel=1e-9)
        assert least < measured / p.second_moment(abs(meta.mean())) <= 0.5
        spread = p.V * 2 * p.q(2 * N) * (2 * (p.C_2 / p.C_1) ** 2 + 1) * c.sigma**2
        assert p.C_sq2 == pytest.approx(spread)
        assert measured > p.second_moment(abs(meta.mean())) - 0.75 * spread
