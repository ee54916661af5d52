"""Resampling problems on the line, as most of the sharp instances are."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from problems.losses.curvature_spline import CurvatureSpline
from problems.losses.linear_noise import no_noise, two_point_noise
from problems.losses.wave_noise import WaveNoise
from problems.noise import FiniteNoise
from problems.problem import Problem
from theory.constants import Constants
from theory.loss import Array


def line_problem(
    name: str,
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
) -> Problem:
    """Problem in one dimension, one task for each of the losses in `loss`.

    One datum adds nothing, or `±σ_g w` where `sigma_g > 0`, or a wave where `sigma_H > 0` too, so that the noise has
    these constants at every point. A σ left out is zero; a lower bound left out is the mean of the minima of all tasks
    (give it where the loss ends flat, as rounding tilts it). The rest is as in `Problem`.
    """
    noise: FiniteNoise
    if sigma_H:
        noise = WaveNoise(loss, sigma_g, sigma_H)
    else:
        noise = two_point_noise(loss, sigma_g) if sigma_g else no_noise(loss)
    return Problem(
        name=name,
        case="resampling",
        dim=1,
        constants=Constants(
            L=L,
            rho=rho,
            sigma=sigma,
            sigma_g=sigma_g,
            sigma_H=sigma_H,
            b=0.0,
            b_sq=0.0,
            lower_bound=loss.lower_bound() if lower_bound is None else lower_bound,
        ),
        inner=loss,
        outer=loss,
        number_of_tasks=len(loss.knots),
        probes=probes,
        start=np.array([start]),
        noise=noise,
        gradient_bound=gradient_bound,
        scale=scale,
    )
