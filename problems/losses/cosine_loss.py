"""A loss that is a sum of cosines, separable in rotated coordinates."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Self

import numpy as np

from problems.losses import half_angle
from problems.losses.cosine_path import SMALLEST_ALPHA, Terms, rotated_meta_gradient, terms_of
from problems.losses.half_angle import sine_cosine
from theory.loss import Array, Loss, TaskIndex
from theory.norm import inner_product


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
        _, cosine = sine_cosine(self._angle(w))
        return inner_product(self._flat_amplitude, cosine)

    def gradient(self, w: Array) -> Array:
        """Gradient at `w`."""
        return self._slope(sine_cosine(self._angle(w))[0])

    def hvp(self, w: Array, v: Array) -> Array:
        """Hessian at `w` times `v`: diagonal in rotated coordinates."""
        return self._hessian(sine_cosine(self._angle(w))[1])(v)

    def take(self, tasks: TaskIndex) -> Self:
        """Losses of the tasks in `tasks`."""
        amplitude = self.amplitude if self.amplitude.ndim == 2 else self.amplitude[tasks]
        return replace(self, amplitude=amplitude, phase=self.phase[tasks])

    def linearize(self, w: Array) -> tuple[Array, Callable[[Array], Array]]:
        """Gradient and Hessian at `w`, from the same sines and cosines."""
        sine, cosine = sine_cosine(self._angle(w))
        return self._slope(sine), self._hessian(cosine)

    def fused_meta_gradient(self, w: Array, alpha: float, N: int, outer: Loss) -> Array | None:
        """Meta-gradient with the path in rotated coordinates, where each point `w` (..., 1, d) meets all tasks."""
        batch, d = self.phase.shape[:-2], w.shape[-1]
        one_point_for_all_tasks = w.ndim > 1 and w.shape[-2] == 1 and batch[:-1] in ((), w.shape[:-2])
        ordinary = w.dtype.kind != "c" and alpha > SMALLEST_ALPHA
        if not (one_point_for_all_tasks and ordinary and self._path_terms and self._same_as(outer)):
            return None
        gradient = rotated_meta_gradient(self._path_terms, w.reshape(-1, d), alpha, N)
        return gradient.reshape(*w.shape[:-2], batch[-1], d)

    @cached_property
    def _path_terms(self) -> Terms | None:
        if self.amplitude.ndim > 2 or not self.frequency[0].all():
            return None
        return terms_of(self.rotation, self.frequency, self.amplitude, self.phase)

    def _same_as(self, other: Loss) -> bool:
        if self is other:
            return True
        names = ("rotation", "frequency", "amplitude", "phase")
        return isinstance(other, RotatedCosine) and all(
            np.array_equal(getattr(self, name), getattr(other, name)) for name in names
        )

    @property
    def _flat_amplitude(self) -> Array:
        """Amplitudes with terms and coordinates along one axis, (..., terms d)."""
        return self.amplitude.reshape(*self.amplitude.shape[:-2], -1)

    def _angle(self, w: Array) -> Array:
        """`ω_k x + φ_k` (..., terms d) in the kernel's unit, by one matrix product."""
        return w @ self._stretched + self._flat_phase

    def _slope(self, sine: Array) -> Array:
        """`−Q Σ_k a_k ω_k sin(·)`, where one matrix product sums the terms and turns them back."""
        return (self._flat_amplitude * sine) @ self._minus_back

    def _hessian(self, cosine: Array) -> Callable[[Array], Array]:
        curvature = (self._flat_amplitude * cosine) @ self._minus_each
        return lambda v: np.asarray((curvature * (v @ self.rotation)) @ self.rotation.T)

    @cached_property
    def _stretched(self) -> Array:
        """(d, terms d): takes w to the angles, but for the phases."""
        return (self.rotation[:, None] * self.frequency).reshape(len(self.rotation), -1) / half_angle.KERNEL.unit

    @cached_property
    def _flat_phase(self) -> Array:
        """Phases in the kernel's unit, with terms and coordinates along one axis, (..., terms d)."""
        return self.phase.reshape(*self.phase.shape[:-2], -1) / half_angle.KERNEL.unit

    @cached_property
    def _minus_back(self) -> Array:
        """(terms d, d): takes weighted sines back to w."""
        return -(self.frequency[:, :, None] * self.rotation.T).reshape(-1, len(self.rotation))

    @cached_property
    def _minus_each(self) -> Array:
        """(terms d, d): takes weighted cosines to curvatures in rotated coordinates."""
        return -(self.frequency[:, :, None] ** 2 * np.eye(len(self.rotation))).reshape(-1, len(self.rotation))
