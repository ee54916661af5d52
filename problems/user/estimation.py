"""Constants that a user left out, estimated by maximisation over a box.

An estimate is the largest value that was met, times `SAFETY`: no proof. Problems list it in `estimated`.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from problems.user.box_search import PROBES, SEED, STARTS, Objective, box_points, least_value, maximise
from problems.user.loss import FunctionLoss, FunctionNoise
from theory.loss import Array

NoiseSize: TypeAlias = Callable[[FunctionLoss, FunctionLoss, Array], Array]
"""A task (1,), samples of it (draws,) and points (P, d) ↦ the size of their noise (P, draws)."""

SAFETY = 1.05
DRAWS, NUMERICAL_DRAWS = 128, 32
"""Samples per task that estimate the noise; fewer where their derivatives are numerical, and therefore dear."""
NOISE_PROBES = 8
CLIMBS = 10


@dataclass(frozen=True)
class Estimator:
    """Estimates over the box `low ≤ w ≤ high` (d,), of losses of batch shape (tasks,)."""

    inner: FunctionLoss
    outer: FunctionLoss
    noise: FunctionNoise | None
    low: npt.NDArray[np.float64]
    high: npt.NDArray[np.float64]
    step: float

    def estimate(self, name: str) -> float:
        """Estimate the constant of that name (a field of `Constants`, or a bound on gradients or noise).

        Raises ValueError where it cannot be estimated, because a loss is not finite in the box.
        """
        try:
            return float(getattr(self, name)())
        except ValueError as error:
            raise ValueError(
                f"{name} cannot be estimated: {error} (give it in constants, or a smaller region)"
            ) from error

    def L(self) -> float:
        """Largest spectral norm of a Hessian of any task."""

        def curvature(w: Array) -> Array:
            return np.asarray(np.max([_norms(loss.hessian(w[:, None])).max(axis=1) for loss in self._losses], axis=0))

        return SAFETY * self._maximise(curvature)

    def rho(self) -> float:
        """Largest norm of a third derivative of an inner loss, by differences of its Hessian along the axes."""
        axes, h = np.eye(len(self.low)), 1e-2 * self.step

        def slope(w: Array) -> Array:
            along = w[:, None, None] + h * axes[:, None]  # (P, axis, 1, d) meets (tasks,)
            against = w[:, None, None] - h * axes[:, None]
            third = (self.inner.hessian(along) - self.inner.hessian(against)) / (2 * h)
            return np.asarray(tensor_norm(np.moveaxis(third, 1, -1)).max(axis=1))

        return SAFETY * self._maximise(slope)

    def sigma(self) -> float:
        """Largest root-mean-square distance of task gradients from their mean (outer losses)."""

        def spread(w: Array) -> Array:
            gradients = self.outer.gradient(w[:, None])
            centred = gradients - gradients.mean(axis=1, keepdims=True)
            return np.asarray(np.sqrt((centred**2).sum(axis=2).mean(axis=1)))

        return SAFETY * self._maximise(spread)

    def gradient_bound(self) -> float:
        """Largest gradient norm of any task."""

        def steepness(w: Array) -> Array:
            return np.asarray(
                np.max([_lengths(loss.gradient(w[:, None])).max(axis=1) for loss in self._losses], axis=0)
            )

        return SAFETY * self._maximise(steepness)

    def b(self) -> float:
        """Mean over tasks of the largest ‖∇l_{S_i} − ∇l_{T_i}‖."""
        return SAFETY * float(self._mismatch.mean())

    def b_sq(self) -> float:
        """Mean over tasks of the square of the largest ‖∇l_{S_i} − ∇l_{T_i}‖."""
        return SAFETY**2 * float((self._mismatch**2).mean())

    def sigma_g(self) -> float:
        """Largest root-mean-square gradient noise of one datum, three standard errors added."""
        return self._gradient_noise[0]

    def sigma_H(self) -> float:
        """Largest root-mean-square spectral norm of the Hessian noise of one datum, three standard errors added."""
        return self._hessian_noise[0]

    def gradient_sup(self) -> float:
        """Largest gradient noise of one datum."""
        return self._gradient_noise[1]

    def hessian_sup(self) -> float:
        """Largest spectral norm of the Hessian noise of one datum."""
        return self._hessian_noise[1]

    def lower_bound(self) -> float:
        """Mean over tasks of the least outer loss, less a margin; −inf where a loss seems unbounded below."""
        tasks = len(self.outer.functions)
        least = np.mean([least_value(self.outer.take(np.array(i)), self.low, self.high) for i in range(tasks)])
        typical = self.outer.value(box_points(self.low, self.high)[:, None]).mean()
        return float(least - (SAFETY - 1) * (typical - least)) if np.isfinite(least) else -math.inf

    @property
    def _losses(self) -> list[FunctionLoss]:
        return [self.inner] if self.inner is self.outer else [self.inner, self.outer]

    @cached_property
    def _mismatch(self) -> npt.NDArray[np.float64]:
        """(tasks,) largest ‖∇l_{S_i} − ∇l_{T_i}‖ of each task."""

        def of_task(task: int) -> float:
            train, test = (loss.take(np.array([task])) for loss in self._losses)
            return self._maximise(lambda w: _lengths(train.gradient(w) - test.gradient(w)), starts=1)

        return np.array([of_task(task) for task in range(len(self.inner.functions))])

    @cached_property
    def _gradient_noise(self) -> tuple[float, float]:
        return self._noise_levels(
            lambda task, samples, w: _lengths(samples.gradient(w[:, None]) - task.gradient(w[:, None]))
        )

    @cached_property
    def _hessian_noise(self) -> tuple[float, float]:
        return self._noise_levels(
            lambda task, samples, w: _norms(samples.hessian(w[:, None]) - task.hessian(w[:, None]))
        )

    def _noise_levels(self, size: NoiseSize) -> tuple[float, float]:
        """Largest root mean square of the noise's `size` over points and tasks, and the largest size met on the way."""
        assert self.noise is not None
        square = sup = 0.0
        for number in range(len(self.inner.functions)):
            task = self.inner.take(np.array([number]))
            numerical = self.noise.minibatch(np.array([number]), 1, _rng()).differentiated
            draws = NUMERICAL_DRAWS if numerical else DRAWS
            samples = self.noise.minibatch(np.full(draws, number), 1, _rng())

            def upper_mean_square(w: Array, task: FunctionLoss = task, samples: FunctionLoss = samples) -> Array:
                nonlocal sup
                squares = size(task, samples, w) ** 2
                sup = max(sup, math.sqrt(squares.max()))
                return np.asarray(squares.mean(axis=1) + 3 * squares.std(axis=1) / math.sqrt(squares.shape[1]))

            square = max(square, self._maximise(upper_mean_square, probes=NOISE_PROBES, starts=1))
        return SAFETY * math.sqrt(square), SAFETY * sup

    def _maximise(self, objective: Objective, *, probes: int = PROBES, starts: int = STARTS) -> float:
        return maximise(objective, self.low, self.high, probes=probes, starts=starts)


def tensor_norm(tensors: Array) -> Array:
    """Norm `max |T[u, u, u]|` over unit `u` of symmetric tensors (..., d, d, d): shape (...), NaN where not finite.

    By alternating maximisation of `T[u, v, v]`, which only climbs, from each axis; the maximum of a symmetric form over
    different unit vectors is that over equal ones.
    """
    finite = np.asarray(np.isfinite(tensors).all(axis=(-3, -2, -1)))
    T = np.where(finite[..., None, None, None], tensors, 0.0)[..., None, :, :, :]
    u = np.broadcast_to(np.eye(T.shape[-1]), (*T.shape[:-4], T.shape[-1], T.shape[-1]))
    for _ in range(CLIMBS):
        value, vectors = np.linalg.eigh(np.einsum("...ijk,...k->...ij", T, u))
        largest = np.abs(value).argmax(axis=-1)[..., None]
        v = np.take_along_axis(vectors, largest[..., None, :], axis=-1)[..., 0]
        form = np.einsum("...ijk,...i,...j->...k", T, v, v)
        length = _lengths(form)
        u = np.divide(form, length[..., None], out=np.zeros_like(form), where=length[..., None] > 0)
    return np.where(finite, length.max(axis=-1), np.nan)


def _rng() -> np.random.Generator:
    return np.random.default_rng(SEED)


def _lengths(vectors: Array) -> Array:
    return np.asarray(np.linalg.norm(vectors, axis=-1))


def _norms(matrices: Array) -> Array:
    """Spectral norms of symmetric matrices (..., d, d): shape (...); NaN where one is not finite."""
    finite = np.asarray(np.isfinite(matrices).all(axis=(-2, -1)))
    norms = np.abs(np.linalg.eigvalsh(np.where(finite[..., None, None], matrices, 0.0))).max(axis=-1)
    return np.where(finite, norms, np.nan)
