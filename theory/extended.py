"""Arithmetic on [0, ∞], where a bound that overflows is ∞ and 0·∞ = 0: a factor that is absent costs nothing."""

from __future__ import annotations

from functools import reduce

import numpy as np

from theory.constants import Real


def product(*factors: Real) -> Real:
    """Product of non-negative numbers; zero wherever a factor is zero.

    >>> float(product(0.0, float("inf")))
    0.0
    """
    with np.errstate(over="ignore", invalid="ignore"):
        value: Real = reduce(np.multiply, factors)
    undecided = np.isnan(value)  # 0 met ∞; and that 0 may be a product of tiny factors that underflowed
    if not undecided.any():
        return value
    absent = reduce(np.logical_or, (np.equal(factor, 0) for factor in factors))
    decided: Real = np.where(undecided, np.where(absent, 0.0, np.inf), value)[()]
    return decided


def total(*terms: Real) -> Real:
    """Sum of non-negative numbers."""
    with np.errstate(over="ignore"):
        result: Real = reduce(np.add, terms)
    return result


def square(x: Real) -> Real:
    """Square of a non-negative number."""
    return product(x, x)


def ratio(x: Real, y: Real) -> Real:
    """Quotient of `x` ≥ 0 by `y` > 0; an infinite `x` stays infinite, for no premise makes ∞/∞ smaller."""
    with np.errstate(over="ignore", invalid="ignore"):
        result: Real = np.where(np.isinf(x), np.inf, np.divide(x, y))[()]
    return result
