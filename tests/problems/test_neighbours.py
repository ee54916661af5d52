"""The instances of the neighbours: they sit at fixed points, and the meta-gradient there is as their docstrings say."""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest

from problems.problem import Problem
from problems.registry import family
from theory.loss import Array
from theory.maml import Direction, adapt, meta_gradient
from theory.neighbours.first_order import first_order
from theory.neighbours.hessian_free import hessian_free
from theory.neighbours.reptile import reptile

SETTINGS = [(1, 0.3), (2, 0.17), (5, 0.04)]


def at_start(problem: Problem, direction: Direction, alpha_L: float, N: int) -> Array:
    """Directions of both tasks at the fixed point, over σ."""
    alpha, w = alpha_L / problem.constants.L, problem.start[None]
    return direction(w, alpha, N, problem.inner, problem.outer)[:, 0] / problem.constants.sigma


@pytest.mark.parametrize(("N", "alpha_L"), SETTINGS)
def test_first_order_maml_rests_in_the_spikes(N: int, alpha_L: float) -> None:
    problem, q, p = family("spikes").build(N, alpha_L, L=0.8, rho=3.1, steepness=1e6), 1 + alpha_L, 1 - alpha_L
    last, meta = (at_start(problem, d, alpha_L, N) for d in (first_order, meta_gradient))
    assert abs(last.sum()) < 1e-12
    np.testing.assert_allclose(meta / last, [q**N, p**N], rtol=1e-6)
    np.testing.assert_allclose(last[0], q**N, rtol=1e-4)


@pytest.mark.parametrize(("N", "alpha_L"), SETTINGS)
def test_hessian_free_maml_rests_between_the_teeth(N: int, alpha_L: float) -> None:
    problem = family("tooth-twins").build(N, alpha_L, L=0.8, rho=3.1, width=0.03)
    delta = 0.03 * 0.8 / 3.1
    free = at_start(problem, partial(hessian_free, step=delta), alpha_L, N)
    meta = at_start(problem, meta_gradient, alpha_L, N)
    assert abs(free.sum()) < 1e-9
    half = alpha_L * 0.03 / 2
    np.testing.assert_allclose(free / meta, [(1 - half) ** N, (1 + half) ** N], rtol=1e-9)
    assert meta.mean() == pytest.approx(N * half, rel=0.02)


@pytest.mark.parametrize(("N", "alpha_L"), SETTINGS)
def test_reptile_rests_on_the_offset_cusp(N: int, alpha_L: float) -> None:
    problem, q, p = family("offset-cusp").build(N, alpha_L, L=0.8, rho=3.1), 1 + alpha_L, 1 - alpha_L
    mean_q, mean_p = (sum(z**j for j in range(N)) / N for z in (q, p))
    mean, meta = (at_start(problem, d, alpha_L, N) for d in (reptile, meta_gradient))
    assert abs(mean.sum()) < 1e-12
    np.testing.assert_allclose(meta / mean, [q ** (2 * N) / mean_q, p ** (2 * N) / mean_p], rtol=1e-9)


@pytest.mark.parametrize(("N", "alpha_L"), SETTINGS)
@pytest.mark.parametrize("m", [1, 4, 10])
def test_late_bend_is_stationary_for_its_own_steps_only(m: int, N: int, alpha_L: float) -> None:
    problem, q, p = family("late-bend").build(N, alpha_L, L=0.8, rho=3.1), 1 + alpha_L, 1 - alpha_L
    here, there = (at_start(problem, meta_gradient, alpha_L, n) for n in (N, N + m))
    assert abs(here.sum()) < 1e-12
    np.testing.assert_allclose(there / here, [q ** (2 * m), p ** (2 * m)], rtol=1e-9)


@pytest.mark.parametrize(("N", "alpha_L"), SETTINGS)
def test_valleys_lie_at_the_points_of_the_path(N: int, alpha_L: float) -> None:
    problem = family("valleys").build(N, alpha_L, L=0.8, rho=3.1)
    path = np.array(adapt(problem.start[None], alpha_L / 0.8, [problem.inner] * N)[:N])
    t = problem.scale / 2
    bottom, *flanks = (problem.inner.hvp(path + x, np.ones(1)) for x in (0.0, -t, t))
    np.testing.assert_allclose(bottom, -0.8, rtol=1e-9)
    np.testing.assert_allclose(flanks, -0.8 + 3.1 * t, rtol=1e-9)
