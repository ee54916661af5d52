"""One-dimensional losses made by drawing their second derivative."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Self

import numpy as np
import numpy.typing as npt

from theory.loss import Array, Loss, TaskIndex
from theory.validation import Float64Error

BASE, VALUE, GRADIENT, CURVATURE, SLOPE = range(5)
FEW_KNOTS, FEW_POINTS = 64, 1024
"""Up to so many knots a point is compared with each; and up to so many points with all of them at once."""


@dataclass(frozen=True, eq=False)
class CurvatureSpline(Loss):
    """Losses `l_i` on the line with `l_i''` continuous, linear between knots and constant beyond the ends.

    Each segment carries a base point with the loss and its derivatives there, so that a point is evaluated by one
    Taylor polynomial, exact to rounding; the base is the end of the segment nearer to the anchor, where errors are
    least.

    Attributes
    ----------
    knots : (tasks, M), strictly increasing per task.
    pieces : (5, tasks, M + 1), base point, l, l', l'' and l''' (the slope of l'') of each segment.
    index : (batch), the task of each loss: a batch of any size shares one table.

    Source: own.
    """

    knots: npt.NDArray[np.float64]
    pieces: npt.NDArray[np.float64]
    index: TaskIndex

    @classmethod
    def draw(
        cls, knots: npt.ArrayLike, curvature: npt.ArrayLike, *, anchor: int, gradient: npt.ArrayLike = 0.0
    ) -> CurvatureSpline:
        """Losses with `l'' = curvature` at `knots`, and with `l = 0` and `l' = gradient` at the knot number `anchor`.

        Parameters
        ----------
        knots, curvature : (M,) or (tasks, M).
        anchor : a knot number, 0 ≤ anchor < M.
        gradient : a number or (tasks,).

        Raises
        ------
        Float64Error : knots that do not increase strictly, as where two are nearer than float64 can tell.
        ValueError : an anchor that is no knot.
        """
        x, h, g = np.broadcast_arrays(*np.atleast_2d(knots, curvature), np.asarray(gradient, float)[..., None])
        x, h, g = (np.asarray(a, dtype=np.float64) for a in (x, h, g[..., 0]))
        M = x.shape[-1]
        if not (np.diff(x) > 0).all():
            raise Float64Error("knots are not allowed: they must increase strictly")
        if not 0 <= anchor < M:
            raise ValueError(f"anchor = {anchor} is not allowed: anchor must be >= 0 and < {M}, the number of knots")
        slope = np.diff(h) / np.diff(x)
        right = _outward(x[:, anchor:], h[:, anchor:], g)
        left = _outward(x[:, anchor::-1], h[:, anchor::-1], g)
        value, slopes = (np.concatenate([a[:, :0:-1], b], axis=-1) for a, b in zip(left, right, strict=True))
        at_knots = np.stack([x, value, slopes, h])
        segment = np.arange(M + 1)
        base = np.where(segment <= anchor, segment, segment - 1)
        pieces = np.concatenate([at_knots[..., base], np.pad(slope, ((0, 0), (1, 1)))[None]])
        return cls(x, pieces, np.arange(len(x)))

    def value(self, w: Array) -> Array:
        """Loss at `w` (..., 1): shape (...)."""
        dx, piece = self._locate(w)
        value, gradient, curvature, slope = (of.take(piece) for of in self.pieces[VALUE:])
        return np.asarray(value + dx * (gradient + dx * (curvature / 2 + dx * slope / 6)))

    def gradient(self, w: Array) -> Array:
        """Gradient at `w`, (..., 1)."""
        return self._filled(w, self._at(w.item())[0]) if self._alone(w) else self.linearize(w)[0]

    def hvp(self, w: Array, v: Array) -> Array:
        """Second derivative at `w` times `v`, (..., 1)."""
        dx, piece = self._locate(w)
        curvature = self.pieces[CURVATURE].take(piece) + dx * self.pieces[SLOPE].take(piece)
        return np.asarray(curvature[..., None] * v)

    def linearize(self, w: Array) -> tuple[Array, Callable[[Array], Array]]:
        """Gradient and Hessian at `w` from one search for its segment."""
        if self._alone(w):
            slope, curvature = (self._filled(w, value) for value in self._at(w.item()))
            return slope, lambda v: curvature * v
        dx, piece = self._locate(w)
        at_base = self.pieces[CURVATURE].take(piece)
        curvature = at_base + dx * self.pieces[SLOPE].take(piece)
        gradient = self.pieces[GRADIENT].take(piece) + dx * (at_base + curvature) / 2
        return gradient[..., None], lambda v: curvature[..., None] * v

    def fused_meta_gradient(self, w: Array, alpha: float, N: int, outer: Loss) -> Array | None:
        """The same operations in Python's own floats where one point meets one loss."""
        if not (self._alone(w) and isinstance(outer, CurvatureSpline) and outer._alone(w)):
            return None
        x, curvatures = w.item(), []
        for _ in range(N):
            slope, curvature = self._at(x)
            curvatures.append(curvature)
            x -= alpha * slope
        v, _ = outer._at(x)
        for curvature in reversed(curvatures):
            v -= alpha * (curvature * v)
        return self._filled(w, v)

    def take(self, tasks: TaskIndex) -> Self:
        """Losses of the tasks in `tasks`."""
        return replace(self, index=self.index[tasks])

    def infimum(self) -> npt.NDArray[np.float64]:
        """`inf l_i`, shape (batch), to rounding; −∞ where the loss falls for ever to one side."""
        every = replace(self, index=np.arange(len(self.knots)))
        g, h, slope = self.pieces[GRADIENT:]
        # Where l' vanishes on the polynomial of a segment, inside it or not: no value of the loss is below its infimum.
        with np.errstate(all="ignore"):
            half = -(h + np.copysign(np.sqrt(h * h - 2 * slope * g), h))
            steps = np.concatenate([half / slope, 2 * g / half], axis=-1)
        steps[~np.isfinite(steps)] = 0.0
        points = np.concatenate([self.knots, np.tile(self.pieces[BASE], 2) + steps], axis=-1)
        lowest = every.value(points.T[..., None]).min(axis=0)
        outward = every.gradient(self.knots[:, [0, -1]].T[..., None])[..., 0] * np.array([[-1], [1]])
        curvature = h[:, [0, -1]].T
        falls = (curvature < 0) | ((curvature == 0) & (outward < 0))
        return np.where(falls.any(axis=0), -np.inf, lowest)[self.index]

    def extremes(self) -> npt.NDArray[np.float64]:
        """Points (m, 1) where derivatives are extreme: the knots, and for the third one the middles between them."""
        return np.unique(np.concatenate([self.knots, (self.knots[:, 1:] + self.knots[:, :-1]) / 2], axis=1))[:, None]

    def lower_bound(self) -> float:
        """Mean over tasks of `inf l_i`: a lower bound of any meta objective with these test losses."""
        return float(self.infimum().mean())

    def _locate(self, w: Array) -> tuple[Array, TaskIndex]:
        """Distance of `w` from the base of its segment (...), and the number of that piece among all (...)."""
        x = w[..., 0]
        index = self._index_at(x)
        piece = self.pieces.shape[-1] * index + self._segment(x, index)
        return x - self.pieces[BASE].take(piece), piece

    def _index_at(self, x: Array) -> TaskIndex:
        """The task of the loss that each point `x` (...) meets, to broadcast against `x`."""
        return self.index

    def _segment(self, x: Array, index: TaskIndex) -> Array:
        """How many knots are at `x` (...) or left of it: by comparing with all, or by bisection where they are many.

        All are compared at once where points are few, and one after the other where they are many: that costs a tenth.
        """
        M = self.knots.shape[-1]
        if len(self.knots) == 1:
            return self.knots[0].searchsorted(x, side="right")
        if M <= FEW_KNOTS:
            if max(x.size, index.size) <= FEW_POINTS:
                return np.asarray((x[..., None] >= self.knots[index]).sum(axis=-1))
            passed = (x >= self.knots[index, 0]).view(np.int8)
            for k in range(1, M):
                passed = passed + (x >= self.knots[index, k]).view(np.int8)
            return passed
        knots, first = self.knots.ravel(), M * index
        segment = np.zeros(np.broadcast_shapes(x.shape, index.shape), dtype=np.intp)
        for step in (1 << bit for bit in reversed(range(M.bit_length()))):
            further = segment + step
            segment = np.where((further <= M) & (x >= knots[first + np.minimum(further, M) - 1]), further, segment)
        return segment

    def _alone(self, w: Array) -> bool:
        """Whether one point meets one loss: there an array costs ten times as much as Python's own floats."""
        return w.size == 1 and self.index.size == 1 and w.dtype.kind != "c"

    def _at(self, x: float) -> tuple[float, float]:
        """Slope and curvature of the only loss, at a number: the operations of `linearize`."""
        knots, segments = self._lists
        base, _, gradient, curvature, slope = segments[bisect_right(knots, x)]
        dx = x - base
        there = curvature + dx * slope
        return gradient + dx * (curvature + there) / 2, there

    def _filled(self, w: Array, value: float) -> Array:
        """The only gradient, in the shape that gradients at `w` have."""
        return np.array(value, ndmin=max(w.ndim, self.index.ndim + 1))

    @cached_property
    def _lists(self) -> tuple[list[float], list[list[float]]]:
        """Knots and pieces of the only loss."""
        only = self.index.item()
        return self.knots[only].tolist(), self.pieces[:, only].T.tolist()


def _outward(x: Array, h: Array, g: Array) -> tuple[Array, Array]:
    """Loss and slope at points `x` (tasks, n), in order away from the anchor `x[:, 0]`; there they are 0 and `g`."""
    dx, h_near, h_far = np.diff(x), h[:, :-1], h[:, 1:]
    start = np.zeros((len(x), 1))
    gradient = g[:, None] + np.concatenate([start, np.cumsum(dx * (h_near + h_far) / 2, axis=-1)], axis=-1)
    rise = dx * (gradient[:, :-1] + dx * (2 * h_near + h_far) / 6)
    return np.concatenate([start, np.cumsum(rise, axis=-1)], axis=-1), gradient
