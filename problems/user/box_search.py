"""The largest value of a function on a box, and the least value of a loss, as a search finds them."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from theory.loss import Array, Loss

Objective: TypeAlias = Callable[[Array], Array]
"""Points (P, n) ↦ what is maximised, (P,)."""

PROBES = 256
STARTS = 5
SEED = 0
"""The search draws the same points in every process, so that every process finds the same constants."""


def box_points(low: Array, high: Array, count: int = PROBES) -> npt.NDArray[np.float64]:
    """Return `count` points (count, n), uniform in the box `low ≤ w ≤ high` (n,), the same at every call."""
    return np.random.default_rng(SEED).uniform(low, high, size=(count, len(low)))


def maximise(objective: Objective, low: Array, high: Array, *, probes: int = PROBES, starts: int = STARTS) -> float:
    """Largest value met at random probes of the box and in ascents within it from the best `starts` of them.

    Raises ValueError where the objective is not finite.
    """
    from scipy import optimize

    def negative(w: npt.NDArray[np.float64]) -> float:
        return -float(_finite(objective, w[None])[0])

    points = box_points(low, high, probes)
    values = _finite(objective, points)
    best = float(values.max())
    # Numerical derivatives are only so good: the ascent's own differences take larger steps than by default.
    options: Any = {"maxfun": 20 * (len(low) + 1), "eps": 1e-6 * float(np.max(high - low))}
    box = optimize.Bounds(low, high)
    for start in points[np.argsort(-values, kind="stable")[:starts]]:
        ascent = optimize.minimize(negative, start.tolist(), method="L-BFGS-B", bounds=box, options=options)
        best = max(best, -float(ascent.fun))
    return best


def least_value(loss: Loss, low: Array, high: Array) -> float:
    """Least value of one loss, batch shape (), met in descents from the box; −inf where a descent runs away.

    Raises ValueError where the loss is not finite in the box.
    """
    from scipy import optimize

    points = box_points(low, high)
    values = _finite(loss.value, points)
    best = float(values.min())
    far = 1e3 * (1 + float(np.abs([low, high]).max()))

    def value(w: npt.NDArray[np.float64]) -> float:
        return float(loss.value(w))

    for start in points[np.argsort(values, kind="stable")[:STARTS]]:
        with np.errstate(all="ignore"):
            descent = optimize.minimize(value, start.tolist(), jac=loss.gradient, method="L-BFGS-B")
            runs_away = np.linalg.norm(descent.x) > far and float(descent.fun) < values.min() - 10 * np.ptp(values)
        if runs_away or not math.isfinite(descent.fun):
            return -math.inf
        best = min(best, float(descent.fun))
    return best


def _finite(objective: Objective, w: Array) -> Array:
    found = objective(w)
    if not np.isfinite(found).all():
        raise ValueError(f"not finite at w = {w[~np.isfinite(found)][0].round(4).tolist()}")
    return found
