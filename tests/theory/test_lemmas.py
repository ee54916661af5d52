"""Lemma bounds against the recursions of their proofs, run step by step."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from theory.constants import Constants, Schedule
from theory.growth import stepsize_cap
from theory.paper import Paper
from theory.validation import PremiseError

RESAMPLING = Constants(L=2.3, rho=1.7, sigma=0.6, sigma_g=1.9, sigma_H=0.8, b=0.0, b_sq=0.0)
FINITE_SUM = Constants(L=2.3, rho=1.7, sigma=0.6, sigma_g=0.0, sigma_H=0.0, b=0.4, b_sq=0.31)


def schedule(N: int, share: float = 0.8, **fields: float) -> Schedule:
    return Schedule(N=N, alpha=share * stepsize_cap(RESAMPLING, max(N, 1)), **fields)


@pytest.mark.parametrize("N", [0, 1, 2, 6, 25])
def test_path_growth_and_displacement_follow_their_recursions(N: int) -> None:
    s = schedule(N)
    p = Paper(RESAMPLING, s)
    step = 1 + s.alpha * 2.3
    distance, gradient, displacement = 0.7, 3.1, 0.0
    for j in range(N + 1):
        assert p.path(j, 0.7) == pytest.approx(distance, rel=1e-13, abs=0)
        assert p.gradient_growth(j, 3.1) == pytest.approx(gradient, rel=1e-13, abs=0)
        assert p.displacement(j, 3.1) == pytest.approx(displacement, rel=1e-13, abs=0)
        displacement += s.alpha * gradient
        distance, gradient = step * distance, step * gradient


@pytest.mark.parametrize("N", [0, 1, 2, 6, 25])
def test_deviations_follow_their_recursions(N: int) -> None:
    s = schedule(N, S=7)
    p = Paper(RESAMPLING, s)
    step = 1 + s.alpha * 2.3
    mean, mean_square = 0.0, 0.0
    for j in range(N + 1):
        assert p.deviation(j) == pytest.approx(mean, rel=1e-13, abs=0)
        assert p.deviation_squared(j) == pytest.approx(mean_square, rel=1e-13, abs=0)
        mean = step * mean + s.alpha * 1.9 / 7**0.5
        mean_square = step**2 * mean_square + s.alpha**2 * 1.9**2 / 7


@pytest.mark.parametrize("N", [1, 2, 6])
@pytest.mark.parametrize("c", [RESAMPLING, FINITE_SUM])
def test_link_is_the_fixed_point_of_its_inequality(c: Constants, N: int) -> None:
    # ‖∇l‖ ≤ ‖∇L‖ + C_2 (‖∇l‖ + σ) + m, iterated to its fixed point.
    s = schedule(N)
    p = Paper(c, s)
    q = 1 + s.alpha * 2.3
    m = q**N * (q**N - 1) * c.b
    gradient = 0.0
    for _ in range(400):
        gradient = 0.9 + (q ** (2 * N) - 1) * (gradient + 0.6) + m
    assert p.link(0.9) == pytest.approx(gradient, rel=1e-12, abs=0)
    assert p.link_tasks(0.9) == pytest.approx(gradient + 0.6, rel=1e-12, abs=0)


@pytest.mark.parametrize("N", [1, 3, 8])
def test_link_is_attained_by_one_convex_quadratic(N: int) -> None:
    # On curvature −L the meta-gradient is q^{2N} ∇l; on +L it is (1 − αL)^{2N} ∇l, and with σ = 0 LINK is nearly
    # attained there as αL → 0.
    c = Constants(L=2.3, rho=0.0, sigma=0.0, sigma_g=0.0, sigma_H=0.0, b=0.0, b_sq=0.0)
    s = Schedule(N=N, alpha=1e-4)
    meta_gradient_norm = (1 - 1e-4 * 2.3) ** (2 * N) * 5.0
    assert 5.0 <= Paper(c, s).link(meta_gradient_norm) <= 5.0 * (1 + 3 * (2 * N * 2.3e-4) ** 2)


def test_link_mismatch_is_attained_by_the_concave_quadratic() -> None:
    # l_T = −(L/2)x², l_S = l_T + bx: w̃_N = q^N x − b(q^N − 1)/L, so ∇L = −q^N (q^N L x − b(q^N − 1)).
    s = schedule(4)
    q = 1 + s.alpha * 2.3
    b = 0.4
    meta_gradient_at_zero = q**4 * (q**4 - 1) * b
    assert Paper(FINITE_SUM, s).m == pytest.approx(meta_gradient_at_zero, rel=1e-13, abs=0)


@given(N=st.integers(0, 10**5), share=st.floats(0, 0.999))
def test_C_1_and_C_2_share_one(N: int, share: float) -> None:
    p = Paper(RESAMPLING, schedule(N, share))
    assert pytest.approx(1, abs=1e-15) == p.C_1 + p.C_2
    assert 0 < p.C_1 <= 1


def test_arrays_broadcast() -> None:
    s = Schedule(N=np.array([0, 1, 2]), alpha=np.array([[0.0], [0.02]]), S=np.array([1, 4, 9])[:, None, None])
    p = Paper(RESAMPLING, s)
    assert p.deviation(s.N).shape == (3, 2, 3)
    assert p.link(np.ones((3, 1, 1))).shape == (3, 2, 3)
    assert p.deviation(s.N)[2, 1, 2] == Paper(RESAMPLING, Schedule(N=2, alpha=0.02, S=9)).deviation(2)


@pytest.mark.parametrize("link", [Paper.link, Paper.link_tasks])
def test_link_does_not_speak_past_the_cap(link: Callable[..., Any]) -> None:
    with pytest.raises(PremiseError, match="alpha"):
        link(Paper(RESAMPLING, schedule(3, share=1.0)), 1.0)
    assert link(Paper(RESAMPLING, schedule(3, share=0.999)), 1.0) > 1
