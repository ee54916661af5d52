"""The meta-gradient of linear models, with the whole inner path kept as residuals.

With rows `a_k` (the matrix A) of n training data and residuals `u = (Aw − y)/c`, a step `w −= (α/n) Aᵀ c ψ′(u)` is
`u −= (α/n) AAᵀ ψ′(u)`, and a factor of the pull-back takes `q = Av` to `q − (α/n) AAᵀ (ψ″(u) ∘ q)`. So no point of the
path is formed, and only the sums `Σ_j ψ′(u_j)` and `Σ_j ψ″(u_j) ∘ q_j` go back through Aᵀ. A product with the Gram
matrix AAᵀ costs n² and not 2nd; for n > 2d it is made of two products with A instead.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np

from problems.losses.blocks import equal_blocks
from problems.losses.penalty import Penalty
from problems.losses.workspace import workspace
from theory.loss import Array

BLOCK, SMALLEST_STEP = 160_000, 4_000
"""Numbers in all work arrays together: those that a step touches then fit a second-level cache of 1 MB. But never so
few residuals in a step that calls cost more than the work in them."""


@dataclass(frozen=True)
class DataSets:
    """Data of some tasks: `design` A (tasks, n, d), `target` y/c (tasks, n, 1), `gram` AAᵀ (tasks, n, n) or None."""

    design: Array
    target: Array
    gram: Array | None = None

    def __getitem__(self, tasks: slice) -> DataSets:
        """Data of these tasks."""
        return DataSets(self.design[tasks], self.target[tasks], None if self.gram is None else self.gram[tasks])

    def residual(self, w: Array, out: Array) -> Array:
        """Residuals in widths c of the penalty, at w/c (..., d, P): (tasks, n, P)."""
        np.matmul(self.design, w, out=out)
        out -= self.target
        return out

    def back(self, weight: Array, out: Array) -> Array:
        """`Aᵀ weight`: (tasks, n, P) gives (tasks, d, P)."""
        return np.matmul(self.design.swapaxes(1, 2), weight, out=out)

    def round_trip(self, scale: float, middle: Array) -> Callable[[Array, Array], object]:
        """`(x, out) ↦ scale · AAᵀx`, into `out`; both (tasks, n, P). Where AAᵀ is not at hand, by `middle`: Aᵀx."""
        if self.gram is None:
            return lambda x, out: np.matmul(self.design, np.multiply(self.back(x, middle), scale, out=middle), out=out)
        gram = scale * self.gram
        return lambda x, out: np.matmul(gram, x, out=out)


def residual_meta_gradient(
    train: DataSets, test: DataSets, penalty: Penalty, points: Array, alpha: float, N: int
) -> Array:
    """Meta-gradients at `points` (1 or tasks, d, P), P for every task: (P, tasks, d). Needs `N ≥ 1`."""
    (tasks, n, d), P = train.design.shape, points.shape[-1]
    result = np.empty((P, tasks, d))
    residuals = max(BLOCK // (2 * N + 4), SMALLEST_STEP)
    point_blocks = equal_blocks(P, residuals // n)
    task_blocks = equal_blocks(tasks, residuals // (n * max(1, point_blocks[0].stop)))
    B, R = task_blocks[0].stop, point_blocks[0].stop
    work = workspace((2, N, B, n, R), (3, B, n, R), (3, B, test.design.shape[1], R), (2, B, d, R))
    for t, p in product(task_blocks, point_blocks):
        w = points[t if len(points) > 1 else slice(1), :, p] / penalty.c
        result[p, t] = _block(train[t], test[t], penalty, w, alpha, work).transpose(2, 0, 1)
    return result


def _block(train: DataSets, test: DataSets, penalty: Penalty, w: Array, alpha: float, work: Sequence[Array]) -> Array:
    """Meta-gradients (tasks, d, P), at `w` = points over c: the path is in widths of the penalty.

    The `work` arrays are (2, N, tasks, n, P), (3, tasks, n, P), (3, tasks, test n, P) and (2, tasks, d, P).
    """
    (curvatures, slopes), (x, change, total), (r, outer_slope, kept), (end, v) = work
    step = alpha / train.design.shape[1]
    move = train.round_trip(-step, middle=end)
    N = len(curvatures)
    u = train.residual(w, out=x)
    for j in range(N):
        penalty.slope(u, slopes[j], curvatures[j])
        if j < N - 1:
            move(slopes[j], change)
            u += change
    train.back(np.add.reduce(slopes, axis=0, out=total), out=end)
    end *= -step
    end += w
    penalty.slope(test.residual(end, out=r), outer_slope, kept)
    test.back(outer_slope, out=v)
    v /= test.design.shape[1]
    q = np.matmul(train.design, v, out=x)
    penalty.curvature(curvatures, scratch=slopes)
    for j in reversed(range(N)):
        curvatures[j] *= q
        if j > 0:
            move(curvatures[j], change)
            q += change
    train.back(np.add.reduce(curvatures, axis=0, out=total), out=end)
    end *= step
    v -= end
    return np.asarray(np.multiply(v, penalty.c, out=v))
