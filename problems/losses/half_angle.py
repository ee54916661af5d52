"""Sine and cosine together, from one tangent."""

from __future__ import annotations

import numpy as np

from theory.loss import Array


def sine_cosine(angle: Array) -> tuple[Array, Array]:
    """`sin θ = 2t/(1 + t²)` and `cos θ = 2/(1 + t²) − 1` with `t = tan(θ/2)`.

    NumPy vectorises the float64 tangent, not sine and cosine: on a processor with AVX-512 one tangent costs a sixth of
    one sine, and without it still less than sine and cosine together. The absolute error is a few units of 2⁻⁵³, also
    at the poles of the tangent: no float64 is an odd multiple of π/2, so |t| stays below some 1e17, and t² finite.
    """
    t = np.tan(0.5 * angle)
    u = 2 / (1 + t * t)
    return t * u, u - 1
