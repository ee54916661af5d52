"""A claim to begin with: copy this file into `verify/claims/`, or beside a problem of your own, and change it.

`python -m verify run --claim "first step"` examines it, `--mutants` runs what it must refute.
"""

from __future__ import annotations

import numpy as np

from theory.loss import Array
from theory.norm import norm
from verify.cell import Cell
from verify.claim import Mutant, On, claim, own
from verify.evidence.attack import attack_points
from verify.evidence.quantities import inner_paths
from verify.evidence.rounding import extent, point_error, unit
from verify.statements import GRADIENT_GROWTH
from verify.verdict import Measured


@claim(
    "first step",  # its name: random numbers are keyed by it
    GRADIENT_GROWTH,  # what it belongs to in the ledger
    "one inner step changes the gradient by αL of it at most",
    says="‖∇l(w̃_1) − ∇l(w)‖ ≤ αL ‖∇l(w)‖",
    source=own("a gradient that is L-Lipschitz, along a step of length α‖∇l(w)‖"),  # or paper("lemma on …")
    assumes=("inner losses are L-smooth",),
    measured="change of the gradient over the first inner step, attacked over w, worst task",
    by=attack_points,  # maximises value/bound over w; or attack_pairs, an Expectation, a Run
    inner_steps=(1,),
    attained=(On("saddle", "the curvature is −L along the step"),),  # makes the claim "first step on saddle"
    mutants=(Mutant("αL halved", "saddle", N=1, e=lambda p, j: p.e(j) / 2),),  # any symbol of the paper
)
def first_step(cell: Cell, w: Array) -> Measured:
    """Change of the gradient for each task; `w` is (P, 1, d)."""
    problem = cell.problem
    before, after = np.moveaxis(problem.inner.gradient(inner_paths(cell, w)), 1, 0)
    size = extent(problem, w)
    slack = cell.constants.L * (point_error(problem, cell.schedule(), 1, size) + 2 * unit(problem) * size)
    return Measured(norm(after - before), float(cell.paper.e(1)) * norm(before), slack)
