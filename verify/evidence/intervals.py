"""Confidence intervals that are valid at every sample size."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from theory.norm import inner_product, norm
from verify.verdict import EPS, Finding, Measured, Values

ROUNDINGS = 4096
"""A sample may overshoot its almost-sure range by so many roundings, as where the range is attained."""


@dataclass(frozen=True)
class Interval:
    """Estimates and their confidence limits, entry by entry: arrays of one shape."""

    estimate: Values
    lower: Values
    upper: Values


def exactly(values: Values) -> Interval:
    """Interval of values that are not sampled."""
    return Interval(values, values, values)


class RangeError(ValueError):
    """A sample lies outside of its almost-sure range: a bound on which the range rests is too small."""


def mean_interval(samples: Values, delta: float, low: npt.ArrayLike, high: npt.ArrayLike) -> Interval:
    """Two-sided interval for the mean of a bounded variable: the empirical Bernstein bound.

    With probability at least `1 − delta`, `|mean − E X| ≤ √(2 V x / n) + 7 R x / (3(n − 1))`, `V` the unbiased sample
    variance, `R = high − low`, `x = ln(4/δ)`: the one-sided bound, for `X` and for `−X`, at δ/2 each. It is valid for
    every law on `[low, high]` and every n ≥ 2, whatever the variance. A mean of norms and a second moment (a mean of
    squared norms) are means of bounded variables too. Rounding of the sum of n terms is added.

    Parameters
    ----------
    samples : (n, ...) i.i.d. along the first axis.
    delta : error probability, for each entry by itself.
    low, high : almost-sure range, broadcasting against the entries.

    Raises
    ------
    ValueError : fewer than two samples.
    RangeError : a sample outside of its range, which is then not almost sure.

    Source: Maurer, Pontil (2009), Theorem 4.
    """
    n = len(samples)
    if n < 2:
        raise ValueError(f"samples = {n} is not allowed: samples must be an integer >= 2")
    low, high = np.asarray(low, dtype=np.float64), np.asarray(high, dtype=np.float64)
    slack = ROUNDINGS * EPS * np.maximum(np.abs(low), np.abs(high))
    outside = (samples < low - slack) | (samples > high + slack)
    if outside.any():
        at = tuple(np.argwhere(outside)[0])
        bounds = (float(np.broadcast_to(side, samples.shape)[at]) for side in (low, high))
        raise RangeError("a sample {:g} lies outside its almost-sure range [{:g}, {:g}]".format(samples[at], *bounds))
    x = math.log(4 / delta)
    from_low = samples - low  # so that a constant has no rounding error
    mean, width = from_low.mean(axis=0), high - low
    radius = np.sqrt(2 * from_low.var(axis=0, ddof=1) * x / n) + 7 * width * x / (3 * (n - 1)) + n * EPS * width
    estimate = low + mean
    return Interval(estimate, np.maximum(estimate - radius, low), np.minimum(estimate + radius, high))


def norm_of_mean_interval(samples: Values, delta: float, radius: npt.ArrayLike) -> Interval:
    """Two-sided interval for `‖E X‖`, `X` a vector with `‖X‖ ≤ radius`; the dimension does not enter.

    `‖X̄ − E X‖ ≤ t` with `2 exp(−n t² / (2(s² + 2 R t / 3))) = δ/2` by the Bernstein inequality for sums of independent
    centred vectors in a Hilbert space, each of norm at most `2R` and mean square `s² = E‖X − E X‖²`. The unknown `s²`
    is the mean of `½‖X_{2i} − X_{2i−1}‖² ∈ [0, 2R²]` over disjoint pairs, so `mean_interval` bounds it from above at
    δ/2. By the triangle inequality `‖E X‖` is within `t` of `‖X̄‖`.

    Parameters
    ----------
    samples : (n, ..., d) i.i.d. along the first axis, n ≥ 4.
    delta : error probability, for each entry by itself.
    radius : almost-sure bound R of the norm, broadcasting against the entries (...).

    Raises
    ------
    ValueError : fewer than four samples.
    RangeError : a sample outside of its ball, which is then not almost sure.

    Source: Pinelis (1994), Theorem 3.4 (Hilbert space, Bernstein's form); Maurer, Pontil (2009), Theorem 4.
    """
    n, x = len(samples), math.log(4 / delta)
    radius = np.asarray(radius, dtype=np.float64)
    if bool((norm(samples) > radius * (1 + ROUNDINGS * EPS)).any()):
        raise RangeError("a sample lies outside its almost-sure ball")
    pairs = samples[1::2] - samples[: n - n % 2 : 2]
    half_squares = np.minimum(0.5 * inner_product(pairs, pairs), 2 * radius**2)
    # mean_interval spends half of its delta on each side, and only the upper one is used here.
    variance = mean_interval(half_squares, delta, 0.0, 2 * radius**2).upper
    linear = 2 * radius * x / (3 * n)
    t = linear + np.sqrt(linear**2 + 2 * variance * x / n) + n * EPS * radius
    estimate = norm(samples.mean(axis=0))
    return Interval(estimate, np.maximum(estimate - t, 0.0), np.minimum(estimate + t, radius))


def worst_entry(interval: Interval, bound: Values, slack: npt.ArrayLike = 0.0) -> tuple[Finding, tuple[int, ...]]:
    """Finding at the entry that speaks most against `measured ≤ bound`, and its index.

    A violated entry comes before an undecided one and that before one that holds; among equals the largest ratio that
    rounding does not explain.
    """
    sides = (interval.estimate, interval.lower, interval.upper, bound, np.asarray(slack, dtype=np.float64))
    estimate, lower, upper, limit, rounding = np.broadcast_arrays(*sides)
    severity = np.where(lower > limit + rounding, 2, np.where(upper > limit + rounding, 1, 0))
    order = np.lexsort((Measured(estimate, limit, rounding).ratio().ravel(), severity.ravel()))
    at = tuple(int(i) for i in np.unravel_index(order[-1], severity.shape))
    finding = Finding(
        measured=float(estimate[at]),
        bound=float(limit[at]),
        lower=float(lower[at]),
        upper=float(upper[at]),
        slack=float(rounding[at]),
    )
    return finding, at
