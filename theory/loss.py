"""What MAML asks of a loss."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any, Self, TypeAlias

import numpy as np
import numpy.typing as npt

Array: TypeAlias = npt.NDArray[Any]
"""A float64 array (complex128 where a loss is differentiated by a complex step)."""

TaskIndex: TypeAlias = npt.NDArray[np.intp]
"""Task numbers; its shape becomes the batch shape of the losses it selects."""


class Loss(ABC):
    """A batch of losses, one per task: `batch` is the shape of the batch, `(B,)` or `(R, B)`.

    A point has shape `(..., d)`; its leading axes broadcast against `batch`. So a point of shape `(R, 1, d)` meets the
    `B` tasks of each of `R` replicas, and `(P, 1, d)` meets all tasks at each of `P` probes.
    """

    @abstractmethod
    def value(self, w: Array) -> Array:
        """Loss at `w` (..., d), per task: shape (...)."""

    @abstractmethod
    def gradient(self, w: Array) -> Array:
        """Gradient at `w` (..., d), per task: shape (..., d)."""

    @abstractmethod
    def hvp(self, w: Array, v: Array) -> Array:
        """Hessian at `w` (..., d) times `v` (..., d), per task: shape (..., d)."""

    @abstractmethod
    def take(self, tasks: TaskIndex) -> Self:
        """Losses of the tasks in `tasks`, an index array whose shape is the new batch shape."""

    def linearize(self, w: Array) -> tuple[Array, Callable[[Array], Array]]:
        """Gradient at `w`, and `v ↦ ∇²l(w) v`; overridden where the two share work."""
        return self.gradient(w), lambda v: self.hvp(w, v)

    def fused_meta_gradient(self, w: Array, alpha: float, N: int, outer: Loss) -> Array | None:
        """Meta-gradient of `N` steps on this loss under `outer`, where the loss knows a cheaper way than step by step.

        None (the default) sends the caller to the general way. The result equals the general one up to rounding.
        """
        return None
