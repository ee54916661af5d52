"""The meta-gradient of linear models, with the whole inner path kept as residuals.

With rows `a_k` (the matrix A) of n training data and residuals `u = (Aw − y)/c`, a step `w −= (α/n) Aᵀ c ψ′(u)` is
`u −= (α/n) AAᵀ ψ′(u)`, and a factor of the pull-back takes `q = Av` to `q − (α/n) AAᵀ (ψ″(u) ∘ q)`. So no point of the
path is formed, and only the sums `Σ_j ψ′(u_j)` and `Σ_j ψ″(u_j) ∘ q_j` go back through Aᵀ. A product with the Gram
matrix AAᵀ costs n² and not 2nd; for n > 2d it is made of two products with A instead.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache, partial
from typing import TypeAlias

import numpy as np

from problems.losses.blocks import equal_blocks
from problems.losses.penalty import Penalty
from problems.losses.scalars import scalars
from problems.losses.workspace import workspace
from theory.loss import Array

BLOCK, SMALLEST_STEP = 160_000, 4_000
"""Numbers in all work arrays together: those that a step touches then fit a second-level cache of 1 MB. But never so
few residuals in a step that calls cost more than the work in them."""


RoundTrip: TypeAlias = Callable[[Array, Array], object]


@dataclass(frozen=True, eq=False)
class DataSets:
    """Data of some tasks: `design` A (tasks, n, d), `target` y/c (tasks, n, 1), `gram` AAᵀ (tasks, n, n) or None."""

    design: Array
    target: Array
    gram: Array | None = None

    def __getitem__(self, tasks: slice) -> DataSets:
        """Data of these tasks."""
        return DataSets(self.design[tasks], self.target[tasks], None if self.gram is None else self.gram[tasks])

    def residual(self, w: Array, out: Array) -> None:
        """Put residuals in widths c of the penalty, at w/c (1 or tasks, d, P), into `out` (tasks, n, P)."""
        tasks, n, d = self.design.shape
        if len(w) == 1:  # one product serves all tasks
            np.matmul(self.design.reshape(tasks * n, d), w[0], out.reshape(tasks * n, -1))
        else:
            np.matmul(self.design, w, out)
        np.subtract(out, self.target, out)

    def back(self, weight: Array, out: Array) -> None:
        """Put `Aᵀ weight` into `out`: (tasks, n, P) gives (tasks, d, P)."""
        np.matmul(self.design.swapaxes(1, 2), weight, out)

    def round_trip(self, scale: Array, middle: Array) -> RoundTrip:
        """`(x, out) ↦ scale · AAᵀx`, into `out`; both (tasks, n, P). Where AAᵀ is not at hand, by `middle`: Aᵀx."""
        if self.gram is not None:
            return partial(np.matmul, (scale * self.gram).swapaxes(1, 2))  # symmetric, and BLAS is faster this way

        def by_way_of_parameters(x: Array, out: Array) -> None:
            self.back(x, out=middle)
            np.multiply(middle, scale, middle)
            np.matmul(self.design, middle, out)

        return by_way_of_parameters


def residual_meta_gradient(
    train: DataSets, test: DataSets, penalty: Penalty, points: Array, alpha: float, N: int
) -> Array:
    """Meta-gradients at `points` (1 or tasks, d, P), P for every task: (P, tasks, d). Needs `N ≥ 1`."""
    P = points.shape[-1]
    if len(points) > 1:  # Tasks of the replicas' own are used once.
        return _Path(train, test, penalty, alpha, N, P).meta_gradient(points)
    return _kept_path(train, test, penalty, alpha, N, P, threading.get_ident()).meta_gradient(points)


class _Path:
    """Blocks, constants and work arrays of N steps from P points a task, for one thread."""

    def __init__(self, train: DataSets, test: DataSets, penalty: Penalty, alpha: float, N: int, P: int) -> None:
        (tasks, n, d), m = train.design.shape, test.design.shape[1]
        residuals = max(BLOCK // (2 * N + 4), SMALLEST_STEP)
        self.point_blocks = equal_blocks(P, residuals // n)
        R = self.point_blocks[0].stop
        task_blocks = equal_blocks(tasks, residuals // (n * max(1, R)))
        B = task_blocks[0].stop
        self.curvatures, self.slopes, *self.work = workspace(
            *2 * [(N, B, n, R)], *3 * [(B, n, R)], *3 * [(B, m, R)], *2 * [(B, d, R)]
        )
        self.steps = list(zip(self.slopes, self.curvatures, strict=True))
        self.penalty, self.result_shape = penalty, (P, tasks, d)
        self.width, self.step, self.step_back, self.test_share = scalars(penalty.c, alpha / n, -alpha / n, 1 / m)
        self.data = [(at, train[at], test[at]) for at in task_blocks]
        self.moves = [part.round_trip(self.step_back, middle=self.work[-1]) for _, part, _ in self.data]

    def meta_gradient(self, points: Array) -> Array:
        """Meta-gradients at `points` (1 or tasks, d, P): (P, tasks, d)."""
        result = np.empty(self.result_shape)
        for (tasks, train, test), move in zip(self.data, self.moves, strict=True):
            for at in self.point_blocks:
                w = points[tasks if len(points) > 1 else slice(1), :, at] / self.width
                by_task = self._block(train, test, move, w)
                np.multiply(by_task.transpose(2, 0, 1), self.width, result[at, tasks])
        return result

    def _block(self, train: DataSets, test: DataSets, move: RoundTrip, w: Array) -> Array:
        """Meta-gradients over c (tasks, d, P), at `w` = points over c: the path is in widths of the penalty."""
        penalty = self.penalty
        x, change, total, r, outer_slope, kept, v, end = self.work
        train.residual(w, out=x)
        for j, (slope, curvature) in enumerate(self.steps):
            if j > 0:
                move(self.slopes[j - 1], change)
                np.add(x, change, x)
            penalty.slope(x, slope, curvature)
        train.back(np.add.reduce(self.slopes, axis=0, out=total), out=end)
        np.multiply(end, self.step_back, end)
        np.add(end, w, end)
        test.residual(end, out=r)
        penalty.slope(r, outer_slope, kept)
        test.back(outer_slope, out=v)
        np.multiply(v, self.test_share, v)
        np.matmul(train.design, v, x)
        penalty.curvature(self.curvatures, scratch=self.slopes)
        for j in reversed(range(len(self.steps))):
            curvature = self.curvatures[j]
            np.multiply(curvature, x, curvature)
            if j > 0:
                move(curvature, change)
                np.add(x, change, x)
        train.back(np.add.reduce(self.curvatures, axis=0, out=total), out=end)
        np.multiply(end, self.step, end)
        np.subtract(v, end, v)
        return v


@lru_cache(maxsize=8)
def _kept_path(train: DataSets, test: DataSets, penalty: Penalty, alpha: float, N: int, P: int, thread: int) -> _Path:
    """The path of a thread, kept for its next call: at small sizes it costs a third of the steps."""
    return _Path(train, test, penalty, alpha, N, P)
