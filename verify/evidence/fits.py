"""Exponents and rates, fitted: the slope of a line through points, with an interval that says what it means."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from verify.verdict import Finding


@dataclass(frozen=True)
class Fit:
    """The slope of a line fitted by least squares, and an interval around it.

    `lower` and `upper` are the least and the largest slope between two neighbouring points. The slope between any two
    points of the data, and the fitted one, are weighted means of those, so they all lie in the interval; it says how
    far the points are from one line. It is no confidence interval: the points carry no sampling error.
    """

    slope: float
    lower: float
    upper: float


def line(x: npt.ArrayLike, y: npt.ArrayLike) -> Fit:
    """Fit `y = intercept + slope · x`.

    Parameters
    ----------
    x : (n,) strictly increasing, n ≥ 2.
    y : (n,) finite, without sampling error.

    Raises
    ------
    ValueError : shapes that differ, fewer than two points, `x` that do not increase, or a value that is not finite.

    >>> line([0.0, 1.0, 3.0], [5.0, 7.0, 11.0])
    Fit(slope=2.0, lower=2.0, upper=2.0)
    """
    x, y = np.asarray(x, dtype=np.float64), np.asarray(y, dtype=np.float64)
    if x.ndim != 1 or x.shape != y.shape or len(x) < 2:
        raise ValueError(f"points of shapes {x.shape} and {y.shape} are not allowed: they must be two or more pairs")
    if not (np.isfinite(x).all() and np.isfinite(y).all() and (np.diff(x) > 0).all()):
        raise ValueError("points are not allowed: they must be finite, and x must increase")
    neighbours = np.diff(y) / np.diff(x)
    from_mean = x - x.mean()
    slope = float(from_mean @ y / (from_mean @ from_mean))
    lower, upper = float(neighbours.min()), float(neighbours.max())
    return Fit(min(max(slope, lower), upper), lower, upper)  # the clip removes rounding only


def power_law(x: npt.ArrayLike, y: npt.ArrayLike) -> Fit:
    """Fit `y = constant · x^slope` to positive numbers: a line through the logarithms. Errors as `line`."""
    return line(np.log(x), np.log(y))


def exponential(x: npt.ArrayLike, y: npt.ArrayLike) -> Fit:
    """Fit `y = constant · e^{slope · x}` to positive `y`. Errors as `line`."""
    return line(x, np.log(y))


def finding(
    fit: Fit, promised: float, *, shortfall: float | None = None, slack: float = 0.0, label: str = ""
) -> Finding:
    """Finding on a fitted slope beside the promised one, which it must not exceed anywhere in its interval.

    With a `shortfall` it must not stay further behind either, relatively. `slack` is the error of the slopes.
    """
    return Finding(
        measured=fit.slope,
        bound=promised,
        lower=fit.lower,
        upper=fit.upper,
        slack=slack,
        signed=True,
        attained=shortfall is not None,
        shortfall=shortfall or 0.0,
        method="run",
        label=label,
        note="interval: least and largest slope between neighbouring points",
    )
