"""Powers of q, their sum and the stepsize cap, against exact rational arithmetic."""

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from theory.constants import Constants, Schedule
from theory.extended import plain
from theory.growth import recommended_stepsize, stepsize_cap, stepsize_cap_limit
from theory.paper import Paper
from theory.validation import PremiseError

EPS = np.finfo(float).eps
CONSTANTS = Constants(L=2.5)


def exact_q(alpha: float, L: float) -> Fraction:
    return 1 + Fraction(alpha) * Fraction(L)


@pytest.mark.parametrize("alpha", [0.0, 1e-300, 4e-10, 0.013, 0.4, 3.0])
@pytest.mark.parametrize("j", [0, 1, 2, 7, 40])
def test_growth_and_its_excess_are_exact_to_rounding(alpha: float, j: int) -> None:
    s = Schedule(N=1, alpha=alpha)
    p = Paper(CONSTANTS, s)
    power = exact_q(alpha, 2.5) ** j
    # exp and expm1 amplify the rounding of the exponent by the exponent itself.
    tolerance = EPS * (8 + 4 * math.log(power))
    assert p.q(j) == pytest.approx(float(power), rel=tolerance, abs=0)
    assert p.e(j) == pytest.approx(float(power - 1), rel=tolerance, abs=0)


@pytest.mark.parametrize("alpha", [0.0, 1e-300, 4e-10, 0.003, 0.013, 0.079, 0.081, 0.4, 3.0])
@pytest.mark.parametrize("N", [0, 1, 2, 3, 8, 40])
def test_excess_sum_does_not_cancel(alpha: float, N: int) -> None:
    exact = sum(exact_q(alpha, 2.5) ** j - 1 for j in range(N))
    # At Nx just above ½ the closed form loses a factor (2 + x)/x ≤ 10 at most; then the exponent's rounding.
    tolerance = EPS * (20 + 4 * N * math.log1p(2.5 * alpha))
    assert Paper(CONSTANTS, Schedule(N=N, alpha=alpha)).excess_sum == pytest.approx(float(exact), rel=tolerance, abs=0)


def test_powers_overflow_to_infinity_and_never_to_nan() -> None:
    s = Schedule(N=np.array([0, 1, 1e3, 1e300]), alpha=np.array([[0.0], [1e-9], [7.0]]))
    p = Paper(CONSTANTS, s)
    for value in (plain(p.q(2 * s.N)), plain(p.e(s.N)), plain(p.excess_sum)):
        assert value.shape == (3, 4)
        assert not np.isnan(value).any()
        assert np.isinf(value[2, 3])
    np.testing.assert_array_equal(plain(p.excess_sum)[0], 0)
    np.testing.assert_allclose(plain(p.q(2 * s.N - 1))[:, 0], 1 / (1 + 2.5 * s.alpha[:, 0]), rtol=8 * EPS)


@pytest.mark.parametrize("N", [1, 2, 5, 50, 1000])
def test_cap_is_where_q_to_the_2N_is_two(N: int) -> None:
    cap = float(stepsize_cap(CONSTANTS, N))
    below, above = (float(exact_q(cap * (1 + side * 1e-13), 2.5) ** (2 * N)) for side in (-1, 1))
    assert below < 2 < above


def test_cap_falls_like_its_limit_from_above() -> None:
    N = np.array([1.0, 2, 5, 20, 100, 1e4])
    scaled = N * stepsize_cap(CONSTANTS, N)
    limit = N * stepsize_cap_limit(CONSTANTS, N)
    np.testing.assert_allclose(limit, math.log(2) / 5, rtol=4 * EPS)
    assert (np.diff(scaled) < 0).all()
    assert (scaled > limit).all()
    # 2^{1/2N} − 1 = y + y²/2 + …, y = ln 2/(2N)
    np.testing.assert_allclose(scaled / limit - 1, math.log(2) / (4 * N), rtol=0.15)


def test_recommended_stepsize_keeps_the_growth_below_exp_quarter() -> None:
    N = np.arange(1.0, 200)
    alpha = recommended_stepsize(CONSTANTS, N)
    np.testing.assert_allclose(alpha * 8 * N * 2.5, 1, rtol=4 * EPS)
    powers = plain(Paper(CONSTANTS, Schedule(N=N, alpha=alpha)).q(2 * N))
    assert (powers < math.exp(0.25)).all()
    assert powers[-1] > math.exp(0.25) * (1 - 1e-3)
    assert recommended_stepsize(CONSTANTS, 0) == recommended_stepsize(CONSTANTS, 1)


def test_no_inner_step_needs_no_cap() -> None:
    assert stepsize_cap(CONSTANTS, 0) == math.inf
    assert stepsize_cap_limit(CONSTANTS, 0) == math.inf
    assert Paper(CONSTANTS, Schedule(N=0, alpha=1e6)).within_cap


@given(N=st.integers(1, 10**6), L=st.floats(1e-3, 1e3), side=st.floats(0.5, 1.5))
def test_within_cap_means_a_positive_C_1(N: int, L: float, side: float) -> None:
    c = Constants(L=L)
    p = Paper(c, Schedule(N=N, alpha=side * stepsize_cap(c, N)))
    assert p.within_cap == (side < 1) or abs(side - 1) < 1e-12
    if p.within_cap:
        assert p.C_1 > 0
    else:
        with pytest.raises(PremiseError, match=r"^alpha = .* is not allowed: alpha must be < .*, the cap at N = "):
            p.C_1  # noqa: B018


def test_the_cap_itself_is_not_within_it() -> None:
    """Also where rounding leaves q^{2N} below 2."""
    N = np.arange(1.0, 2001)
    p = Paper(CONSTANTS, Schedule(N=N, alpha=stepsize_cap(CONSTANTS, N)))
    assert (p.e(2 * N) < 1).any()
    assert not p.within_cap.any()


def test_past_the_cap_the_element_that_breaks_it_is_named() -> None:
    p = Paper(CONSTANTS, Schedule(N=np.array([1, 4]), alpha=0.1))
    assert p.within_cap.tolist() == [True, False]
    with pytest.raises(PremiseError, match=r"^alpha = 0\.1000.* must be < 0\.0362.*, the cap at N = 4$"):
        p.require_cap()
