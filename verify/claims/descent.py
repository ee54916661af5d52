"""DESCENT: a step of exact MAML with the theorem's own stepsize lowers the objective, at every inner stepsize."""

from __future__ import annotations

import numpy as np

from theory.loss import Array
from theory.maml import mean_over_tasks
from theory.norm import norm
from verify.cell import Cell
from verify.claim import Mutant, On, claim, paper
from verify.evidence.attack import Attack, starts
from verify.evidence.quantities import meta_gradients, meta_objectives
from verify.evidence.rounding import extent, meta_gradient_error, meta_objective_error
from verify.statements import DESCENT
from verify.verdict import Measured, Values

QUADRATIC = "opposed-curvature-quadratic"


def with_exponents(cell: Cell) -> Values:
    """Starting points, each with an `e` of its own (P, d + 1): the search moves `(w, e)`, where `C_β = ½ + 10^e`."""
    w = starts(cell)
    return np.concatenate([w, cell.rng("C_beta").uniform(-1.5, 2.0, size=(len(w), 1))], axis=1)


@claim(
    "descent",
    DESCENT,
    "a step of exact MAML lowers the objective, at every inner stepsize",
    says=(
        "with β = 1/(C_β L_w), C_β > ½: L(w) − L(w − β∇L(w)) ≥ (1/C_β)(1 − 1/(2C_β)) ‖∇L(w)‖²/L_w, "
        "also past the stepsize cap"
    ),
    source=paper("proofs of the theorems (descent lemma)"),
    assumes=("training and test losses are L-smooth", "training Hessians are ρ-Lipschitz", "mismatch b"),
    measured="β‖∇L‖² less the decrease of a step, beside β‖∇L‖² less the guaranteed one; attacked over w and C_β",
    by=Attack(with_exponents, lambda cell, coded: {"w": coded[:, None, :-1], "C_beta": 0.5 + 10 ** coded[:, -1]}),
    needs=("rho",),
    at=("recommended", "near cap", "past cap"),
    also=("opposed-curvature", "twin-wells"),
    attained=(On(QUADRATIC, "the objective curves by q^{2N}L", at=("recommended", "near cap", "past cap")),),
    mutants=(
        Mutant("1 for 1 − 1/(2C_β)", QUADRATIC, descent=lambda p, norm, L_w: p.beta(L_w) * norm**2),
        Mutant("q^N L for q^{2N} L in L_w", QUADRATIC, a=lambda p: p.q(p.N) * p.L + p.C_b * p.b),
    ),
)
def descent(cell: Cell, w: Array, C_beta: Array) -> Measured:
    """How far the decrease stays behind `β‖∇L(w)‖²`, beside how far the theorem lets it."""
    problem, s = cell.problem, cell.schedule(C_beta=C_beta)
    paper, meta = cell.paper_at(s), mean_over_tasks(meta_gradients(cell, w))
    size = norm(meta)
    L_w = cell.paper.L_w(norm(problem.outer.gradient(w)).mean(axis=-1))
    beta = np.asarray(paper.beta(L_w))
    following = w - (beta[:, None] * meta)[:, None]
    both = np.stack([w, following], axis=1)
    before, after = np.moveaxis(meta_objectives(cell, both), 1, 0)
    shortfall = (after - before).mean(axis=-1) + beta * size**2
    farthest = extent(problem, both).max(axis=1)
    slack = 2 * meta_objective_error(problem, s, farthest, np.maximum(np.abs(before), np.abs(after)))
    slack += 2 * (beta * size)[:, None] * meta_gradient_error(problem, s, farthest)
    return Measured(shortfall, beta * size**2 - paper.descent(size, L_w), slack.max(axis=-1))
