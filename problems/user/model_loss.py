"""Losses of one function `loss(parameters, data)` on the data of each task, which a framework evaluates in batches."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from theory.loss import Array, Loss, TaskIndex

CHUNK_BYTES = 2**28
COPIES = 64
"""A row is taken to need so many copies of its parameters and data: layers, and derivatives of layers."""


@dataclass(frozen=True)
class DataSets:
    """Data of tasks, those of equal shape stacked: tasks loop only over shapes.

    Attributes
    ----------
    stacks : trees of arrays with a leading axis of tasks, one for each shape.
    stack, place : (tasks,) in which stack the data of a task are, and where.
    """

    stacks: tuple[Any, ...]
    stack: TaskIndex
    place: TaskIndex

    def __len__(self) -> int:
        return len(self.stack)


class Differentiator(ABC):
    """A loss function in a framework: value, gradient and Hessian-vector product at many points, each with its data."""

    @abstractmethod
    def evaluate(self, what: str, stack: Any, place: TaskIndex, *points: Array) -> Array:
        """Evaluate "value", "gradient" or "hvp" at `points` (n, d), on the data at `place` (n,) of a stack."""

    @abstractmethod
    def floats(self, stack: Any) -> int:
        """Numbers in the data of one task."""

    def rows(self, what: str, data: DataSets, task: TaskIndex, *points: Array) -> Array:
        """Evaluate at `points` (n, d), each for one `task` (n,), a chunk that fits in memory at a time.

        Rows that are not finite, where a run has diverged, give NaN.
        """
        shape = points[0].shape[:1] if what == "value" else points[0].shape
        out = np.full(shape, np.nan)
        finite = np.all([np.isfinite(array).all(axis=1) for array in points], axis=0)
        for number in np.unique(data.stack[task]):
            stack = data.stacks[number]
            of_stack = np.flatnonzero(finite & (data.stack[task] == number))
            for at in _chunks(of_stack, 8 * COPIES * (points[0].shape[1] + self.floats(stack))):
                out[at] = self.evaluate(what, stack, data.place[task[at]], *(array[at] for array in points))
        return out


def _chunks(rows: TaskIndex, bytes_of_a_row: int) -> list[TaskIndex]:
    size = max(1, CHUNK_BYTES // bytes_of_a_row)
    return [rows[first : first + size] for first in range(0, len(rows), size)]


@dataclass(frozen=True)
class ModelLoss(Loss):
    """A batch of losses: those of `tasks`, whose shape is the batch shape."""

    function: Differentiator
    data: DataSets
    tasks: TaskIndex

    @classmethod
    def of(cls, function: Differentiator, data: DataSets) -> Self:
        """All tasks, batch shape (tasks,)."""
        return cls(function, data, np.arange(len(data)))

    def take(self, tasks: TaskIndex) -> Self:
        """Losses of `tasks`."""
        return type(self)(self.function, self.data, self.tasks[tasks])

    def value(self, w: Array) -> Array:
        """Loss at `w` (..., d): shape (...)."""
        return self._evaluate("value", w)

    def gradient(self, w: Array) -> Array:
        """Gradient at `w` (..., d): shape (..., d)."""
        return self._evaluate("gradient", w)

    def hvp(self, w: Array, v: Array) -> Array:
        """Hessian at `w` (..., d) times `v` (..., d): shape (..., d)."""
        return self._evaluate("hvp", w, v)

    def _evaluate(self, what: str, *points: Array) -> Array:
        shape = np.broadcast_shapes(self.tasks.shape, *(array.shape[:-1] for array in points))
        d = points[0].shape[-1]
        rows = [np.broadcast_to(array, (*shape, d)).reshape(-1, d) for array in points]
        task = np.broadcast_to(self.tasks, shape).reshape(-1)
        found = self.function.rows(what, self.data, task, *rows)
        return found.reshape(*shape, *found.shape[1:])
