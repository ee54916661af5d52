"""Resampling problems on the line, as most of the sharp instances are."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

import numpy as np
import numpy.typing as npt

from problems.cases import resampling
from problems.losses.curvature_spline import CurvatureSpline
from problems.losses.linear_noise import two_point_noise
from problems.losses.wave_noise import WaveNoise
from problems.noise import FiniteNoise
from problems.problem import Problem
from theory.constants import Constants
from theory.loss import Array


def line_problem(
    loss: CurvatureSpline,
    *,
    L: float,
    rho: float,
    probes: Callable[[int, np.random.Generator], Array],
    start: float,
    scale: float,
    sigma: float = 0.0,
    sigma_g: float = 0.0,
    sigma_H: float = 0.0,
    lower_bound: float | None = None,
    gradient_bound: float = math.inf,
    extremes: npt.ArrayLike | None = None,
    made_for: Mapping[str, float] | None = None,
    linear_within: float = 0.0,
) -> Problem:
    """Problem in one dimension, one task for each of the losses in `loss`.

    One datum adds nothing, or `±σ_g w` where `sigma_g > 0`, or a wave where `sigma_H > 0` too, so that the noise has
    these constants at every point. A σ left out is zero; a lower bound left out is the mean of the minima of all tasks
    (give it where the loss ends flat, as rounding tilts it); `extremes` left out are those of the loss. The rest is as
    in `Problem`.
    """
    noise: FiniteNoise | None = None
    if sigma_H:
        noise = WaveNoise(loss, sigma_g, sigma_H)
    elif sigma_g:
        noise = two_point_noise(loss, sigma_g)
    least = loss.lower_bound() if lower_bound is None else lower_bound
    return resampling(
        loss,
        Constants(L=L, rho=rho, sigma=sigma, sigma_g=sigma_g, sigma_H=sigma_H, lower_bound=least),
        probes=probes,
        start=[start],
        noise=noise,
        gradient_bound=gradient_bound,
        extremes=loss.extremes() if extremes is None else extremes,
        scale=scale,
        made_for=made_for,
        linear_within=linear_within,
    )
