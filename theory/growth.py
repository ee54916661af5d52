"""How an inner step can grow things: `q = 1 + αL`, its powers, and the stepsize cap `q^{2N} < 2`."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from theory.constants import Constants, Real, Schedule
from theory.extended import Extended, Number, choose, exp, expm1, log1p, maximum, plain
from theory.symbols import Symbols, power, symbol
from theory.validation import PremiseError, integer


class Growth(Symbols):
    """Growth along the inner path. Source: Ji, Yang, Liang (2022), where not said otherwise."""

    @symbol
    def log_q(p) -> Extended:
        """`ln q`, exact to rounding for small αL."""
        return log1p(p.alpha * p.L)

    @power
    def q(p, j: Number) -> Extended:
        """Growth `q^j` of j inner steps, `q = 1 + αL`.

        `j` is an integer ≥ −1 (−1 serves `q^{N−1}` at N = 0), or an array; ValueError for any other `j`.

        >>> float(Growth(Constants(L=2.0), Schedule(N=3, alpha=0.25)).q(2))
        2.25
        """
        steps = plain(j)
        integer("j", steps, low=-1)
        size = p.log_q * np.abs(steps)
        return exp(choose(steps < 0, 0 - size, size))

    @power
    def e(p, j: Number) -> Extended:
        """Excess `q^j − 1` of the growth of j ≥ 0 inner steps, without cancellation for small αL."""
        integer("j", plain(j), low=0)
        return expm1(p.log_q * j)

    @symbol
    def excess_sum(p) -> Extended:
        """`Σ_{j<N} (q^j − 1) = (q^N − 1)/(αL) − N`, without cancellation for small αL; in the bias of Algorithm 1."""
        x = p.alpha * p.L
        small = p.N * x <= 0.5
        series = _binomial_series(plain(p.N), choose(small, x, 0.0))
        closed = p.e(p.N) / choose(small, 1.0, x) - p.N
        return Extended(choose(small, series, choose(p.N <= 1, 0.0, closed)))

    @symbol
    def cap(p) -> Extended:
        """`α_cap(N) = (2^{1/(2N)} − 1)/L`: the theorems need `α < α_cap`, that is `q^{2N} < 2`. Infinite at N = 0."""
        return expm1(Extended(math.log(2)) / (2 * p.N)) / p.L

    @property
    def within_cap(p) -> Any:
        """Whether `α < α_cap(N)` (then `q^{2N} < 2` also in float64), elementwise."""
        return (p.alpha < p.cap) & (p.e(2 * p.N) < 1)

    def require_cap(p) -> None:
        """Raise PremiseError where `α ≥ α_cap(N)` for any element of the schedule."""
        p.require_stepsize(p.within_cap, p.cap, "cap")

    def require_stepsize(p, allowed: Any, cap: Extended, name: str) -> None:
        """Raise PremiseError that names the first element of the schedule whose stepsize is not below a cap."""
        if np.all(allowed):
            return
        bad = ~np.asarray(allowed)
        alpha, N, below = (np.broadcast_to(x, bad.shape)[bad].flat[0] for x in (p.alpha, p.N, cap))
        raise PremiseError(
            f"alpha = {alpha:.17g} is not allowed: alpha must be < {below:.17g}, the {name} at N = {N:g}",
            f"α is past the {name}",
        )


def _binomial_series(N: Real, x: Real) -> Real:
    """`(q^N − 1)/x − N = Σ_{k≥2} C(N, k) x^{k−1}` for integer N: no term is negative, and Nx ≤ ½ needs twenty."""
    term, series = N, 0.0 * x
    for k in range(1, 21):
        term = term * ((N - k) * x) / (k + 1)
        series = series + term
    return series


def stepsize_cap(c: Constants, N: Real) -> Real:
    """`α_cap(N) = (2^{1/(2N)} − 1)/L`: the theorems need `α < α_cap`, that is `q^{2N} < 2`. Infinite at N = 0.

    Raises ValueError where `N` is not an integer ≥ 0.

    Source: Ji, Yang, Liang (2022), the stepsize condition of every theorem.

    >>> round(float(stepsize_cap(Constants(L=2.0), 1)), 6)
    0.207107
    """
    return plain(Growth(c, Schedule(N=N, alpha=0.0)).cap)


def stepsize_cap_limit(c: Constants, N: Real) -> Real:
    """`ln 2/(2LN)`, what `α_cap(N)` approaches from above as N grows. Arguments and errors as `stepsize_cap`."""
    integer("N", N, low=0)
    return plain(math.log(2) / (2 * c.L * Extended(N)))


def recommended_stepsize(c: Constants, N: Real) -> Real:
    """`α = 1/(8NL)`, where `q^{2N} ≤ e^{1/4}`; at N = 0, where α plays no part, the value of N = 1.

    Raises ValueError where `N` is not an integer ≥ 0. Source: Ji, Yang, Liang (2022), the complexity corollaries.
    """
    integer("N", N, low=0)
    return plain(1 / (8 * c.L * maximum(N, 1)))
