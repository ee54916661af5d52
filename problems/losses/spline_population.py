"""Many splines at once, each of which meets points of its own: the losses that a search tries."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Self

import numpy as np
import numpy.typing as npt

from problems.losses.curvature_spline import BASE, GRADIENT, VALUE, CurvatureSpline
from problems.noise import FiniteNoise
from theory.loss import Array, TaskIndex


@dataclass(frozen=True, eq=False)
class SplinePopulation(CurvatureSpline):
    """Splines of C members of a population, batch shape (C, *batch): point number c meets the losses of member c alone.

    So a point has shape (C, ..., *batch, 1): its first axis is that of the members, its last ones broadcast against
    `batch`, and what is between is left alone. To those who take a loss, members are points and `batch` are the tasks.
    """

    @classmethod
    def of(cls, losses: CurvatureSpline, members: int) -> Self:
        """Losses as those of so many members, one after the other: batch shape (members, tasks)."""
        return cls(losses.knots, losses.pieces, losses.index.reshape(members, -1))

    def take(self, tasks: TaskIndex) -> Self:
        """Losses of the tasks in `tasks`, of each member."""
        return replace(self, index=self.index[:, tasks])

    def tilted(self, slope: Array) -> Self:
        """Losses plus `slope · w`, `slope` (C, *batch)."""
        each, tilt = self.index.ravel(), slope.reshape(-1, 1)
        pieces = self.pieces[:, each]
        pieces[VALUE] += tilt * pieces[BASE]
        pieces[GRADIENT] += tilt
        return type(self)(self.knots[each], pieces, np.arange(len(each)).reshape(self.index.shape))

    def _index_at(self, x: Array) -> TaskIndex:
        members, *batch = self.index.shape
        return self.index.reshape(members, *(1,) * (x.ndim - 1 - len(batch)), *batch)


class PopulationNoise(FiniteNoise):
    """One datum adds `±σ_g w` to the losses of a member, with a `σ_g` of its own, (C,)."""

    hessian_sup = 0.0
    probabilities = np.array([0.5, 0.5])

    def __init__(self, population: SplinePopulation, sigma_g: npt.NDArray[np.float64]) -> None:
        self.population, self.sigma_g = population, sigma_g
        self.gradient_sup = float(sigma_g.max())

    def weighted(self, tasks: TaskIndex, weights: npt.NDArray[np.float64]) -> SplinePopulation:
        """Mean losses with `weights` (..., 2) on the two values."""
        sign = weights[..., 0] - weights[..., 1]
        return self.population.take(tasks).tilted(self.sigma_g.reshape(-1, *(1,) * sign.ndim) * sign)


def spread(pair: SplinePopulation) -> npt.NDArray[np.float64]:
    """`sup_w |l_1'(w) − l_2'(w)|/2` of the two tasks of each member, (C,): the constant σ of two tasks.

    The difference of the slopes is quadratic between the knots of both, so it is largest at one of these, or where
    `l_1'' = l_2''` between two. Beyond them it is constant if both have the same curvature there; infinite otherwise.
    """
    members = len(pair.index)
    knots = np.sort(pair.knots.reshape(members, -1), axis=1)
    slope, curvature = _differences(pair, knots)
    beyond = _differences(pair, knots[:, [0, -1]] + [-1.0, 1.0])[1]
    with np.errstate(all="ignore"):
        share = curvature[:, :-1] / (curvature[:, :-1] - curvature[:, 1:])
    turns = knots[:, :-1] + np.where((share > 0) & (share < 1), share, 0.0) * np.diff(knots)
    largest = np.abs(np.concatenate([slope, _differences(pair, turns)[0]], axis=1)).max(axis=1)
    return np.where((beyond == 0).all(axis=1), largest / 2, np.inf)


def _differences(pair: SplinePopulation, x: Array) -> tuple[Array, Array]:
    """`l_1' − l_2'` and `l_1'' − l_2''` at points `x` (C, n), of each member."""
    points = np.broadcast_to(x[:, :, None, None], (*x.shape, 2, 1))
    gradient, hessian = pair.linearize(points)
    curvature = hessian(np.ones_like(points))
    return gradient[:, :, 0, 0] - gradient[:, :, 1, 0], curvature[:, :, 0, 0] - curvature[:, :, 1, 0]
