"""PATH: inner paths separate at most like `q^j`."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from theory.constants import Constants, Real, Schedule
from theory.lemmas import path_bound
from theory.loss import Array
from verify.claim import Cell, Mutant, claim
from verify.evidence.probing import Measured, attack_pairs, inner_paths, worst_of
from verify.evidence.rounding import extent, point_error
from verify.verdict import Finding


def evaluate(cell: Cell, w: Array, u: Array) -> Measured:
    """Distance of the two paths at the worst step j ≥ 1 and task; `w` and `u` are (P, 1, d)."""
    problem, s = cell.problem, cell.schedule()
    apart = np.linalg.norm(inner_paths(cell, w) - inner_paths(cell, u), axis=-1)
    j = np.arange(min(1, cell.N), cell.N + 1)  # at j = 0 there is nothing to prove
    size = np.maximum(extent(problem, w), extent(problem, u))[:, None]
    bound = cell.formula(problem.constants, s, j[:, None], apart[:, :1])
    return worst_of(apart[:, j], bound, 2 * point_error(problem, s, j[:, None], size))


def previous_step(c: Constants, s: Schedule, j: Real, distance: Real) -> Real:
    """Wrong: `q^{j−1}`."""
    return path_bound(c, s, np.maximum(j, 1) - 1, distance)


def without_compounding(c: Constants, s: Schedule, j: Real, distance: Real) -> Real:
    """Wrong: `1 + jαL`."""
    return (1 + j * s.alpha * c.L) * distance


@claim(
    name="path",
    title="PATH: inner paths separate at most like q^j",
    source="Ji, Yang, Liang (2022), lemma on the Lipschitz constant of the inner path",
    statement="‖w̃_j(w) − w̃_j(u)‖ ≤ q^j ‖w − u‖ for all j ≤ N, q = 1 + αL",
    assumptions=("inner losses are L-smooth",),
    measured="distance of the two paths, attacked over w and u, worst step j and task",
    sharp="saddle: at the top of a well every step stretches by exactly q",
    formula=path_bound,
    mutants=(
        Mutant("q^{j−1} for q^j", previous_step, "saddle"),
        Mutant("1 + jαL for q^j", without_compounding, "saddle"),
    ),
    rules=("near cap", "fixed"),
    sharp_on=("saddle",),
)
def path(cell: Cell) -> Iterator[Finding]:
    """Attack the distance of two paths."""
    yield attack_pairs(cell, evaluate)
