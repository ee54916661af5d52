"""Probe points of instances that are sharp at known points."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from theory.loss import Array

DECADES = 4.0


def probes_around(points: npt.ArrayLike, scale: float) -> Callable[[int, np.random.Generator], Array]:
    """Probes on the line: first the `points` themselves, then points around them, at distances of `scale` and below.

    The distances are log-uniform over four decades, to either side. Returns a function of the number of probes and a
    generator that gives (count, 1).
    """
    exact = np.atleast_1d(np.asarray(points, dtype=np.float64))

    def probes(count: int, rng: np.random.Generator) -> Array:
        number = np.arange(count)
        distance = scale * 10 ** -rng.uniform(0, DECADES, size=count) * rng.choice([-1.0, 1.0], size=count)
        return (exact[number % len(exact)] + np.where(number < len(exact), 0.0, distance))[:, None]

    return probes
