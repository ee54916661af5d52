"""Directions of the neighbours of MAML at points `w` (P, 1, d), and how far rounding may carry them."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from theory.constants import Real
from theory.extended import Extended, plain
from theory.loss import Array
from theory.maml import mean_over_tasks
from theory.neighbours.first_order import first_order
from theory.neighbours.hessian_free import Mode, hessian_free
from theory.norm import norm
from verify.cell import Cell
from verify.evidence.quantities import meta_gradients
from verify.evidence.rounding import extent, meta_gradient_error, unit
from verify.verdict import Measured, Values

RESAMPLED = ("rotated-cosine-finite-noise", "softmax-bandit")
FEW = (*RESAMPLED, "welsch")
"""Ordinary problems on which claims about the neighbours are examined where none is chosen."""


def direction_error(cell: Cell, w: Array) -> Values:
    """Error of a direction, or of a meta-gradient, per task: no direction makes more roundings than that one does."""
    return np.asarray(meta_gradient_error(cell.problem, cell.schedule(), extent(cell.problem, w)))


def floor(cell: Cell, w: Array, direction: Array, c: Extended | float, bound: Callable[[Real, Real], Real]) -> Measured:
    """Distance of the meta-gradient from `c E_i G_i`, beside a bound by `‖E_i G_i‖` and `‖∇l‖`."""
    error = direction_error(cell, w)
    limit = bound(residual(direction, error), mean_gradient(cell, w))
    return Measured(mean_norm(meta_gradients(cell, w) - plain(c) * direction), limit, 3 * error.mean(axis=-1))


def residual(direction: Array, error: Values) -> Values:
    """`‖E_i G_i‖` (P,) of directions (P, tasks, d), or what it may be at most where they have these errors."""
    return mean_norm(direction) + error.mean(axis=-1)


def mean_gradient(cell: Cell, w: Array) -> Values:
    """`‖∇l(w)‖` (P,), or what it may be at most where gradients are rounded."""
    gradient = mean_over_tasks(cell.problem.inner.gradient(w))
    rounding = unit(cell.problem) * cell.constants.L * extent(cell.problem, w).mean(axis=-1)
    return norm(gradient) + rounding


def difference_step(cell: Cell) -> float:
    """Step δ of Hessian-free MAML in the claims: a quarter of the distance over which the losses vary."""
    return cell.problem.scale / 4


def differences(cell: Cell, w: Array, mode: Mode = "forward") -> tuple[Array, Values, Values]:
    """Hessian-free directions (P, tasks, d), their errors (P, tasks), and the step.

    The step is `difference_step`; a raw one is such that no difference is longer than that. Either moves a point by no
    more than its extent, and two gradients are rounded there.
    """
    problem, growth = cell.problem, float(cell.paper.unchanged.q(cell.N))
    longest = growth * norm(first_order(w, cell.alpha, cell.N, problem.inner, problem.outer))
    step, length = np.full_like(longest, difference_step(cell)), longest
    if mode == "raw":
        step, length = step / np.where(longest > 0, longest, 1.0), np.ones_like(longest)
    v = hessian_free(w, cell.alpha, cell.N, problem.inner, problem.outer, step=step[..., None], mode=mode)
    size = extent(problem, w)
    quotient = 4 * unit(problem) * cell.constants.L * growth * size / step
    return v, direction_error(cell, w) + cell.N * cell.alpha * growth * quotient * length, step


def mean_norm(directions: Array) -> Values:
    """Norm (P,) of the mean over tasks of (P, tasks, d)."""
    return norm(mean_over_tasks(directions))
