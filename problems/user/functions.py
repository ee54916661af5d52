"""Bring your own problem: tasks given by plain functions of one point."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from problems.noise import NoNoise
from problems.problem import Problem
from problems.user.box_search import box_points
from problems.user.checks import bias_notice, check_loss, require_finite, require_reproducible
from problems.user.constants import complete_constants
from problems.user.estimation import SAFETY, Estimator
from problems.user.loss import FunctionLoss, FunctionNoise
from problems.user.tasks import read_tasks
from theory.constants import Constants
from theory.loss import Array
from theory.validation import integer

logger = logging.getLogger("problems")

CHECKED_POINTS, FINITE_POINTS = 4, 64
BIAS_DRAWS = 1024


def from_functions(
    tasks: Iterable[Any],
    *,
    dim: int,
    constants: Constants | Mapping[str, float] | None = None,
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
    name : shown in notices, and in records where the problem is not named by a file and a factory.
    region : a radius r for the box [−r, r]^d, or its corners (low, high), numbers or shape (d,). Claims are examined
        there. Constants are estimated, and losses must be finite, on the box twice as wide, as searches and inner paths
        leave it.
    start : (d,) where the algorithms start; by default halfway from the centre of the region to its upper corner.
    train_size, test_size : data points per training and test set, which oracle calls are counted in (finite-sum).

    Returns
    -------
    The problem. Estimates and numerical derivatives are announced, one line each, to the logger "problems".

    Raises
    ------
    ValueError : one line that names the task, the field and what is allowed. No tasks, mixed forms, a function that is
        missing, raises, or returns the wrong shape, NaN or single precision, derivatives that are not derivatives, a
        Hessian that is not symmetric, samples that depend on more than their generator, and constants that are unknown
        or out of range.

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
    low, high = _box(region, dim)
    centre, width = (low + high) / 2, high - low
    longest = float(width.min()) / 16
    at = centre + width / 4 if start is None else _start(start, dim)
    case, losses, samples = read_tasks(tasks, longest)
    rng = np.random.default_rng(0)
    points = rng.uniform(low, high, size=(CHECKED_POINTS, dim))
    losses = [check_loss(loss, points, rng) for loss in losses]
    noise = FunctionNoise(samples, longest) if samples else None
    given = [*losses, _check_noise(name, losses[0], noise, points, rng)] if noise is not None else losses
    step = min(loss.step for loss in given)
    for missing in sorted({what for loss in given if (what := loss.differentiated)}):
        logger.warning(f"{name}: {missing} left out: differentiated numerically, which is slower")
    noise = FunctionNoise(samples, step) if samples else None
    estimator = Estimator(losses[0], losses[-1], noise, centre - width, centre + width, step)
    known = complete_constants(constants, case, estimator)
    for loss in losses:
        require_finite(loss, box_points(estimator.low, estimator.high, FINITE_POINTS))
    if known.estimated:
        box = f"[{estimator.low.min():g}, {estimator.high.max():g}]^{dim}"
        logger.warning(f"{name}: estimated by maximisation on {box}, times {SAFETY}: {', '.join(known.estimated)}")
    return Problem(
        name=name,
        case=case,
        dim=dim,
        constants=known.constants,
        inner=losses[0],
        outer=losses[-1],
        number_of_tasks=len(losses[0].functions),
        probes=uniform_probes(low, high),
        start=at,
        noise=FunctionNoise(samples, step, known.gradient_sup, known.hessian_sup) if samples else NoNoise(losses[0]),
        train_size=train_size,
        test_size=test_size,
        gradient_bound=known.gradient_bound,
        scale=float(width.min()) / 4,
        estimated=known.estimated,
    )


def uniform_probes(low: Array, high: Array) -> Callable[[int, np.random.Generator], Array]:
    """Probe points uniform in the box `low ≤ w ≤ high` (d,): a function of their number and a generator."""
    return lambda count, rng: rng.uniform(low, high, size=(count, len(low)))


def _box(region: Any, dim: int) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Corners (d,) of the region; ValueError where it is no box."""
    try:
        corners = region if isinstance(region, tuple | list) else (-region, region)
        low, high = (np.broadcast_to(np.asarray(corner, dtype=np.float64), (dim,)) for corner in corners)
        is_box = bool(np.isfinite([low, high]).all() and (low < high).all())
    except (TypeError, ValueError):
        is_box = False
    if not is_box:
        raise ValueError(
            f"region = {region!r} is not allowed: region must be a radius > 0, or (low, high) with low < high, "
            f"each a number or of shape ({dim},)"
        )
    return low, high


def _start(given: npt.ArrayLike, dim: int) -> npt.NDArray[np.float64]:
    """Return the point (dim,); ValueError where it is none."""
    try:
        start = np.array(given, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise ValueError(f"start is no array of numbers, must be finite, of shape ({dim},)") from error
    if start.shape != (dim,) or not np.isfinite(start).all():
        raise ValueError(f"start of shape {start.shape} is not allowed: start must be finite, of shape ({dim},)")
    return start


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
