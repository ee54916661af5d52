"""One task's losses as functions of one point, in the array library of that point."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from problems.losses.linear_model import LinearModel
from problems.losses.namespace import namespace
from theory.loss import Array


def _nothing() -> None:
    """Do nothing."""


@dataclass(frozen=True, eq=False)
class DifferentiableLoss:
    """The scalar loss `l(w) = (1/n) Σ_k φ(⟨a_k, w⟩ − y_k)` of one task.

    Calling it at a point (d,) of NumPy, PyTorch or JAX gives a scalar of that library, in the precision of the point
    and differentiable wherever the library differentiates. NumPy does not, so `gradient` and `hvp` are there as well.

    Attributes
    ----------
    model : the linear model, of one task (no batch).
    on_call : called before each evaluation.
    """

    model: LinearModel
    on_call: Callable[[], None] = _nothing

    def __call__(self, w: Any) -> Any:
        """Loss at `w` (d,), a scalar in the library of `w`; raises ValueError where `w` has another shape."""
        self.on_call()
        self._require_shape("w", w)
        xp = namespace(w)

        def constant(data: Array) -> Any:
            return xp.asarray(data, dtype=w.dtype, device=getattr(w, "device", None))

        residual = constant(self.model.design) @ w - constant(self.model.target)
        return xp.mean(self.model.penalty.value(residual))

    def gradient(self, w: Array) -> Array:
        """Gradient at a NumPy array `w` (d,), (d,); raises ValueError for another shape or library."""
        self._require_numpy("gradient", w=w)
        return self.model.gradient(w)

    def hvp(self, w: Array, v: Array) -> Array:
        """Hessian at `w` (d,) times `v` (d,), NumPy arrays, (d,); raises ValueError for another shape or library."""
        self._require_numpy("hvp", w=w, v=v)
        return self.model.hvp(w, v)

    def _require_shape(self, name: str, point: Any) -> None:
        expected, shape = self.model.design.shape[-1:], getattr(point, "shape", None)
        if shape is None:
            raise ValueError(f"{name} = {point!r} is not allowed: {name} must be an array of shape {expected}")
        if tuple(shape) != expected:
            raise ValueError(f"{name} of shape {tuple(shape)} is not allowed: {name} must be of shape {expected}")

    def _require_numpy(self, method: str, **points: Any) -> None:
        self.on_call()
        for name, point in points.items():
            if not isinstance(point, np.ndarray):
                raise ValueError(
                    f"{name} is a {type(point).__name__}: {method} is for NumPy arrays, other libraries differentiate "
                    "the loss itself"
                )
            self._require_shape(name, point)


@dataclass(frozen=True, eq=False)
class DifferentiableTask:
    """A task: its loss to adapt to, and its loss after adaptation."""

    train: DifferentiableLoss
    test: DifferentiableLoss


def tasks_of(
    train: LinearModel, test: LinearModel, announce: Callable[[str], None] = lambda which: None
) -> list[DifferentiableTask]:
    """Return one task for each of the batch (tasks,) of training and test losses.

    `announce` hears, before each evaluation, which loss that is: "training loss of task 2", for instance.
    """

    def loss(models: LinearModel, kind: str, i: int) -> DifferentiableLoss:
        return DifferentiableLoss(models.take(np.array(i)), partial(announce, f"{kind} loss of task {i}"))

    return [DifferentiableTask(loss(train, "training", i), loss(test, "test", i)) for i in range(len(train.design))]
