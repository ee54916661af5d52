"""Sine and cosine together, from the tangent of half the angle.

Where NumPy has vector code for `np.tan`, which is on Linux with AVX-512, that takes 1.5 ns a number. Elsewhere it takes
10 to 25, and a pass of +, −, × or ÷ over arrays in cache takes 0.3. So there the tangent is a sum of partial fractions,

    tan πy = y [c + Σ_i r_i/(p_i − y²)],

where on |y| ≤ ½ all terms are positive and nothing cancels; one call makes all four fractions, as a call costs more
than few numbers do. A path then takes twice as long as with vector code. The kernel is chosen once, for arrays of all
sizes: equal angles have equal tangents. A run says which one it had.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

import numpy as np

from problems.losses.blocks import equal_blocks
from problems.losses.scalars import scalars
from problems.losses.workspace import workspace
from theory.loss import Array

BLOCK = 16_384
"""Numbers in one work array: the few that a step touches then stay in a second-level cache, or nearly so."""

FEW = 1_024
"""As few numbers as these cost less than the calls that work on them."""

TURN = 2 * math.pi
ONE, TWO, REST = scalars(1.0, 2.0, 0.0712108755938349)
POLES = np.array([[21.66306821811898], [2.250038032488633], [6.4140195606297725], [math.nextafter(0.25, 1.0)]])
RESIDUES = np.array([[2.7278810071255], [0.6367175531098692], [0.7376044164228849], [0.636619772367581]])
"""c, p_i and r_i: πy is then met within 3.1e-17 (least sum of its kind, up to rounding) with the first pole at ¼, where
it belongs. It is moved by one unit in the last place, as no y² can meet it there (it would be 0 · ∞), and that moves
angles by 1.1e-16 of themselves."""


def sine_cosine(y: Array) -> tuple[Array, Array]:
    """`sin θ = 2t/(1 + t²)` and `cos θ = 2/(1 + t²) − 1` with `t = tan(θ/2)`, `θ = y · KERNEL.unit`.

    Both are within 1e-15 for every float64 y.
    """
    if y.dtype.kind == "c":
        return np.sin(KERNEL.unit * y), np.cos(KERNEL.unit * y)
    flat = y.reshape(-1)
    sine, cosine = np.empty(flat.shape), np.empty(flat.shape)
    for part in equal_blocks(flat.size, BLOCK):
        t, u = sine[part], cosine[part]
        reduced, each = workspace(t.shape, (len(POLES), *t.shape))
        KERNEL.tangent(KERNEL.reduced(flat[part], reduced, t), t, u, fractions(each))
        np.square(t, u)
        np.add(u, ONE, u)
        np.divide(TWO, u, u)
        np.multiply(t, u, t)
        np.subtract(u, ONE, u)
    return sine.reshape(y.shape), cosine.reshape(y.shape)


class Fractions(NamedTuple):
    """What `partial_fractions` work with on n numbers: `each` (4, n) has one row a pole, the others are parts of it."""

    poles: Array
    residues: Array
    each: Array
    upper: Array
    lower: Array
    first: Array
    second: Array


def fractions(each: Array) -> Fractions:
    """Parts of a work array (4, n), made once for many tangents."""
    return Fractions(*_beside(each.shape[1]), each, each[:2], each[2:], each[0], each[1])


@lru_cache(maxsize=32)
def _beside(n: int) -> tuple[Array, Array]:
    """Poles and residues to go with n numbers: where these are few, a column is spread once and not in every call."""
    return (POLES, RESIDUES) if n > FEW else (POLES.repeat(n, axis=1), RESIDUES.repeat(n, axis=1))


def partial_fractions(y: Array, t: Array, square: Array, work: Fractions) -> None:
    """Put `tan πy` into `t`; the arrays (n,) share no memory.

    Only operations occur that IEEE 754 rounds correctly, so that the digits are the same everywhere.
    """
    poles, residues, each, upper, lower, first, second = work
    np.square(y, square)
    np.subtract(poles, square, each)
    np.divide(residues, each, each)
    np.add(upper, lower, upper)
    np.add(first, second, t)
    np.add(t, REST, t)
    np.multiply(t, y, t)


def library_tangent(y: Array, t: Array, square: Array, work: Fractions) -> None:
    """Put `tan y` into `t`; nothing is done to `square` and `work`."""
    np.tan(y, t)


@dataclass(frozen=True)
class Kernel:
    """A way to the tangent of half an angle.

    Attributes
    ----------
    name : as a run says it.
    unit : radians in which it takes angles: `θ = y · unit`.
    drift : how far beyond half a turn, in `unit`, an angle may be.
    tangent : `(y, t, square, work)`, puts `tan(θ/2)` into `t`; |t| stays below 2e16.
    """

    name: str
    unit: float
    drift: float
    tangent: Callable[[Array, Array, Array, Fractions], None]

    def reduced(self, y: Array, out: Array, scratch: Array) -> Array:
        """Angles `y` less whole turns, put into `out` without any rounding; `y` itself where no tangent needs that."""
        if self.drift == math.inf:
            return y
        np.rint(y, scratch)
        return np.subtract(y, scratch, out)


LIBRARY = Kernel("np.tan", 2.0, math.inf, library_tangent)
PARTIAL_FRACTIONS = Kernel("partial fractions", TURN, 3 / 32, partial_fractions)


def chosen() -> Kernel:
    """The library's tangent where NumPy chose vector code for it when it looked at the CPU."""
    known = np.lib.introspect.opt_func_info(func_name="^tan$", signature="float64")
    target = known.get("tan", {}).get("dd", {}).get("current", "baseline")
    return PARTIAL_FRACTIONS if target.startswith("baseline") else LIBRARY


KERNEL = chosen()
"""That of this machine."""
