"""Constants that a user left out, estimated by maximisation: over the region, and on the paths that start there.

An estimate is the largest value that was met, times `SAFETY`: no proof. Problems list it in `estimated`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import TypeAlias

import numpy as np

from problems.user.climbing import Objective, climb, normalised
from problems.user.loss import FunctionNoise
from problems.user.noise_levels import NoiseLevels, Sizes, gradient_noise, hessian_noise, noise_levels
from problems.user.objectives import curvature, depth, spread, steepness, third_derivative
from problems.user.region import Region, Vector
from problems.user.rows import Rows, every_task
from problems.user.visits import META_STEPS, Visits, visit
from theory.loss import Array, Loss, TaskIndex

Make: TypeAlias = Callable[[TaskIndex], Objective]
"""Task numbers (n,) ↦ what is maximised at n points, one of each task."""

SAFETY = 1.05
SEED = 0
"""The search draws the same points in every process, so that every process finds the same constants."""
ROWS, FEW_ROWS = 1024, 256
"""Points of the region times tasks; few where derivatives are numerical, and therefore dear."""
FEWEST, MOST = 16, 256
"""Points of the region, at least and at most."""
STARTS, ROUNDS = 8, 24
PATH_STARTS = 4
OF_EACH_TASK, DESCENT_ROUNDS = 4, 200
PRODUCTS = 40
"""About so many Hessian-vector products are spent for each point."""
DIFFERENCE = 5e-3
"""Distance of the points of a difference of Hessian-vector products, in units of the step for values."""


@dataclass(frozen=True)
class Estimator:
    """Estimates for losses of batch shape (tasks,) in a region, and where algorithms come that start there.

    `step` is a first step for differences of values; `L_given` is known already, `rows` are so many points and tasks.
    """

    inner: Loss
    outer: Loss
    noise: FunctionNoise | None
    tasks: int
    region: Region
    start: Vector
    step: float
    L_given: float | None = None
    rows: int = ROWS

    def estimate(self, name: str) -> float:
        """Estimate the constant of that name (a field of `Constants`, or a bound on gradients or noise).

        Raises ValueError where it cannot be estimated, because a loss is not finite.
        """
        return self._found(name)[0]

    def found(self, name: str) -> float:
        """Return the largest value that was met, which `estimate` takes with a margin; errors as `estimate`."""
        return self._found(name)[1]

    def _found(self, name: str) -> tuple[float, float]:
        margin = SAFETY**2 if name == "b_sq" else 1.0 if name == "lower_bound" else SAFETY
        try:
            value = float(getattr(self, name)())
        except ValueError as error:
            raise ValueError(
                f"{name} cannot be estimated: {error} (give it in constants, or a smaller region)"
            ) from error
        return margin * value, value

    @property
    def products(self) -> int:
        """About how many Hessian-vector products, each of all tasks, all estimates take."""
        return PRODUCTS * len(self._points)

    def where(self) -> str:
        """Where estimates come from, in words."""
        return f"on {self.region}, and on inner paths and {META_STEPS} meta steps that start there"

    def L(self) -> float:
        """Largest spectral norm of a Hessian of any task."""
        return max(self._L_in_region, *(self._visited_value(self._curvature(loss), 1) for loss in self._losses))

    def rho(self) -> float:
        """Largest norm of a third derivative of an inner loss."""
        return self._largest(lambda task: third_derivative(self.inner.take(task).hvp, self._h), 2)

    def sigma(self) -> float:
        """Largest root-mean-square distance of task gradients from their mean (outer losses)."""
        points = self._points_and_iterates
        return self._climbed(lambda task: spread(self.outer), Rows(points, np.arange(len(points))), 0)

    def gradient_bound(self) -> float:
        """Largest gradient norm of any task."""

        def steep(loss: Loss) -> Make:
            return lambda task: steepness(loss.take(task).gradient, loss.take(task).hvp)

        return max(self._largest(steep(loss), 0) for loss in self._losses)

    def b(self) -> float:
        """Mean over tasks of the largest ‖∇l_{S_i} − ∇l_{T_i}‖."""
        return float(self._mismatch.mean())

    def b_sq(self) -> float:
        """Mean over tasks of the square of the largest ‖∇l_{S_i} − ∇l_{T_i}‖."""
        return float((self._mismatch**2).mean())

    def sigma_g(self) -> float:
        """Largest root-mean-square gradient noise of one datum, three standard errors added."""
        return self._gradient_noise.root_mean_square

    def sigma_H(self) -> float:
        """Largest root-mean-square spectral norm of the Hessian noise of one datum, three standard errors added."""
        return self._hessian_noise.root_mean_square

    def gradient_sup(self) -> float:
        """Largest gradient noise of one datum."""
        return self._gradient_noise.sup

    def hessian_sup(self) -> float:
        """Largest spectral norm of the Hessian noise of one datum."""
        return self._hessian_noise.sup

    def lower_bound(self) -> float:
        """Mean over tasks of the least outer loss, less a margin; −inf where a loss seems unbounded below.

        It is 0 where no loss was negative: a descent that has not come to its end must not set it too high.
        """
        values = _require_finite(self.outer.value(self._points[:, None]).reshape(-1), self._everywhere)
        least = least_values(self.outer, self._everywhere, values, self.region.reach)
        if (least >= 0).all():
            return 0.0
        return float(least.mean() - (SAFETY - 1) * (values.mean() - least.mean()))

    @property
    def _losses(self) -> tuple[Loss, ...]:
        return (self.inner,) if self.inner is self.outer else (self.inner, self.outer)

    @property
    def _h(self) -> float:
        return DIFFERENCE * self.step

    @cached_property
    def _points(self) -> Array:
        """The start, and points of the region: (P, d)."""
        count = int(np.clip(self.rows // self.tasks, FEWEST, MOST))
        return np.concatenate([self.start[None], self.region.points(count - 1, np.random.default_rng(SEED))])

    @property
    def _everywhere(self) -> Rows:
        return every_task(self._points, self.tasks)

    @property
    def _points_and_iterates(self) -> Array:
        return np.concatenate([self._points, self._visits.iterates])

    @cached_property
    def _L_in_region(self) -> float:
        return max(self._climbed(self._curvature(loss), self._everywhere, 1) for loss in self._losses)

    @cached_property
    def _visits(self) -> Visits:
        """Where paths lead that start in the region, at stepsizes by L (by 1 where it is 0)."""
        rng, L = np.random.default_rng(SEED), self._L_in_region if self.L_given is None else self.L_given
        probes = self.region.centre + self.region.core * rng.uniform(-1, 1, size=(PATH_STARTS, len(self.start)))
        starts = np.concatenate([self.start[None], probes])
        return visit(self.inner, self.outer, self.tasks, starts, L or 1.0)

    def _curvature(self, loss: Loss) -> Make:
        return lambda task: curvature(loss.take(task).hvp, self._h)

    def _largest(self, make: Make, directions: int) -> float:
        """Largest value in the region and where paths lead."""
        return max(self._climbed(make, self._everywhere, directions), self._visited_value(make, directions))

    def _visited_value(self, make: Make, directions: int) -> float:
        return float(_values(make, self._visits.rows(self.tasks), directions)[0].max())

    def _climbed(self, make: Make, rows: Rows, directions: int) -> float:
        """Largest value met at `rows`, and in ascents within the region from the best of them."""
        values, states = _values(make, rows, directions)
        best = np.argsort(-values, kind="stable")[:STARTS]
        return float(max(values.max(), self._ascents(make, rows.take(best), states[best]).max()))

    def _ascents(self, make: Make, rows: Rows, states: Array) -> Array:
        nearest = self.region.nearest
        return climb(make(rows.task), nearest(rows.w), states, self.region.reach / 4, ROUNDS, nearest)[1]

    @cached_property
    def _mismatch(self) -> Vector:
        """(tasks,) largest ‖∇l_{S_i} − ∇l_{T_i}‖ of each task."""

        def make(task: TaskIndex) -> Objective:
            train, test = self.inner.take(task), self.outer.take(task)
            return steepness(
                lambda w: train.gradient(w) - test.gradient(w), lambda w, v: train.hvp(w, v) - test.hvp(w, v)
            )

        rows = every_task(self._points_and_iterates, self.tasks)
        values, states = _values(make, rows, 0)
        best = best_of_each_task(values, self.tasks)
        tops = self._ascents(make, rows.take(best), states[best])
        return np.maximum(tops, values[best]).reshape(-1, self.tasks).max(axis=0)

    @cached_property
    def _gradient_noise(self) -> NoiseLevels:
        return self._noise_levels(gradient_noise)

    @cached_property
    def _hessian_noise(self) -> NoiseLevels:
        return self._noise_levels(hessian_noise)

    def _noise_levels(self, sizes: Sizes) -> NoiseLevels:
        assert self.noise is not None
        return noise_levels(self.noise, self.inner, self.tasks, sizes, self.region, self._h, SEED)


def least_values(loss: Loss, rows: Rows, values: Array, step: float) -> Vector:
    """Least value of each task's loss (tasks,) met in descents from the best of `rows`; −inf where one runs away.

    `values` (n,) are the losses at the rows, which are those of `every_task`.
    """
    tasks = int(rows.task.max()) + 1
    best = best_of_each_task(-values, tasks)
    first = rows.take(best)
    with np.errstate(all="ignore"):
        w, tops = climb(
            depth(loss.take(first.task)), first.w, np.empty((len(best), 0)), step / 4, DESCENT_ROUNDS, lambda w: w
        )
    far = 1e3 * (1 + float(np.abs(rows.w).max()))
    low = values.min() - 10 * np.ptp(values)
    runs_away = (np.linalg.norm(w, axis=1) > far) & (-tops < low)
    found = np.where(runs_away, -np.inf, -tops).reshape(-1, tasks)
    return np.minimum(found, values[best].reshape(-1, tasks)).min(axis=0)


def best_of_each_task(values: Array, tasks: int) -> TaskIndex:
    """Numbers of the rows of the largest `values`, some for each task: the best of every task first.

    The rows are those of `every_task`.
    """
    order = np.argsort(-values.reshape(-1, tasks), axis=0, kind="stable")[:OF_EACH_TASK]
    return np.asarray(order * tasks + np.arange(tasks)).reshape(-1)


def _values(make: Make, rows: Rows, directions: int) -> tuple[Array, Array]:
    """Values (n,) and states at `rows`, from random unit vectors; ValueError where one is not finite."""
    shape = (len(rows.w), directions, rows.w.shape[1])
    states = normalised(np.random.default_rng(SEED).normal(size=shape))
    values, states = make(rows.task).value(rows.w, states[:, 0] if directions == 1 else states)
    return _require_finite(values, rows), states


def _require_finite(values: Array, rows: Rows) -> Array:
    wrong = ~np.isfinite(values)
    if wrong.any():
        raise ValueError(f"not finite at w = {rows.w[wrong][0].round(4).tolist()}")
    return values
