"""The two cases of the paper: each makes a problem of its losses, and knows what it settles."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from problems.noise import DataNoise, NoNoise
from problems.problem import Problem
from theory.constants import Constants
from theory.loss import Array, Loss


def resampling(
    loss: Loss,
    constants: Constants,
    *,
    probes: Callable[[int, np.random.Generator], Array],
    start: npt.ArrayLike,
    noise: DataNoise | None = None,
    gradient_bound: float = math.inf,
    gradient_radius: float = math.inf,
    extremes: npt.ArrayLike = (),
    analytic: bool = False,
    scale: float = 1.0,
    made_for: Mapping[str, float] | None = None,
    linear_within: float = 0.0,
    name: str = "user problem",
) -> Problem:
    """Make a problem of population losses, whose inner and outer loss agree.

    Parameters
    ----------
    loss : the population losses of all tasks, batch shape (tasks,).
    constants : what is proved. A constant that is left out becomes what the case settles: `b = b_sq = 0`; without
        `noise` also `σ_g = σ_H = 0`; with one task also `σ = 0`. The others stay infinite: not assumed.
    noise : data noise; none where it is left out.
    start : (d,) where the algorithms start.
    probes, gradient_bound, gradient_radius, extremes, analytic, scale, made_for, linear_within, name : as in
        `Problem`. A registered problem gets its name from the registry.

    Source: own.
    """
    noise = NoNoise(loss) if noise is None else noise
    settled = {"b": 0.0, "b_sq": 0.0}
    if isinstance(noise, NoNoise):
        settled |= {"sigma_g": 0.0, "sigma_H": 0.0}
    at = np.asarray(start, dtype=np.float64)
    return Problem(
        name=name,
        case="resampling",
        dim=len(at),
        constants=_complete(constants, settled, _number_of_tasks(loss, at)),
        inner=loss,
        outer=loss,
        number_of_tasks=_number_of_tasks(loss, at),
        probes=probes,
        start=at,
        noise=noise,
        gradient_bound=gradient_bound,
        gradient_radius=gradient_radius,
        extremes=np.asarray(extremes, dtype=np.float64).reshape(-1, len(at)),
        analytic=analytic,
        scale=scale,
        made_for=made_for or {},
        linear_within=linear_within,
    )


def finite_sum(
    train: Loss,
    test: Loss,
    constants: Constants,
    *,
    probes: Callable[[int, np.random.Generator], Array],
    start: npt.ArrayLike,
    train_size: int = 1,
    test_size: int = 1,
    gradient_bound: float = math.inf,
    gradient_radius: float = math.inf,
    extremes: npt.ArrayLike = (),
    analytic: bool = False,
    scale: float = 1.0,
    made_for: Mapping[str, float] | None = None,
    linear_within: float = 0.0,
    name: str = "user problem",
) -> Problem:
    """Make a problem of training and test losses, each the mean over its whole data set.

    Parameters
    ----------
    train, test : the losses of all tasks, batch shape (tasks,).
    constants : what is proved. A constant that is left out becomes what the case settles: `σ_g = σ_H = 0`; `b = b_sq =
        0` where `train` is `test`; with one task also `σ = 0` and `b_sq = b²`. The others stay infinite: not assumed.
    train_size, test_size : data points per training and test set, which oracle calls are counted in.
    start : (d,) where the algorithms start.
    probes, gradient_bound, gradient_radius, extremes, analytic, scale, made_for, linear_within, name : as in
        `resampling`.

    Source: own.
    """
    settled = {"sigma_g": 0.0, "sigma_H": 0.0}
    if train is test:
        settled |= {"b": 0.0, "b_sq": 0.0}
    at = np.asarray(start, dtype=np.float64)
    return Problem(
        name=name,
        case="finite-sum",
        dim=len(at),
        constants=_complete(constants, settled, _number_of_tasks(test, at)),
        inner=train,
        outer=test,
        number_of_tasks=_number_of_tasks(test, at),
        probes=probes,
        start=at,
        noise=NoNoise(train),
        train_size=train_size,
        test_size=test_size,
        gradient_bound=gradient_bound,
        gradient_radius=gradient_radius,
        extremes=np.asarray(extremes, dtype=np.float64).reshape(-1, len(at)),
        analytic=analytic,
        scale=scale,
        made_for=made_for or {},
        linear_within=linear_within,
    )


def _number_of_tasks(loss: Loss, w: npt.NDArray[np.float64]) -> int:
    return len(loss.value(w))


def _complete(constants: Constants, settled: dict[str, float], tasks: int) -> Constants:
    """Put what is settled for what was left out."""
    if tasks == 1:
        settled = {"sigma": 0.0, "b_sq": constants.b * constants.b} | settled
    left_out = {name: value for name, value in settled.items() if math.isinf(getattr(constants, name))}
    return replace(constants, **left_out)
