"""Bring your own problem: tasks given by plain functions of one point."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from problems.problem import Problem
from problems.user.assembly import Parts
from problems.user.checks import bias_notice, check_loss, require_finite, require_reproducible
from problems.user.loss import FunctionLoss, FunctionNoise
from problems.user.memory import once
from problems.user.region import Region, read_region
from problems.user.tasks import read_tasks
from theory.constants import Constants
from theory.validation import integer

logger = logging.getLogger("problems")

CHECKED_POINTS, FINITE_POINTS = 4, 64
BIAS_DRAWS = 1024


def from_functions(
    tasks: Iterable[Any],
    *,
    dim: int,
    constants: Constants | Mapping[str, float] | None = None,
    vectorised: bool = False,
    name: str = "user problem",
    region: float | tuple[npt.ArrayLike, npt.ArrayLike] = 2.0,
    start: npt.ArrayLike | None = None,
    train_size: int = 1,
    test_size: int = 1,
) -> Problem:
    """Make a problem of tasks that are given by plain functions of a point `w`, a float64 array of shape (dim,).

    Parameters
    ----------
    tasks : the tasks, drawn uniformly; each a `Task`, or a mapping or an object with the fields of one. Either all have
        `value` (resampling; with `sample`, or without data noise), or all have `train` and `test` (finite-sum).
        `gradient`, `hessian` and `hvp` may be left out, by all tasks alike: they are then differentiated numerically.
    dim : dimension d of `w`.
    constants : a mapping of what is known of `L, rho, sigma, sigma_g, sigma_H, b, b_sq, lower_bound`, and of
        `gradient_bound` (on ‖∇l_i‖) and `gradient_sup, hessian_sup` (on the noise of one datum): what is left out is
        estimated, and listed in the problem's `estimated`; infinite means that it is not assumed. Or a `Constants`, of
        which nothing is estimated.
    vectorised : the functions take many points at once, (n, dim), and return (n,), (n, dim) or (n, dim, dim); `hvp`
        takes as many directions.
    name : shown in notices, and in records where the problem is not named by a file and a factory.
    region : where the constants are to hold: a radius, for the ball around the start (the origin where no start is
        given), or the corners (low, high) of a box, numbers or shape (d,). Claims are examined in its core, so that
        pairs of points and searches stay inside. Constants are estimated in all of it, and on the inner paths and meta
        iterates that start there.
    start : (d,) where the algorithms start, in the region; by default a corner of its core.
    train_size, test_size : data points per training and test set, which oracle calls are counted in (finite-sum).

    Returns
    -------
    The problem. Estimates and numerical derivatives are announced, one line each, to the logger "problems".

    Raises
    ------
    ValueError : one line that names the task, the field and what is allowed. No tasks, mixed forms, a function that is
        missing, raises, or returns the wrong shape, NaN or single precision, derivatives that are not derivatives, a
        Hessian that is not symmetric, a gradient that jumps, samples that depend on more than their generator, and
        constants that are unknown or out of range.

    Examples
    --------
    >>> def task(centre):
    ...     return {
    ...         "value": lambda w: 0.5 * (w - centre) @ (w - centre),
    ...         "gradient": lambda w: w - centre,
    ...         "hvp": lambda w, v: v,
    ...     }
    >>> problem = from_functions([task(-1.0), task(1.0)], dim=2, constants={"L": 1.0, "rho": 0.0, "sigma": 1.5})
    >>> problem.case, problem.estimated
    ('resampling', ('lower_bound', 'gradient_bound'))
    """
    for field, size in (("dim", dim), ("train_size", train_size), ("test_size", test_size)):
        integer(field, size, low=1)
    where, at = read_region(region, start, dim)
    case, losses, samples = read_tasks(tasks, where.reach / 8, vectorised)
    noise = FunctionNoise(samples, where.reach / 8) if samples else None
    step = once(lambda: _check(name, losses, noise, where))
    losses = [replace(loss, step=step) for loss in losses]
    parts = Parts(
        name=name,
        case=case,
        inner=losses[0],
        outer=losses[-1],
        tasks=len(losses[0].functions),
        labels=tuple(f"task {number}" for number in range(len(losses[0].functions))),
        region=where,
        start=at,
        noise=noise and replace(noise, step=step),
        train_size=train_size,
        test_size=test_size,
        step=step,
        numerical=losses[0].differentiated,
    )
    return parts.assemble(constants)


def _check(name: str, losses: list[FunctionLoss], noise: FunctionNoise | None, region: Region) -> float:
    """Check losses and samples; returns a first step of differences that is right for all."""
    rng = np.random.default_rng(0)
    points = region.points(CHECKED_POINTS, rng)
    given = [check_loss(loss, points, rng) for loss in losses]
    if noise is not None:
        given.append(_check_noise(name, given[0], noise, points, rng))
    for missing in sorted({what for loss in given if (what := loss.differentiated)}):
        logger.warning(f"{name}: {missing} left out: differentiated numerically, which is slower")
    for loss in given[: len(losses)]:
        require_finite(loss, region.points(FINITE_POINTS, rng))
    return min(loss.step for loss in given)


def _check_noise(
    name: str, loss: FunctionLoss, noise: FunctionNoise, points: npt.NDArray[np.float64], rng: np.random.Generator
) -> FunctionLoss:
    """Check one sample of each task, look for a bias, and return the samples."""
    tasks = np.arange(len(loss.functions))
    samples = check_loss(noise.minibatch(tasks, 1, rng), points, rng)
    require_reproducible(lambda equal: noise.minibatch(tasks, 1, equal), points)
    notice = bias_notice(loss, lambda task: noise.minibatch(np.full(BIAS_DRAWS, task), 1, rng), points[:1])
    if notice:
        logger.warning(f"{name}: {notice}")
    return samples
