"""How an inner step can grow things: `q = 1 + αL`, its powers, and the stepsize cap `q^{2N} < 2`."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from theory.constants import Constants, Real, Schedule
from theory.extended import product, ratio, total
from theory.validation import PremiseError, integer


def q(c: Constants, s: Schedule) -> Real:
    """Growth `q = 1 + αL` of one inner step. Source: Ji, Yang, Liang (2022)."""
    return total(1.0, product(s.alpha, c.L))


def growth(c: Constants, s: Schedule, j: Real) -> Real:
    """Growth `q^j` of j inner steps; ∞ where it overflows.

    `j` is an integer ≥ −1 (−1 serves `q^{N−1}` at N = 0), or an array. Raises ValueError for any other `j`.

    Source: Ji, Yang, Liang (2022).

    >>> float(growth(Constants(L=2.0), Schedule(N=3, alpha=0.25), 2))
    2.25
    """
    integer("j", j, low=-1)
    with np.errstate(over="ignore"):
        result: Real = np.exp(_log_growth(c, s, j))
    return result


def growth_excess(c: Constants, s: Schedule, j: Real) -> Real:
    """`q^j − 1`, without cancellation for small αL. Arguments, errors and source as `growth`."""
    integer("j", j, low=-1)
    with np.errstate(over="ignore"):
        result: Real = np.expm1(_log_growth(c, s, j))
    return result


def _log_growth(c: Constants, s: Schedule, j: Real) -> Real:
    """`j ln q`, exact to rounding for small αL."""
    log_q = np.log1p(product(s.alpha, c.L))
    return np.multiply(np.sign(j), product(np.abs(j), log_q))


def excess_sum(c: Constants, s: Schedule) -> Real:
    """`Σ_{j<N} (q^j − 1) = (q^N − 1)/(αL) − N`, without cancellation for small αL.

    Source: Ji, Yang, Liang (2022); the sum in the bias of Algorithm 1.

    >>> float(excess_sum(Constants(L=2.0), Schedule(N=3, alpha=0.25)))  # 0 + 0.5 + 1.25
    1.75
    """
    x, N = product(s.alpha, c.L), s.N
    # (q^N − 1)/x − N = Σ_{k≥2} C(N, k) x^{k−1}: for Nx ≤ ½ twenty terms reach float64, and none is negative.
    small = np.less_equal(product(N, x), 0.5)
    x_small = np.where(small, x, 0.0)
    term, series = N, np.zeros(small.shape)
    for k in range(1, 21):
        term = term * (np.maximum(N - k, 0.0) * x_small) / (k + 1)
        series = series + term
    closed = ratio(growth_excess(c, s, N), np.where(small, 1.0, x)) - N
    result: Real = np.where(small, series, np.where(np.less_equal(N, 1), 0.0, closed))[()]
    return result


def stepsize_cap(c: Constants, N: Real) -> Real:
    """`α_cap(N) = (2^{1/(2N)} − 1)/L`: the theorems need `α < α_cap`, that is `q^{2N} < 2`. Infinite at N = 0.

    Raises ValueError where `N` is not an integer ≥ 0.

    Source: Ji, Yang, Liang (2022), the stepsize condition of every theorem.

    >>> round(float(stepsize_cap(Constants(L=2.0), 1)), 6)
    0.207107
    """
    integer("N", N, low=0)
    with np.errstate(divide="ignore"):
        result: Real = np.expm1(np.divide(np.log(2), np.multiply(2, N))) / c.L
    return result


def stepsize_cap_limit(c: Constants, N: Real) -> Real:
    """`ln 2/(2LN)`, what `α_cap(N)` approaches from above as N grows. Arguments and errors as `stepsize_cap`."""
    integer("N", N, low=0)
    with np.errstate(divide="ignore"):
        result: Real = np.divide(np.log(2), np.multiply(2 * c.L, N))
    return result


def recommended_stepsize(c: Constants, N: Real) -> Real:
    """`α = 1/(8NL)`, where `q^{2N} ≤ e^{1/4}`; at N = 0, where α plays no part, the value of N = 1.

    Raises ValueError where `N` is not an integer ≥ 0. Source: Ji, Yang, Liang (2022), the complexity corollaries.
    """
    integer("N", N, low=0)
    result: Real = 1 / np.multiply(8 * c.L, np.maximum(N, 1))
    return result


def within_cap(c: Constants, s: Schedule) -> npt.NDArray[np.bool_]:
    """Whether `α < α_cap(N)` (then `q^{2N} < 2` also in float64), elementwise; never raises."""
    return np.asarray(np.less(s.alpha, stepsize_cap(c, s.N)) & np.less(growth_excess(c, s, 2 * s.N), 1))


def require_cap(c: Constants, s: Schedule) -> None:
    """Raise PremiseError where `α ≥ α_cap(N)` for any element of the schedule."""
    ok = within_cap(c, s)
    if not ok.all():
        alpha, N = (np.broadcast_to(field, ok.shape)[~ok].flat[0] for field in (s.alpha, s.N))
        cap = stepsize_cap(c, float(N))
        raise PremiseError(f"alpha = {alpha:.17g} is not allowed: alpha must be < {cap:.17g}, the cap at N = {N:g}")
