"""A loss that is a sum of cosines, separable in rotated coordinates."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Self

import numpy as np

from theory.loss import Array, Loss, TaskIndex


@dataclass(frozen=True)
class RotatedCosine(Loss):
    """`Σ_k Σ_m a_{k,m} cos(ω_{k,m} x_m + φ_{k,m})` with `x = Qᵀw`: separable in rotated coordinates.

    Attributes
    ----------
    rotation : (d, d) orthogonal Q.
    frequency : (terms, d) ω.
    amplitude : (terms, d) a, common to all tasks, or (..., terms, d).
    phase : (..., terms, d) φ, one per task.
    """

    rotation: Array
    frequency: Array
    amplitude: Array
    phase: Array

    def value(self, w: Array) -> Array:
        """Loss at `w`."""
        return np.asarray((self.amplitude * np.cos(self._angle(w))).sum(axis=(-2, -1)))

    def gradient(self, w: Array) -> Array:
        """Gradient at `w`."""
        return self._slope(self._angle(w)) @ self.rotation.T

    def hvp(self, w: Array, v: Array) -> Array:
        """Hessian at `w` times `v`: diagonal in rotated coordinates."""
        return np.asarray((self._curvature(self._angle(w)) * (v @ self.rotation)) @ self.rotation.T)

    def take(self, tasks: TaskIndex) -> Self:
        """Losses of the tasks in `tasks`."""
        amplitude = self.amplitude if self.amplitude.ndim == 2 else self.amplitude[tasks]
        return replace(self, amplitude=amplitude, phase=self.phase[tasks])

    def linearize(self, w: Array) -> tuple[Array, Callable[[Array], Array]]:
        """Gradient and Hessian at `w`, from the same rotated point."""
        angle = self._angle(w)
        curvature = self._curvature(angle)
        hessian: Callable[[Array], Array] = lambda v: (curvature * (v @ self.rotation)) @ self.rotation.T  # noqa: E731
        return self._slope(angle) @ self.rotation.T, hessian

    def _angle(self, w: Array) -> Array:
        return np.asarray((w @ self.rotation)[..., None, :] * self.frequency + self.phase)

    def _slope(self, angle: Array) -> Array:
        return np.asarray(-(self.amplitude * self.frequency * np.sin(angle)).sum(axis=-2))

    def _curvature(self, angle: Array) -> Array:
        return np.asarray(-(self.amplitude * self.frequency**2 * np.cos(angle)).sum(axis=-2))
