"""PATH: inner paths separate at most like `q^j`."""

from __future__ import annotations

import numpy as np

from theory.loss import Array
from theory.norm import norm
from verify.cell import Cell
from verify.claim import Mutant, On, claim, paper
from verify.evidence.attack import attack_pairs
from verify.evidence.quantities import inner_paths
from verify.evidence.rounding import extent, point_error
from verify.statements import PATH
from verify.verdict import Measured


@claim(
    "path",
    PATH,
    "inner paths separate at most like q^j",
    says="‖w̃_j(w) − w̃_j(u)‖ ≤ q^j ‖w − u‖ for all j ≤ N, q = 1 + αL",
    source=paper("lemma on the Lipschitz constant of the inner path"),
    assumes=("inner losses are L-smooth",),
    measured="distance of the two paths, attacked over w and u, worst step j and task",
    by=attack_pairs,
    at=("near cap", "fixed"),
    attained=(On("saddle", "at the top of a well every step stretches by exactly q"),),
    mutants=(
        Mutant("q^{j−1} for q^j", "saddle", q=lambda p, j: p.q(j - 1)),
        Mutant("1 + jαL for q^j", "saddle", q=lambda p, j: 1 + j * p.alpha * p.L),
    ),
)
def path(cell: Cell, w: Array, u: Array) -> Measured:
    """Distance of the two paths at each step and for each task."""
    apart = norm(inner_paths(cell, w) - inner_paths(cell, u))
    first = min(1, cell.N)  # at j = 0 there is nothing to prove
    j = np.arange(first, cell.N + 1.0)[:, None]
    size = np.maximum(extent(cell.problem, w), extent(cell.problem, u))[:, None]
    slack = 2 * point_error(cell.problem, cell.schedule(), j, size)
    return Measured(apart[:, first:], cell.paper.path(j, apart[:, :1]), slack)
