"""Sine and cosine together, from one tangent that is made of ordinary passes over arrays.

`np.tan` takes 10 to 25 ns a number wherever NumPy has no vector code for it, which is on every machine without AVX-512,
and a pass of +, −, × or ÷ over arrays in cache takes 0.3 ns. So the tangent is a sum of partial fractions,

    tan πy = y [c + Σ_i r_i/(p_i − y²)],

three passes a pole, where on |y| ≤ ½ all terms are positive and nothing cancels. Only operations occur that IEEE 754
rounds correctly, so every machine gives the same digits. With AVX-512 `np.tan` would save a third of a path's time.
That is worth less than equal digits to a suite whose records are compared: one kernel serves all machines and sizes.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from problems.losses.blocks import equal_blocks
from problems.losses.workspace import workspace
from theory.loss import Array

BLOCK = 16_384
"""Numbers in one work array: the few that a step touches then stay in a second-level cache, or nearly so."""

TURN = 2 * math.pi
TURN_HIGH = math.floor(TURN * 2**30) / 2**30
TURN_LOW = TURN - TURN_HIGH + 2.4492935982947064e-16
"""`2π = TURN_HIGH + TURN_LOW`, with an error of 1e-26. TURN_HIGH has 33 bits: its multiples by k < 2²⁰ are exact."""

FAR = 1e6
"""Larger angles are reduced by the C library, which is slow and exact."""

DRIFT = 3 / 32
"""The partial fractions serve `|y| ≤ ½ + DRIFT`."""


def _scalars(*values: float) -> list[npt.NDArray[np.float64]]:
    """Arrays without axes, which a ufunc takes at half the cost of a Python number."""
    return [np.array(value) for value in values]


ONE, TWO, PER_TURN, HIGH, LOW, REST = _scalars(1.0, 2.0, 1 / TURN, TURN_HIGH, TURN_LOW, 0.0712108755938349)
POLES = _scalars(21.66306821811898, 6.4140195606297725, 2.250038032488633, math.nextafter(0.25, 1.0))
RESIDUES = _scalars(2.7278810071255, 0.7376044164228849, 0.6367175531098692, 0.636619772367581)
"""c, p_i and r_i: πy is then met within 3.1e-17 (least sum of its kind, up to rounding) with the first pole at ¼, where
it belongs. It is moved by one unit in the last place, as no y² can meet it there (it would be 0 · ∞). That moves angles
by 1.1e-16 of themselves, of which PER_TURN makes good half, being rounded up by 6e-17 of itself."""
(FAR_POLE, *NEARER_POLES), (FAR_RESIDUE, *NEARER_RESIDUES) = POLES, RESIDUES


def sine_cosine(angle: Array) -> tuple[Array, Array]:
    """`sin θ = 2t/(1 + t²)` and `cos θ = 2/(1 + t²) − 1` with `t = tan(θ/2)`, both within 1e-15 for every float64 θ."""
    if angle.dtype.kind == "c":
        return np.sin(angle), np.cos(angle)
    flat = angle.reshape(-1)
    sine, cosine = np.empty(flat.shape), np.empty(flat.shape)
    for part in equal_blocks(flat.size, BLOCK):
        t, u = sine[part], cosine[part]
        y, scratch = workspace(t.shape, t.shape)
        turns(flat[part], y, scratch)
        tangent(y, t, u, scratch)
        np.square(t, u)
        np.add(u, ONE, u)
        np.divide(TWO, u, u)
        np.multiply(t, u, t)
        np.subtract(u, ONE, u)
    return sine.reshape(angle.shape), cosine.reshape(angle.shape)


def turns(angle: Array, y: Array, scratch: Array) -> None:
    """Put into `y` what `angle` is beyond whole turns: `angle = 2π (k + y)`, |y| ≤ ½. The arrays share no memory."""
    np.abs(angle, y)
    far = y > FAR if np.maximum.reduce(y, initial=0.0) > FAR else None
    np.multiply(angle, PER_TURN, scratch)
    np.rint(scratch, scratch)
    np.multiply(scratch, HIGH, y)
    np.subtract(angle, y, y)
    np.multiply(scratch, LOW, scratch)
    np.subtract(y, scratch, y)
    np.multiply(y, PER_TURN, y)
    if far is not None:
        y[far] = np.arctan(np.tan(0.5 * angle[far])) / math.pi


def tangent(y: Array, t: Array, square: Array, scratch: Array) -> None:
    """Put `tan πy` into `t`, where `|y| ≤ ½ + DRIFT`; the arrays share no memory. |t| stays below 1e16."""
    np.square(y, square)
    np.subtract(FAR_POLE, square, t)
    np.divide(FAR_RESIDUE, t, t)
    np.add(t, REST, t)
    for pole, residue in zip(NEARER_POLES, NEARER_RESIDUES, strict=True):
        np.subtract(pole, square, scratch)
        np.divide(residue, scratch, scratch)
        np.add(t, scratch, t)
    np.multiply(t, y, t)
