"""GRADIENT GROWTH: along the inner path the gradient grows at most like `q^j`, so the path stays near its start."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from theory.constants import Constants, Real, Schedule
from theory.lemmas import displacement_bound, gradient_growth_bound
from theory.loss import Array
from verify.claim import Cell, Mutant, claim
from verify.evidence.probing import Measured, attack_points, inner_paths, worst_of
from verify.evidence.rounding import extent, point_error, unit
from verify.verdict import Finding


def growth_bounds(c: Constants, s: Schedule, j: Real, gradient_norm: Real) -> tuple[Real, Real]:
    """Bounds on `‖∇l(w̃_j)‖` and on `‖w̃_j − w‖`."""
    return gradient_growth_bound(c, s, j, gradient_norm), displacement_bound(c, s, j, gradient_norm)


def evaluate_gradient(cell: Cell, w: Array) -> Measured:
    """Gradient at the worst point j ≥ 1 of the path and the worst task; `w` is (P, 1, d)."""
    problem, s = cell.problem, cell.schedule()
    gradient = np.linalg.norm(problem.inner.gradient(inner_paths(cell, w)), axis=-1)
    j = np.arange(min(1, cell.N), cell.N + 1)  # at j = 0 there is nothing to prove
    bound = cell.formula(problem.constants, s, j[:, None], gradient[:, :1])[0]
    size = extent(problem, w)[:, None]
    slack = problem.constants.L * (point_error(problem, s, j[:, None], size) + unit(problem) * size)
    return worst_of(gradient[:, j], bound, slack)


def evaluate_displacement(cell: Cell, w: Array) -> Measured:
    """Displacement at the worst point j ≥ 2 of the path and the worst task; `w` is (P, 1, d)."""
    problem, s = cell.problem, cell.schedule()
    path = inner_paths(cell, w)
    j = np.arange(min(2, cell.N), cell.N + 1)  # one step is α‖∇l(w)‖ by definition
    gradient = np.linalg.norm(problem.inner.gradient(path[:, :1]), axis=-1)
    bound = cell.formula(problem.constants, s, j[:, None], gradient)[1]
    displacement = np.linalg.norm(path[:, j] - path[:, :1], axis=-1)
    return worst_of(displacement, bound, point_error(problem, s, j[:, None], extent(problem, w)[:, None]))


def previous_step(c: Constants, s: Schedule, j: Real, gradient_norm: Real) -> tuple[Real, Real]:
    """Wrong: `q^{j−1}` for the gradient."""
    return gradient_growth_bound(c, s, np.maximum(j, 1) - 1, gradient_norm), growth_bounds(c, s, j, gradient_norm)[1]


def without_compounding(c: Constants, s: Schedule, j: Real, gradient_norm: Real) -> tuple[Real, Real]:
    """Wrong: `1 + jαL` for the gradient."""
    return (1 + j * s.alpha * c.L) * gradient_norm, growth_bounds(c, s, j, gradient_norm)[1]


def straight_displacement(c: Constants, s: Schedule, j: Real, gradient_norm: Real) -> tuple[Real, Real]:
    """Wrong: `jα` for `(q^j − 1)/L`."""
    return growth_bounds(c, s, j, gradient_norm)[0], j * s.alpha * gradient_norm


@claim(
    name="gradient growth",
    title="GRADIENT GROWTH: along the inner path the gradient grows at most like q^j",
    source="Ji, Yang, Liang (2022), lemma on gradients along the inner path",
    statement="‖∇l(w̃_j)‖ ≤ q^j ‖∇l(w)‖ and ‖w̃_j − w‖ ≤ ((q^j − 1)/L) ‖∇l(w)‖ for all j ≤ N, l the inner loss",
    assumptions=("inner losses are L-smooth",),
    measured="gradient and displacement along the path, attacked over w, worst step j and task",
    sharp="saddle: near the top of a well the gradient grows by exactly q a step",
    formula=growth_bounds,
    mutants=(
        Mutant("q^{j−1} for q^j", previous_step, "saddle"),
        Mutant("1 + jαL for q^j", without_compounding, "saddle"),
        Mutant("jα for (q^j − 1)/L", straight_displacement, "saddle"),
    ),
    rules=("near cap", "fixed"),
    sharp_on=("saddle",),
)
def gradient_growth(cell: Cell) -> Iterator[Finding]:
    """Attack both inequalities."""
    yield attack_points(cell, evaluate_gradient, "gradient")
    if cell.N > 1:
        yield attack_points(cell, evaluate_displacement, "displacement")
