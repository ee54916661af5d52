"""Mean of a penalty over the residuals of a linear model: the losses that practitioners fit."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Self

import numpy as np

from problems.losses.penalty import Penalty
from problems.losses.residual_path import DataSets, residual_meta_gradient
from theory.loss import Array, Loss, TaskIndex


@dataclass(frozen=True)
class LinearModel(Loss):
    """`(1/n) Σ_k φ(⟨a_k, w⟩ − y_k)`, one data set a task.

    Attributes
    ----------
    design : (..., n, d) rows a_k.
    target : (..., n) y_k.
    penalty : φ.
    """

    design: Array
    target: Array
    penalty: Penalty

    def value(self, w: Array) -> Array:
        """Loss at `w`."""
        return self.penalty.value(self._residual(w)).mean(axis=-1)

    def gradient(self, w: Array) -> Array:
        """Gradient at `w`."""
        return self._mean_of_rows(self.penalty.first_derivative(self._residual(w)))

    def hvp(self, w: Array, v: Array) -> Array:
        """Hessian at `w` times `v`."""
        return self.linearize(w)[1](v)

    def take(self, tasks: TaskIndex) -> Self:
        """Losses of the tasks in `tasks`."""
        return replace(self, design=self.design[tasks], target=self.target[tasks])

    def linearize(self, w: Array) -> tuple[Array, Callable[[Array], Array]]:
        """Gradient and Hessian at `w`, from the same residuals."""
        slope, curvature = self.penalty.derivatives(self._residual(w))
        return self._mean_of_rows(slope), lambda v: self._mean_of_rows(curvature * self._along_rows(v))

    def fused_meta_gradient(self, w: Array, alpha: float, N: int, outer: Loss) -> Array | None:
        """Meta-gradient with the path kept as residuals, where each point `w` (..., 1, d) meets all tasks."""
        batch, d = self.design.shape[:-2], w.shape[-1]
        shared = len(batch) == 1  # the tasks of one replica are the tasks of all
        fits = w.ndim > 1 and w.shape[-2] == 1 and (shared or w.shape[:-2] == batch[:-1])
        if not (fits and isinstance(outer, LinearModel) and outer.penalty == self.penalty):
            return None
        if N == 0 or w.dtype.kind == "c":
            return None
        n, tasks = self.design.shape[-2], batch[-1]
        points = w.reshape(1, -1, d).swapaxes(1, 2) if shared else np.repeat(w.reshape(-1, d, 1), tasks, axis=0)
        # Losses with tasks of their own a replica are used once, so making the Gram matrices counts as well.
        gram_pays = n <= 2 * d if shared else n * (d + 2 * N) <= 4 * N * d
        train = self._data_and_gram if gram_pays else self._data
        gradient = residual_meta_gradient(train, outer._data, self.penalty, points, alpha, N)
        return gradient.reshape(*w.shape[:-2], tasks, d)

    @cached_property
    def _data(self) -> DataSets:
        """The data with all tasks along one axis, in units of the penalty's width."""
        n, d = self.design.shape[-2:]
        return DataSets(self.design.reshape(-1, n, d), self.target.reshape(-1, n, 1) / self.penalty.c)

    @cached_property
    def _data_and_gram(self) -> DataSets:
        design = self._data.design
        return replace(self._data, gram=design @ design.swapaxes(1, 2))

    def _residual(self, w: Array) -> Array:
        return self._along_rows(w) - self.target

    def _along_rows(self, v: Array) -> Array:
        """`⟨a_k, v⟩`: (..., d) gives (..., n)."""
        return _times(v, self.design.swapaxes(-1, -2))

    def _mean_of_rows(self, weight: Array) -> Array:
        """`(1/n) Σ_k weight_k a_k`: (..., n) gives (..., d)."""
        return _times(weight, self.design) / self.design.shape[-2]


def _times(x: Array, matrices: Array) -> Array:
    """Row vectors x (..., tasks, p) times `matrices` (..., tasks, p, q): (..., tasks, q).

    Where all replicas share the matrices of their tasks, one product a task serves them all.
    """
    if matrices.ndim != 3 or x.ndim < 2:
        return (x[..., None, :] @ matrices)[..., 0, :]
    by_task = x.reshape(-1, *x.shape[-2:]).swapaxes(0, 1) @ matrices
    return by_task.swapaxes(0, 1).reshape(*x.shape[:-2], len(matrices), -1)
