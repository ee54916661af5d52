"""SMOOTHNESS: the meta objective is smooth around `w` with a constant that grows with the task gradients there."""

from __future__ import annotations

import numpy as np

from theory.loss import Array
from theory.maml import mean_over_tasks
from theory.norm import norm
from verify.cell import Cell
from verify.claim import Mutant, On, claim, paper
from verify.evidence.attack import attack_pairs
from verify.evidence.quantities import meta_gradients
from verify.evidence.rounding import extent, meta_gradient_error
from verify.statements import SMOOTHNESS
from verify.verdict import Measured, Values

ASSUMES = ("training and test losses are L-smooth", "training Hessians are ρ-Lipschitz")


@claim(
    "smoothness",
    SMOOTHNESS,
    "the meta objective is smooth around w, with a constant that grows with the task gradients",
    says=(
        "‖∇L(w) − ∇L(u)‖ ≤ L_w ‖w − u‖ for all w, u, L_w = q^{2N}L + C_b b + C_L E_i‖∇l_{T_i}(w)‖, "
        "C_L = (ρ/L) q^{2N−1}(q^N − 1), C_b = (ρ/L) q^{N−1}(q^N − 1)² (resampling: l_T = l, b = 0)"
    ),
    source=paper("smoothness of the meta objective, both cases"),
    assumes=(*ASSUMES, "mismatch b"),
    measured="change of the exact meta-gradient, attacked over w and u",
    by=attack_pairs,
    needs=("rho", "b"),
    attained=(
        On("saddle", "at the top of a well ∇²L_i = −q^{2N}L I", within=1e-6),
        On("teeth", "all terms of L_w in the limit of small teeth", within=1e-3),
        On("teeth-finite-sum", "all terms of L_w, C_b b among them, in the limit of small teeth", within=1e-3),
    ),
    mutants=(
        Mutant("q^{2N−1} L for q^{2N} L", "saddle", a=lambda p: p.q(2 * p.N - 1) * p.L + p.C_b * p.b),
        Mutant("q^N L for q^{2N} L", "saddle", a=lambda p: p.q(p.N) * p.L + p.C_b * p.b),
        Mutant("q^{2N−2} for q^{2N−1} in C_L", "teeth", C_L=lambda p: p.C_L / p.q(1)),
        Mutant("NαL for q^N − 1 in C_L", "teeth", e=lambda p, j: j * p.alpha * p.L),
        Mutant("C_L dropped", "teeth", C_L=0.0),
        Mutant("C_b dropped", "teeth-finite-sum", C_b=0.0),
    ),
)
def smoothness(cell: Cell, w: Array, u: Array) -> Measured:
    """Change of the meta-gradient."""
    L_w = cell.paper.L_w(norm(cell.problem.outer.gradient(w)).mean(axis=-1))
    change, slack = change_of_meta_gradient(cell, w, u)
    return Measured(norm(mean_over_tasks(change)), L_w * norm(w - u)[:, 0], slack.max(axis=-1))


@claim(
    "task smoothness",
    SMOOTHNESS,
    "task by task, before the mismatch enters",
    says=("‖∇L_i(w) − ∇L_i(u)‖ ≤ (q^{2N}L + (ρ/L) q^{N−1}(q^N − 1)(‖∇l_{T_i}(w)‖ + (q^N − 1)‖∇l_{S_i}(w)‖)) ‖w − u‖"),
    source=paper("proof of the finite-sum smoothness"),
    assumes=ASSUMES,
    measured="change of the exact meta-gradient of the worst task, attacked over w and u",
    by=attack_pairs,
    needs=("rho",),
    at=("near cap", "fixed"),
    also=("teeth-finite-sum",),
    attained=(
        On(
            "kink",
            "the Hessian turns as fast as ρ allows where the training gradient is 0",
            within=1e-3,
            at=("recommended", "near cap"),
        ),
    ),
    mutants=(
        Mutant(
            "training gradient dropped",
            "teeth-finite-sum",
            task_smoothness=lambda p, outer, inner: p.task_smoothness(outer, 0.0),
        ),
        Mutant(
            "q^{N−1}(q^N − 1) halved",
            "kink",
            task_smoothness=lambda p, outer, inner: p.task_smoothness(outer / 2, inner / 2),
        ),
    ),
)
def task_wise_smoothness(cell: Cell, w: Array, u: Array) -> Measured:
    """Change of each task's meta-gradient."""
    outer, inner = (norm(loss.gradient(w)) for loss in (cell.problem.outer, cell.problem.inner))
    change, slack = change_of_meta_gradient(cell, w, u)
    return Measured(norm(change), cell.paper.task_smoothness(outer, inner) * norm(w - u), slack)


def change_of_meta_gradient(cell: Cell, w: Array, u: Array) -> tuple[Array, Values]:
    """Return `∇L_i(w) − ∇L_i(u)` per task (P, tasks, d), and its rounding error (P, tasks)."""
    problem, s = cell.problem, cell.schedule()
    both = np.stack([w, u], axis=1)  # one call: its own cost is more than that of few points
    gradients, size = meta_gradients(cell, both), extent(problem, both).max(axis=1)
    return gradients[:, 0] - gradients[:, 1], 2 * meta_gradient_error(problem, s, size)
