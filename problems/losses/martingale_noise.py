"""Data whose noise depends on the point, so that noisy paths are a chain on two points a step."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Self

import numpy as np
import numpy.typing as npt

from problems.noise import FiniteNoise
from theory.loss import Array, Loss, TaskIndex


@dataclass(frozen=True)
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
        t, _ = self._outwards(w)
        beyond = np.where(self._rightwards, w - self.nodes[1:], self.nodes[:-1] - w)
        areas = np.diff(self.nodes) * t**3 * (1 - t / 2) + np.maximum(beyond, 0)
        level = self.levels[..., self.base] * (w[..., 0] - self.nodes[self.base])
        return np.asarray(self.loss.value(w) + level + (np.diff(self.levels) * areas).sum(axis=-1))

    def gradient(self, w: Array) -> Array:
        """Gradient at `w`, (..., 1)."""
        t, sign = self._outwards(w)
        blend = (np.diff(self.levels) * sign * t**2 * (3 - 2 * t)).sum(axis=-1)
        return np.asarray(self.loss.gradient(w) + (self.levels[..., self.base] + blend)[..., None])

    def hvp(self, w: Array, v: Array) -> Array:
        """Second derivative at `w` times `v`, (..., 1)."""
        t, _ = self._outwards(w)
        slope = (np.diff(self.levels) / np.diff(self.nodes) * 6 * t * (1 - t)).sum(axis=-1)
        return np.asarray(self.loss.hvp(w, v) + slope[..., None] * v)

    def take(self, tasks: TaskIndex) -> Self:
        """Losses of the tasks in `tasks`."""
        return replace(self, loss=self.loss.take(tasks), levels=self.levels[tasks])

    @property
    def _rightwards(self) -> npt.NDArray[np.bool_]:
        """Which segments between nodes lie right of the base: (M − 1,)."""
        return np.arange(len(self.nodes) - 1) >= self.base

    def _outwards(self, w: Array) -> tuple[Array, Array]:
        """How far `w` (..., 1) is on each segment, from its inner end (0) to its outer (1), and outwards' sign."""
        share = np.clip((w - self.nodes[:-1]) / np.diff(self.nodes), 0, 1)
        return np.where(self._rightwards, share, 1 - share), np.where(self._rightwards, 1.0, -1.0)


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
