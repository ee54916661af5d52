"""GRADIENT GROWTH: along the inner path the gradient grows at most like `q^j`, so the path stays near its start."""

from __future__ import annotations

import numpy as np

from theory.loss import Array
from theory.norm import norm
from verify.cell import Cell
from verify.claim import Mutant, On, claim, paper
from verify.evidence.attack import attack_points
from verify.evidence.quantities import inner_paths
from verify.evidence.rounding import extent, point_error, unit
from verify.statements import GRADIENT_GROWTH
from verify.verdict import Measured


@claim(
    "gradient growth",
    GRADIENT_GROWTH,
    "along the inner path the gradient grows at most like q^j",
    says="‖∇l(w̃_j)‖ ≤ q^j ‖∇l(w)‖ and ‖w̃_j − w‖ ≤ ((q^j − 1)/L) ‖∇l(w)‖ for all j ≤ N, l the inner loss",
    source=paper("lemma on gradients along the inner path"),
    assumes=("inner losses are L-smooth",),
    measured="gradient and displacement along the path, attacked over w, worst step j and task",
    by=attack_points.of({"gradient": 0, "displacement": 2}),  # one step is α‖∇l(w)‖ by definition
    at=("near cap", "fixed"),
    attained=(On("saddle", "near the top of a well the gradient grows by exactly q a step"),),
    mutants=(
        Mutant("q^{j−1} for q^j", "saddle", q=lambda p, j: p.q(j - 1)),
        Mutant("1 + jαL for q^j", "saddle", q=lambda p, j: 1 + j * p.alpha * p.L),
        Mutant("jα for (q^j − 1)/L", "saddle", e=lambda p, j: j * p.alpha * p.L),
    ),
)
def gradient_growth(cell: Cell, w: Array, part: str) -> Measured:
    """Gradient, or displacement, at each point of the path and for each task."""
    problem, paper, path = cell.problem, cell.paper, inner_paths(cell, w)
    first = min(1 if part == "gradient" else 2, cell.N)  # before there is nothing to prove
    j = np.arange(first, cell.N + 1.0)[:, None]
    size = extent(problem, w)[:, None]
    slack = point_error(problem, cell.schedule(), j, size)
    if part == "displacement":
        start = norm(problem.inner.gradient(path[:, :1]))
        return Measured(norm(path[:, first:] - path[:, :1]), paper.displacement(j, start), slack)
    gradient = norm(problem.inner.gradient(path))
    bound = paper.gradient_growth(j, gradient[:, :1])
    return Measured(gradient[:, first:], bound, problem.constants.L * (slack + unit(problem) * size))
