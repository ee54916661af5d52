"""ONE STEP: the smoothness of the meta objective that others print for N = 1, beside that of the paper."""

from __future__ import annotations

from theory.loss import Array
from theory.maml import mean_over_tasks
from theory.norm import norm
from verify.cell import Cell
from verify.claim import Mutant, Source, claim
from verify.claims.smoothness import change_of_meta_gradient
from verify.evidence.attack import attack_pairs
from verify.evidence.directions import RESAMPLED
from verify.statements import ONE_STEP
from verify.verdict import Measured


@claim(
    "one step smoothness",
    ONE_STEP,
    "at N = 1 and αL ≤ 1 the meta objective is smooth with 4L + 2αρ E‖∇l_i‖, which the paper's constant never exceeds",
    answers="Which smoothness constant should one-step MAML use for its meta stepsize?",
    says="resampling, N = 1, αL ≤ 1: ‖∇L(w) − ∇L(u)‖ ≤ (4L + 2αρ E_i‖∇l_i(w)‖)‖w − u‖",
    source=Source("Fallah, Mokhtari, Ozdaglar (2020), for one step", own=False),
    assumes=("task losses are L-smooth with ρ-Lipschitz Hessian", "N = 1", "αL ≤ 1"),
    measured="change of the exact meta-gradient, attacked over w and u",
    by=attack_pairs,
    cases=frozenset({"resampling"}),
    needs=("rho",),
    by_default=RESAMPLED,
    at=("near cap",),
    inner_steps=(1,),
    also=("saddle", "teeth"),
    sharp="teeth, as αL → 1: there it is the paper's constant, (1 + αL)²L + αρ(1 + αL)E‖∇l_i‖",
    settled="improved: smoothness",
    mutants=(
        Mutant("L for 4L", "saddle", N=1, L_w_one_step=lambda p, mean: p.L + 2 * p.alpha * p.rho * mean),
        Mutant("αρ/2 for 2αρ", "teeth", N=1, L_w_one_step=lambda p, mean: 4 * p.L + p.alpha * p.rho / 2 * mean),
    ),
)
def one_step_smoothness(cell: Cell, w: Array, u: Array) -> Measured:
    """Change of the meta-gradient."""
    change, slack = change_of_meta_gradient(cell, w, u)
    bound = cell.paper.L_w_one_step(norm(cell.problem.outer.gradient(w)).mean(axis=-1))
    return Measured(norm(mean_over_tasks(change)), bound * norm(w - u)[:, 0], slack.max(axis=-1))
