"""Bias and second moment of the estimators, against the chains of inequalities of their proofs."""

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
INNER_STEPS = [0, 1, 2, 6, 25]


def schedule(N: int, share: float = 0.8) -> Schedule:
    return Schedule(N=N, alpha=share * stepsize_cap(RESAMPLING, max(N, 1)), S=7, D=3, T=5)


@pytest.mark.parametrize("N", INNER_STEPS)
def test_bias_of_a_task_is_the_chain_of_the_proof(N: int) -> None:
    s, gradient = schedule(N), 3.1
    q = 1 + s.alpha * 2.3
    deviations = [0.0]
    for _ in range(N):
        deviations.append(q * deviations[-1] + s.alpha * 1.9 / 7**0.5)
    at_the_end = q**N * 2.3 * deviations[N]
    along_the_path = q ** (N - 1) * s.alpha * 1.7 * sum(deviations[:N]) * q**N * gradient
    assert Paper(RESAMPLING, s).task_bias(gradient) == pytest.approx(at_the_end + along_the_path, rel=1e-12, abs=0)


@pytest.mark.parametrize("N", INNER_STEPS)
def test_bias_over_tasks_is_the_bias_of_a_task_at_the_linked_gradient(N: int) -> None:
    s = schedule(N)
    p = Paper(RESAMPLING, s)
    linked = p.task_bias(p.link_tasks(0.9))
    assert p.bias(0.9) == pytest.approx(linked, rel=1e-12, abs=0)


def test_E_2_is_zero_up_to_one_inner_step() -> None:
    for N in (0, 1):
        assert Paper(RESAMPLING, schedule(N)).E_2 == 0
        assert Paper(Constants(L=2.3, sigma=0.6, sigma_g=1.9), schedule(N)).E_2 == 0  # an unknown ρ costs nothing here
    assert Paper(RESAMPLING, schedule(2)).E_2 > 0
    assert Paper(RESAMPLING, schedule(0)).E_1 == 0


@pytest.mark.parametrize("N", INNER_STEPS)
def test_second_moment_of_a_task_is_the_chain_of_the_proof(N: int) -> None:
    s = schedule(N)
    p = Paper(RESAMPLING, s)
    q = 1 + s.alpha * 2.3
    gradient, factors = 3.1, 1.0
    for _ in range(N):
        gradient = q * gradient + s.alpha * 2.3 * 1.9 / 7**0.5
        factors *= q**2 + s.alpha**2 * 0.8**2 / 3
    assert pytest.approx(factors, rel=1e-12, abs=0) == p.V
    expected = factors * (gradient**2 + 1.9**2 / 5)
    assert p.task_second_moment(3.1) == pytest.approx(expected, rel=1e-12, abs=0)


@pytest.mark.parametrize("N", INNER_STEPS)
def test_second_moment_over_tasks_is_the_chain_of_the_proof(N: int) -> None:
    s = schedule(N)
    p = Paper(RESAMPLING, s)
    q, x = 1 + s.alpha * 2.3, 0.9
    C_1, C_2 = 2 - q ** (2 * N), q ** (2 * N) - 1
    mean_square = 2 * (x / C_1) ** 2 + 2 * (C_2 * 0.6 / C_1) ** 2 + 0.6**2  # E_i‖∇l_i‖² from LINK and the spread
    outer = 2 * q ** (2 * N) * mean_square + 2 * (q**N - 1) ** 2 * 1.9**2 / 7 + 1.9**2 / 5
    expected = p.V * outer
    assert p.second_moment(x) == pytest.approx(expected, rel=1e-12, abs=0)


@pytest.mark.parametrize("N", INNER_STEPS)
def test_finite_sum_second_moment_is_the_chain_of_the_proof(N: int) -> None:
    s = schedule(N)
    q, x = 1 + s.alpha * 2.3, 0.9
    C_1, C_2 = 2 - q ** (2 * N), q ** (2 * N) - 1
    m = q**N * (q**N - 1) * 0.4
    mean_square = 2 * (x / C_1) ** 2 + 2 * ((C_2 * 0.6 + m) / C_1) ** 2 + 0.6**2
    expected = 2 * q ** (4 * N) * mean_square + 2 * (q**N * (q**N - 1)) ** 2 * 0.31
    assert Paper(FINITE_SUM, s).finite_sum_second_moment(x) == pytest.approx(expected, rel=1e-12, abs=0)


@given(x=st.floats(0, 1e3), N=st.integers(0, 30), share=st.floats(0, 0.95))
def test_second_moments_over_tasks_dominate_those_of_equal_tasks(x: float, N: int, share: float) -> None:
    # All tasks at the linked gradient, exact and without (x + y)² ≤ 2x² + 2y².
    s = schedule(N, share)
    q = 1 + s.alpha * 2.3
    equal = Paper(RESAMPLING, s).task_second_moment(Paper(RESAMPLING, s).link(x))
    assert equal <= Paper(RESAMPLING, s).second_moment(x) * (1 + 1e-12)
    exact = (q ** (2 * N) * Paper(FINITE_SUM, s).link(x) + q**N * (q**N - 1) * 0.4) ** 2
    assert exact <= Paper(FINITE_SUM, s).finite_sum_second_moment(x) * (1 + 1e-12)


def test_finite_sum_without_mismatch_is_resampling_without_noise() -> None:
    quiet = Constants(L=2.3, rho=1.7, sigma=0.6, sigma_g=0.0, sigma_H=0.0, b=0.0, b_sq=0.0)
    s = schedule(4)
    p = Paper(quiet, s)
    assert p.A_sq1 == pytest.approx(p.C_sq1, rel=1e-13, abs=0)
    assert p.A_sq2 == pytest.approx(p.C_sq2, rel=1e-13, abs=0)


def test_batches_lower_every_bound_and_the_stepsize_raises_it() -> None:
    batch = np.array([1.0, 2, 10, 1e6])
    alpha = schedule(4).alpha
    for bound in (Paper.bias, Paper.second_moment):
        by_S = bound(Paper(RESAMPLING, Schedule(N=4, alpha=alpha, S=batch)), 0.9)
        by_alpha = bound(Paper(RESAMPLING, Schedule(N=4, alpha=alpha * np.linspace(0, 1, 5))), 0.9)
        assert (np.diff(by_S) < 0).all()
        assert (np.diff(by_alpha) > 0).all()
    for name in ("D", "T"):
        by_batch = Paper(RESAMPLING, Schedule(N=4, alpha=alpha, **{name: batch})).second_moment(0.9)
        assert (np.diff(by_batch) < 0).all()


@pytest.mark.parametrize("over_tasks", [Paper.bias, Paper.second_moment, Paper.finite_sum_second_moment])
def test_bounds_over_tasks_stop_at_the_cap(over_tasks: Callable[..., Any]) -> None:
    with pytest.raises(PremiseError, match="alpha"):
        over_tasks(Paper(RESAMPLING, schedule(3, share=1.0)), 1.0)


def test_bounds_per_task_go_on_past_the_cap() -> None:
    p = Paper(RESAMPLING, Schedule(N=np.array([3, 2000]), alpha=2.0))
    for values in (p.task_bias(1.0), p.task_second_moment(1.0)):
        assert np.isfinite(values[0])
        assert np.isinf(values[1])
