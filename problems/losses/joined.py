"""Losses on the line that share the outline of their curvature and differ by bumps."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from problems.losses.curvature_spline import CurvatureSpline

Drawn: TypeAlias = tuple[npt.ArrayLike, npt.ArrayLike]
"""Knots in any order and shape, and the curvature there."""


def joined(outline: Drawn, own: Sequence[Drawn], gradient: npt.ArrayLike) -> CurvatureSpline:
    """Losses with `l''` through the knots of a common outline and those of their own, and given slopes at 0.

    Each loss gets the knots of all, on which its own curvature does not change.
    Raises Float64Error where two knots are nearer than float64 can tell.
    """
    knots = np.unique(np.concatenate([[0.0], *(np.ravel(x) for x, _ in (outline, *own))]))
    curvature = [np.interp(knots, *_ascending(outline, bumps)) for bumps in own]
    return CurvatureSpline.draw(knots, curvature, anchor=int(np.searchsorted(knots, 0.0)), gradient=gradient)


def _ascending(*parts: Drawn) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    knots, curvature = (np.concatenate([np.ravel(part[of]) for part in parts]) for of in (0, 1))
    order = np.argsort(knots)
    return knots[order], curvature[order]


def tails(low: float, high: float, L: float, rho: float, between: float) -> Drawn:
    """Outline with `l'' = between` on [low, high] that rises with slope ρ to `+L` beyond both ends."""
    width = (L - between) / rho
    return [low - width, low, high, high + width], [L, between, between, L]


def bumps(centers: npt.ArrayLike, offsets: npt.ArrayLike, curvature: npt.ArrayLike) -> Drawn:
    """Equal bumps around some centres."""
    x = np.asarray(centers, dtype=np.float64)[:, None] + np.asarray(offsets, dtype=np.float64)
    return x, np.broadcast_to(np.asarray(curvature, dtype=np.float64), x.shape)


def path(steps: int, alpha_L: float, L: float, slope: float, area: float = 0.0) -> npt.NDArray[np.float64]:
    """Distances from 0 of the points of an inner path where `l'' = −L`, but for bumps of this area in each step."""
    points = [0.0]
    for _ in range(steps):
        points.append(points[-1] + alpha_L / L * slope)
        slope = (1 + alpha_L) * slope - area
    return np.array(points)
