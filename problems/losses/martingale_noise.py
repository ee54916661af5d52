"""Data whose noise depends on the point, so that noisy paths are a chain on two points a step."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Self

import numpy as np
import numpy.typing as npt

from problems.noise import FiniteNoise
from theory.loss import Array, Loss, TaskIndex


@dataclass(frozen=True, eq=False)
class Blended(Loss):
    """`l_i(w) + n_i(w)` on the line: the slope `n'` has given levels at some nodes and is blended between them.

    From one node to the next it goes like `t²(3 − 2t)`, so it stands still at the nodes; beyond them it is constant.
    `n = 0` at the node number `base`; values and slopes are sums outwards from there.

    Attributes
    ----------
    loss : batch shape (...).
    nodes : (M,), increasing.
    levels : (..., M), the slopes at the nodes.
    base : a node number.
    """

    loss: Loss
    nodes: npt.NDArray[np.float64]
    levels: npt.NDArray[np.float64]
    base: int

    def value(self, w: Array) -> Array:
        """Loss at `w` (..., 1): shape (...)."""
        inner, outer, dx, width, t = self._locate(w)
        level = self.levels.take(inner)
        rise = self.levels.take(outer) - level
        blend = self._sums.take(inner) + level * dx + rise * width * t**3 * (1 - t / 2)
        return np.asarray(self.loss.value(w) + blend)

    def gradient(self, w: Array) -> Array:
        """Gradient at `w`, (..., 1)."""
        inner, outer, _, _, t = self._locate(w)
        level = self.levels.take(inner)
        blend = level + (self.levels.take(outer) - level) * t**2 * (3 - 2 * t)
        return np.asarray(self.loss.gradient(w) + blend[..., None])

    def hvp(self, w: Array, v: Array) -> Array:
        """Second derivative at `w` times `v`, (..., 1)."""
        inner, outer, _, width, t = self._locate(w)
        slope = (self.levels.take(outer) - self.levels.take(inner)) / width * 6 * t * (1 - t)
        return np.asarray(self.loss.hvp(w, v) + slope[..., None] * v)

    def take(self, tasks: TaskIndex) -> Self:
        """Losses of the tasks in `tasks`."""
        return replace(self, loss=self.loss.take(tasks), levels=self.levels[tasks])

    def _locate(self, w: Array) -> tuple[TaskIndex, TaskIndex, Array, Array, Array]:
        """The nodes around `w` (..., 1), that nearer to the base first; `w` from the first, their distance, its share.

        Nodes are numbered through all losses of the batch. Beyond the last node both are the last one, where the slope
        stays.
        """
        x = w[..., 0]
        left = np.searchsorted(self.nodes, x, side="right")
        rightwards, last = left > self.base, len(self.nodes) - 1
        inner = np.where(rightwards, left - 1, left)
        outer = np.where(rightwards, np.minimum(left, last), np.maximum(left - 1, 0))
        dx, width = x - self.nodes[inner], self.nodes[outer] - self.nodes[inner]
        width = np.where(width == 0, 1.0, width)
        *batch, M = self.levels.shape
        first = M * np.arange(math.prod(batch)).reshape(batch)
        return first + inner, first + outer, dx, width, np.clip(dx / width, 0, 1)

    @cached_property
    def _sums(self) -> Array:
        """The slopes' integrals from the base to each node, (..., M)."""
        areas = np.diff(self.nodes) * (self.levels[..., 1:] + self.levels[..., :-1]) / 2
        left, right = np.split(areas, [self.base], axis=-1)
        outwards = (
            -np.cumsum(left[..., ::-1], axis=-1)[..., ::-1],
            np.zeros((*areas.shape[:-1], 1)),
            np.cumsum(right, -1),
        )
        return np.concatenate(outwards, axis=-1)


class MartingaleNoise(FiniteNoise):
    """One datum adds a slope that has, at each node, one of two values of mean zero, and is blended between nodes.

    All laws are driven by one number U, uniform in [0, 1]: node k has `up_k` where `U < chance_k`, else `down_k`, so
    the atoms are the intervals between the chances. A blend is a convex combination with weights that depend on w
    alone: its mean is zero, and its mean square is at most the largest of the nodes (Jensen), which is `σ_g²`. The
    Hessian noise is largest in the middle between two nodes, where the blend has slope 3/2 in units of their distance.

    Parameters
    ----------
    population : losses of all tasks on the line, batch shape (tasks,).
    nodes : (M,), in any order; noise adds nothing to the loss at the first of them.
    up, down, chance : (M,), with `chance · up + (1 − chance) · down = 0`.

    Source: own.
    """

    def __init__(
        self, population: Loss, nodes: npt.ArrayLike, up: npt.ArrayLike, down: npt.ArrayLike, chance: npt.ArrayLike
    ) -> None:
        order = np.argsort(nodes)
        self.nodes, above, below, odds = (np.asarray(x, dtype=np.float64)[order] for x in (nodes, up, down, chance))
        self.base = int(np.flatnonzero(order == 0)[0])
        edges = np.unique([0.0, *odds, 1.0])
        middles = (edges[1:] + edges[:-1]) / 2
        self.population, self.probabilities = population, np.diff(edges)
        self.levels = np.where(middles < odds[:, None], above[:, None], below[:, None])
        turns = 1.5 * np.diff(self.levels, axis=0) / np.diff(self.nodes)[:, None]
        self.gradient_sup, self.hessian_sup = float(np.abs(self.levels).max()), float(np.abs(turns).max(initial=0.0))
        self.sigma_g = float(np.sqrt((self.levels**2 @ self.probabilities).max()))
        self.sigma_H = float(np.sqrt((turns**2 @ self.probabilities).max(initial=0.0)))

    def weighted(self, tasks: TaskIndex, weights: npt.NDArray[np.float64]) -> Blended:
        """Mean loss with `weights` (..., atoms): the population loss, and the mean of the atoms' slopes."""
        return Blended(self.population.take(tasks), self.nodes, weights @ self.levels.T, self.base)
