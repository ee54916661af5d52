"""Oracle calls, counted as they are made."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Self

from theory.loss import Array, Loss, TaskIndex


@dataclass
class OracleCount:
    """Data points whose gradient or Hessian was asked for, per replica."""

    gradients: int = 0
    hessians: int = 0


@dataclass(frozen=True)
class Counted(Loss):
    """A loss that counts its oracle calls: `size` data points per task for each gradient and each Hessian.

    Where `drawn` is given, its tasks stand for so many that were drawn, some of them several times.
    """

    loss: Loss
    size: int
    count: OracleCount
    drawn: int | None = None

    def _data(self, per_task: Array) -> int:
        """Data points that one result for every task stands for."""
        return (self.drawn or per_task.shape[-2]) * self.size

    def value(self, w: Array) -> Array:
        """Loss at `w`; not an oracle of the theory, so not counted."""
        return self.loss.value(w)

    def gradient(self, w: Array) -> Array:
        """Gradient at `w`, counted."""
        gradient = self.loss.gradient(w)
        self.count.gradients += self._data(gradient)
        return gradient

    def hvp(self, w: Array, v: Array) -> Array:
        """Hessian-vector product, counted as one Hessian."""
        product = self.loss.hvp(w, v)
        self.count.hessians += self._data(product)
        return product

    def take(self, tasks: TaskIndex) -> Self:
        """Losses of `tasks`, counted in the same place."""
        return type(self)(self.loss.take(tasks), self.size, self.count)

    def linearize(self, w: Array) -> tuple[Array, Callable[[Array], Array]]:
        """Gradient and Hessian at `w`; each is counted when it is asked for."""
        gradient, hessian = self.loss.linearize(w)
        self.count.gradients += self._data(gradient)

        def counted_hessian(v: Array) -> Array:
            product = hessian(v)
            self.count.hessians += self._data(product)
            return product

        return gradient, counted_hessian

    def fused_meta_gradient(self, w: Array, alpha: float, N: int, outer: Loss) -> Array | None:
        """Fused meta-gradient: N gradients and N Hessians of this loss, and one gradient of the outer loss."""
        plain = outer.loss if isinstance(outer, Counted) else outer
        fused = self.loss.fused_meta_gradient(w, alpha, N, plain)
        if fused is not None:
            self.count.gradients += self._data(fused) * N
            self.count.hessians += self._data(fused) * N
            if isinstance(outer, Counted):
                outer.count.gradients += outer._data(fused)
        return fused
