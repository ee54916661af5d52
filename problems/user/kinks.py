"""Kinks: points where a gradient jumps, so that no L exists. They are told from sharp curvature by bisection.

A segment is halved towards the larger change of the gradient. The change over what is left shrinks with its length
where the loss is smooth, however sharply curved; over a kink it stays.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from problems.user.rows import Rows
from theory.loss import Array, Loss

SEGMENTS = 64
COARSE, FINE = 26, 36
"""Halvings after which changes are compared: what is left of a segment is 2^−36 of it, far above rounding."""
KEPT = 0.5
VISIBLE = 1e-6
"""A smaller jump, relative to the gradient, could be rounding."""


@dataclass(frozen=True)
class Kink:
    """The gradient of a task changes by `jump` over the `distance` around `w` (d,)."""

    task: int
    w: Array
    jump: float
    distance: float


def find_kink(loss: Loss, ends: Rows, others: Array) -> Kink | None:
    """Look for a kink between `ends` and `others` (n, d): the largest that was met, or None."""
    each = loss.take(ends.task)
    a, b = ends.w, others
    at_a, at_b = each.gradient(a), each.gradient(b)
    coarse = np.zeros(len(a))
    for halving in range(FINE):
        middle = (a + b) / 2
        at_middle = each.gradient(middle)
        left = (_length(at_middle - at_a) >= _length(at_b - at_middle))[:, None]
        a, at_a = np.where(left, a, middle), np.where(left, at_a, at_middle)
        b, at_b = np.where(left, middle, b), np.where(left, at_middle, at_b)
        if halving == COARSE:
            coarse = _length(at_b - at_a)
    jump, size = _length(at_b - at_a), _length(at_a) + _length(at_b)
    with np.errstate(invalid="ignore"):
        found = np.where((jump >= KEPT * coarse) & (jump > VISIBLE * size), jump, 0.0)
    worst = int(np.argmax(found))
    if not found[worst] > 0:
        return None
    return Kink(int(ends.task[worst]), (a[worst] + b[worst]) / 2, float(jump[worst]), float(_length(b - a)[worst]))


def _length(v: Array) -> Array:
    return np.linalg.norm(v, axis=-1)
