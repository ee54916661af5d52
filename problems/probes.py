"""Probe points: anywhere, or around the points where an instance is sharp."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from theory.loss import Array

DECADES = 4.0
"""Between the nearest and the farthest of the points that `probes_around` draws."""


def gaussian_probes(dim: int, scale: float) -> Callable[[int, np.random.Generator], Array]:
    """Probe points `w ~ scale · N(0, I)`: a function of their number and a generator."""
    return lambda count, rng: scale * rng.normal(size=(count, dim))


def probes_around(points: npt.ArrayLike, scale: float) -> Callable[[int, np.random.Generator], Array]:
    """Probes on the line: first the `points` themselves, then in turn points around them and the `points` again.

    The points come again because a claim about pairs draws one partner for each probe. Those around lie to either side
    at distances up to `scale`, log-uniform over `DECADES`. Returns a function of the number of probes and a generator
    that gives (count, 1).
    """
    exact = np.atleast_1d(np.asarray(points, dtype=np.float64))

    def probes(count: int, rng: np.random.Generator) -> Array:
        number = np.arange(count)
        distance = scale * 10 ** -rng.uniform(0, DECADES, size=count) * rng.choice([-1.0, 1.0], size=count)
        center = np.where(number < len(exact), number, number // 2 % len(exact))
        repeated = (number < len(exact)) | (number % 2 == 0)
        return (exact[center] + np.where(repeated, 0.0, distance))[:, None]

    return probes
