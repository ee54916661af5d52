"""Losses on the line as points of a box: knots and slopes of `l''`, seen from `w = 0`, in units of `L` and `ρ`."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from problems.losses.curvature_spline import CurvatureSpline
from problems.losses.spline_population import SplinePopulation
from theory.loss import Array

LEFT, RIGHT = 6, 3
"""Knots on either side of `w`, apart from the last: the inner path of the first task goes to the left."""
GAPS = -2.5, 1.5
"""Powers of ten between which the gaps of knots are, in `L/ρ`."""
STEEP = 2.0
"""The box of slopes is so much wider than what is allowed, and cut: so the steepest ones are common."""
RISE = 1e-3
"""Least gap, in `L/ρ`, before the last knot on each side, from where on `l'' = L`."""


@dataclass(frozen=True)
class Members:
    """C members of a population, each with the losses of its tasks; `l_i(0) = 0`, `L = ρ = 1`.

    Attributes
    ----------
    knots, curvature : (C, tasks, M) of each loss.
    gradient : (C, tasks), the slopes at 0.
    """

    knots: npt.NDArray[np.float64]
    curvature: npt.NDArray[np.float64]
    gradient: npt.NDArray[np.float64]

    @property
    def losses(self) -> SplinePopulation:
        """The losses, each member at its own points."""
        flat = (x.reshape(-1, x.shape[-1]) for x in (self.knots, self.curvature))
        spline = CurvatureSpline.draw(*flat, anchor=LEFT + 1, gradient=self.gradient.ravel())
        return SplinePopulation.of(spline, members=len(self.knots))


@dataclass(frozen=True)
class Coding:
    """How members are coded by points of the box `[0, 1]^length`.

    Attributes
    ----------
    tasks : one or two.
    gradients : powers of ten between which `|l_1'(0)|` is, in `L²/ρ`.
    """

    tasks: int
    gradients: tuple[float, float]

    @property
    def length(self) -> int:
        """Number of coordinates."""
        return self.tasks * (2 * (LEFT + RIGHT) + 3)

    def members(self, coded: Array) -> Members:
        """Members of the population `coded` (C, length)."""
        each = coded.reshape(len(coded), self.tasks, -1)
        size, at_zero = each[..., 0], np.clip(STEEP * (2 * each[..., 1] - 1), -1, 1)
        left, right = np.split(each[..., 3:], [2 * LEFT], axis=-1)
        knots, curvature = zip(*(_outward(half, at_zero) for half in (left, right)), strict=True)
        zero = np.zeros_like(at_zero)[..., None]
        # The first slope is positive, for a loss and its mirror image are one; the second has a sign of its own.
        sign = np.where((np.arange(self.tasks) == 0) | (each[..., 2] > 0.5), 1.0, -1.0)
        x = np.concatenate([-knots[0][..., ::-1], zero, knots[1]], axis=-1)
        h = np.concatenate([curvature[0][..., ::-1], at_zero[..., None], curvature[1]], axis=-1)
        low, high = self.gradients
        return Members(x, h, sign * 10 ** (low + (high - low) * size))


def _outward(half: Array, at_zero: Array) -> tuple[Array, Array]:
    """Knots on one side, by their distances from 0, and the curvature there, which ends at 1: (C, tasks, n + 1)."""
    gaps, slopes = np.split(half, 2, axis=-1)
    gaps = 10 ** (GAPS[0] + (GAPS[1] - GAPS[0]) * gaps)
    slopes = np.clip(STEEP * (2 * slopes - 1), -1, 1)
    curvature = [at_zero]
    for gap, slope in zip(np.moveaxis(gaps, -1, 0), np.moveaxis(slopes, -1, 0), strict=True):
        curvature.append(np.clip(curvature[-1] + gap * slope, -1, 1))
    last = np.maximum(1 - curvature[-1], RISE)
    knots = np.cumsum(np.concatenate([gaps, last[..., None]], axis=-1), axis=-1)
    return knots, np.stack([*curvature[1:], np.ones_like(last)], axis=-1)
