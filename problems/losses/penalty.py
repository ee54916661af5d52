"""Penalties of one residual: a profile and its width."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from theory.loss import Array


@dataclass(frozen=True)
class Penalty(ABC):
    """A penalty `φ(r) = c² ψ(r/c) ≥ 0` of one residual r, of width c.

    ψ′ takes its values in `slope_range`; `curvature_sup` and `third_sup` are the suprema of |ψ″| and |ψ‴|. Those of φ
    follow: c, 1 and 1/c times as large.

    The profile's derivatives go into buffers, so that a path allocates nothing a step: `slope(u, out, kept)` puts ψ′(u)
    in `out` and what ψ″ shares with it in `kept`; `curvature(kept, scratch)` turns that into ψ″(u).
    """

    slope_range: ClassVar[tuple[float, float]]
    curvature_sup: ClassVar[float]
    third_sup: ClassVar[float]
    c: float

    @abstractmethod
    def profile(self, u: Array) -> Array:
        """ψ(u), in the functions of u's own array library, which may differentiate it."""

    @abstractmethod
    def slope(self, u: Array, out: Array, kept: Array) -> None:
        """Put ψ′(u) into `out`, and what `curvature` needs into `kept`; the three arrays share no memory."""

    @abstractmethod
    def curvature(self, kept: Array, scratch: Array) -> None:
        """Turn what `slope` kept into ψ″(u), in place; `scratch` has the shape of `kept`, and its content is lost."""

    def value(self, r: Array) -> Array:
        """φ(r)."""
        return self.c**2 * self.profile(r / self.c)

    def first_derivative(self, r: Array) -> Array:
        """φ′(r)."""
        return self._slope_and_kept(r)[0]

    def derivatives(self, r: Array) -> tuple[Array, Array]:
        """φ′(r) and φ″(r)."""
        slope, kept = self._slope_and_kept(r)
        self.curvature(kept, np.empty_like(kept))
        return slope, kept

    def _slope_and_kept(self, r: Array) -> tuple[Array, Array]:
        slope, kept = np.empty((2, *r.shape), dtype=r.dtype)
        self.slope(r / self.c, slope, kept)
        slope *= self.c
        return slope, kept
