"""ANIL: adapting the head only is no better than MAML in general, and much better where the head is convex."""

from __future__ import annotations

import numpy as np

from problems.convex_head import CONVEXITY, HEAD
from theory.extended import plain
from theory.loss import Array
from theory.maml import mean_over_tasks
from theory.neighbours.anil import anil
from theory.norm import norm
from verify.cell import Cell
from verify.claim import Mutant, On, claim, own
from verify.evidence.attack import attack_pairs
from verify.evidence.directions import FEW, direction_error
from verify.statements import ANIL
from verify.verdict import Measured, Values


def change(cell: Cell, w: Array, u: Array, head: Array) -> tuple[Values, Values]:
    """`‖∇L(w) − ∇L(u)‖` (P,) of ANIL's objective, and its rounding error."""
    problem = cell.problem
    at_w, at_u = (anil(x, cell.alpha, cell.N, problem.inner, problem.outer, head=head) for x in (w, u))
    error = (direction_error(cell, w) + direction_error(cell, u)).mean(axis=-1)
    return norm(mean_over_tasks(at_w - at_u)), error


@claim(
    "anil smoothness",
    ANIL,
    "whatever the head is, ANIL's objective is as smooth as MAML's at least",
    answers="Does adapting the head only allow larger inner stepsizes or more steps?",
    says="‖∇L(w) − ∇L(u)‖ ≤ L_w‖w − u‖ with the L_w of MAML, for the head of any coordinates",
    source=own("‖HΠ‖ ≤ L, and the proof for MAML uses no more"),
    assumes=("training and test losses are L-smooth", "training Hessians are ρ-Lipschitz", "mismatch b"),
    measured="change of ANIL's exact meta-gradient, attacked over w and u; the head is the last half of w",
    by=attack_pairs,
    needs=("rho", "b"),
    by_default=FEW,
    at=("near cap",),
    inner_steps=(5,),
    attained=(On("saddle", "a nonconvex head gains nothing", within=1e-6, at=("near cap",), N=(1, 5)),),
    mutants=(Mutant("q^N L for q^{2N} L", "saddle", a=lambda p: p.q(p.N) * p.L + p.C_b * p.b),),
)
def anil_smoothness(cell: Cell, w: Array, u: Array) -> Measured:
    """Change of ANIL's meta-gradient."""
    d = cell.problem.dim
    measured, slack = change(cell, w, u, (np.arange(d) >= d // 2).astype(np.float64))
    L_w = cell.paper.L_w(norm(cell.problem.outer.gradient(w)).mean(axis=-1))
    return Measured(measured, L_w * norm(w - u)[:, 0], slack)


@claim(
    "anil convex head",
    ANIL,
    "with a strongly convex head ANIL's objective is smooth with a constant that no N exceeds",
    answers="My head is linear with weight decay: may I adapt it by many steps at a fixed stepsize?",
    says=(
        "resampling, ∇²_{vv}l ≥ μI in the head v, αL ≤ 1, χ = L/μ: ‖∇L(w) − ∇L(u)‖ ≤ [Q_{2N}L + (ρχ/μ)(2 + χ)E‖∇l_i‖]"
        "‖w − u‖, Q_n ≤ χ the norm of the matrix with rows (1, √(χ² − 1)(1 − y)), (0, y), y = (1 − αμ)^n"
    ),
    source=own("products of I − αHΠ are block-triangular, and contract in the head"),
    assumes=("task losses are L-smooth with ρ-Lipschitz Hessian", "μ-strongly convex head", "αL ≤ 1"),
    measured="change of ANIL's exact meta-gradient, attacked over w and u, on a quadratic: the term with ρ is not seen",
    by=attack_pairs,
    cases=frozenset({"resampling"}),
    needs=("rho",),
    at=("fixed",),
    problems=("convex-head",),
    attained=(
        # a direction is searched: it is found to some 1e-3, and the ratio is flat there
        On("convex-head", "the head leads every step into the rest of w", within=1e-4, at=("fixed", "near cap")),
    ),
    mutants=(
        Mutant("1 for Q_{2N}", "convex-head", rule="fixed", anil_stretch=lambda p, mu, n: 1.0),
        Mutant("Q_N for Q_{2N}", "convex-head", rule="fixed", anil_stretch=lambda p, mu, n: p.anil_stretch(mu, n / 2)),
        Mutant("μ = L", "convex-head", rule="fixed", anil_stretch=lambda p, mu, n: p.anil_stretch(p.L, n)),
    ),
)
def anil_convex_head(cell: Cell, w: Array, u: Array) -> Measured:
    """Change of ANIL's meta-gradient on the problem whose head is convex."""
    measured, slack = change(cell, w, u, HEAD)
    gradient = norm(cell.problem.inner.gradient(w)).mean(axis=-1)
    smoothness = cell.paper.anil_smoothness(CONVEXITY * cell.constants.L, gradient)
    return Measured(measured, plain(smoothness) * norm(w - u)[:, 0], slack)
