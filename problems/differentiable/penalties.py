"""Two more penalties, whose derivatives everybody knows: least squares and a cosine."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from problems.losses.namespace import namespace
from problems.losses.penalty import Penalty
from theory.loss import Array


@dataclass(frozen=True)
class Square(Penalty):
    """`φ(r) = ½ r²`: `ψ′ = u`, `ψ″ = 1`, `ψ‴ = 0`."""

    slope_range = (-math.inf, math.inf)
    curvature_sup = 1.0
    third_sup = 0.0
    c: float = 1.0

    def profile(self, u: Array) -> Array:
        """ψ(u)."""
        square: Array = u**2
        return 0.5 * square

    def slope(self, u: Array, out: Array, kept: Array) -> None:
        """ψ′(u); keeps ψ″ = 1."""
        np.copyto(out, u)
        kept[...] = 1

    def curvature(self, kept: Array, scratch: Array) -> None:
        """`ψ″ = 1`, as kept."""


@dataclass(frozen=True)
class Cosine(Penalty):
    """`φ(r) = c² (1 − cos u)`, `u = r/c`: `ψ′ = sin u`, `ψ″ = cos u`, `ψ‴ = −sin u`, each at most 1 in size."""

    slope_range = (-1.0, 1.0)
    curvature_sup = 1.0
    third_sup = 1.0

    def profile(self, u: Array) -> Array:
        """ψ(u)."""
        cosine: Array = namespace(u).cos(u)
        return 1 - cosine

    def slope(self, u: Array, out: Array, kept: Array) -> None:
        """ψ′(u); keeps `cos u`."""
        np.sin(u, out=out)
        np.cos(u, out=kept)

    def curvature(self, kept: Array, scratch: Array) -> None:
        """`ψ″ = cos u`, as kept."""
