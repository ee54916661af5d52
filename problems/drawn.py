"""Losses on the line that a file draws by their second derivatives: what a search for the worst loss leaves behind."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np

from problems.line_problem import line_problem
from problems.losses.curvature_spline import CurvatureSpline
from problems.losses.spline_population import SplinePopulation, spread
from problems.probes import probes_around
from problems.problem import Problem
from theory.validation import real

ROUNDING = 1e-9
"""By how much, relatively, the numbers of a file may exceed its `L` and `ρ`."""


@dataclass(frozen=True, kw_only=True)
class Drawn:
    """One or two losses `l_i` with `l_i''` continuous, linear between knots and constant beyond; `l_i(0) = 0`.

    Attributes
    ----------
    L, rho : `|l_i''| ≤ L`, and its slopes are at most ρ.
    knots, curvature : of each task, the same number for all; 0 is among the knots.
    gradient : `l_i'(0)` of each task.
    sigma_g : one datum adds `±σ_g w`, each with probability ½.
    points : where to look; the first is the start.
    scale : over which distances.

    Raises
    ------
    ValueError : one line, where these are not such losses.
    """

    L: float
    rho: float
    knots: Sequence[Sequence[float]]
    curvature: Sequence[Sequence[float]]
    gradient: Sequence[float]
    sigma_g: float = 0.0
    points: Sequence[float] = (0.0,)
    scale: float = 1.0

    def __post_init__(self) -> None:
        for name in ("L", "rho", "scale"):
            real(name, getattr(self, name), open_low=True)
        real("sigma_g", self.sigma_g)
        for name in ("knots", "curvature", "gradient", "points"):
            real(name, _array(name, getattr(self, name)), low=-math.inf)
        x, h, g = (np.asarray(a, float) for a in (self.knots, self.curvature, self.gradient))
        if x.ndim != 2 or x.shape != h.shape or g.shape != x.shape[:1] or not 1 <= len(g) <= 2 or not self.points:
            raise ValueError(
                f"knots {x.shape}, curvature {h.shape} and gradient {g.shape} are not allowed: they must be "
                "(tasks, M), (tasks, M) and (tasks,), of one or two tasks"
            )
        if not (np.diff(x) > 0).all() or not (x == 0).any(axis=1).all():
            raise ValueError("knots are not allowed: they must increase strictly, and 0 must be among them")
        if (np.abs(h) > self.L * (1 + ROUNDING)).any():
            raise ValueError(f"curvature = {np.abs(h).max():g} is not allowed: it must be within L = {self.L:g}")
        slope = np.abs(np.diff(h) / np.diff(x)).max()
        if slope > self.rho * (1 + ROUNDING):
            raise ValueError(f"curvature has the slope {slope:g}: it must be within rho = {self.rho:g}")

    def losses(self) -> CurvatureSpline:
        """The losses of all tasks."""
        drawn = [
            CurvatureSpline.draw(x, h, anchor=list(x).index(0.0), gradient=g)
            for x, h, g in zip(self.knots, self.curvature, self.gradient, strict=True)
        ]
        knots = np.concatenate([one.knots for one in drawn])
        return CurvatureSpline(knots, np.concatenate([one.pieces for one in drawn], axis=1), np.arange(len(drawn)))

    def problem(self) -> Problem:
        """A resampling problem of these losses, with their constants: the tasks' spread `σ` is attained."""
        losses = self.losses()
        pair = SplinePopulation.of(losses, members=1)
        return line_problem(
            losses,
            L=self.L,
            rho=self.rho,
            sigma=float(spread(pair)[0]) if len(self.gradient) > 1 else 0.0,
            sigma_g=self.sigma_g,
            probes=probes_around(list(self.points), self.scale),
            start=self.points[0],
            scale=self.scale,
        )

    def to_dict(self) -> dict[str, Any]:
        """Plain numbers and lists, for a file."""
        return asdict(self)


def read_drawn(path: Path) -> Drawn:
    """Read losses from a file; what else it holds is left alone.

    Raises
    ------
    ValueError : one line, where it cannot be read, or holds no such losses.
    """
    try:
        held = json.loads(path.read_text(encoding="utf-8"))
        loss = held["loss"]
    except OSError as error:
        raise ValueError(f"cannot read {path}: {error.strerror}") from error
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise ValueError(f"{path} holds no loss: it must be JSON with a field loss") from error
    known = set(Drawn.__dataclass_fields__)
    if not isinstance(loss, Mapping) or not {"L", "rho", "knots", "curvature", "gradient"} <= set(loss) <= known:
        raise ValueError(f"{path} holds no loss: its field loss must have {', '.join(Drawn.__dataclass_fields__)}")
    try:
        return Drawn(**loss)
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from error


def kept(name: str) -> dict[str, Any]:
    """What a search kept that is part of the suite: the loss, and how near it comes to which bound.

    >>> kept("smoothness-1")["N"]
    1
    """
    held: dict[str, Any] = json.loads(files("problems.data").joinpath(f"found/{name}.json").read_text(encoding="utf-8"))
    return held


def _array(name: str, value: Any) -> Any:
    try:
        return np.asarray(value, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise ValueError(f"{name} is not allowed: it must be lists of numbers of one length") from error
