"""Ascent from many points at once, each with a step of its own."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

from theory.loss import Array

State: TypeAlias = Array
"""What an objective carries along beside each point, (n, …): directions that it improves as it goes."""


@dataclass(frozen=True)
class Objective:
    """A function of points (n, d), each with its state.

    Attributes
    ----------
    value : points and states ↦ values (n,) and better states.
    slope : points and states ↦ directions of ascent (n, d), of any length.
    """

    value: Callable[[Array, State], tuple[Array, State]]
    slope: Callable[[Array, State], Array]


def climb(
    objective: Objective, w: Array, state: State, step: float, rounds: int, nearest: Callable[[Array], Array]
) -> tuple[Array, Array]:
    """Ascend from each of `w` (n, d): the last points and their values (n,), none below the first.

    A step of the given length doubles where it leads up and is quartered where it does not; `nearest` brings points
    back to where they may be.
    """
    value, state = objective.value(w, state)
    length = np.full((len(w), 1), step)
    for _ in range(rounds):
        candidate = nearest(w + length * normalised(objective.slope(w, state)))
        found, better_state = objective.value(candidate, state)
        up = found > value  # and not where it is NaN
        w, value = np.where(up[:, None], candidate, w), np.where(up, found, value)
        state = np.where(up.reshape(-1, *(1,) * (state.ndim - 1)), better_state, state)
        length = np.where(up[:, None], 2 * length, length / 4)
    return w, value


def normalised(v: Array) -> Array:
    """Unit vectors along `v` (..., d); zero where `v` is zero or not finite."""
    size = np.linalg.norm(v, axis=-1, keepdims=True)
    return np.divide(v, size, out=np.zeros(v.shape), where=(size > 0) & np.isfinite(size))
