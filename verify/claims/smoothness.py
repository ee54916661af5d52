"""SMOOTHNESS: the meta objective is smooth around `w` with a constant that grows with the task gradients there."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from theory.constants import Constants, Real, Schedule
from theory.extended import product
from theory.growth import growth, growth_excess
from theory.loss import Array
from theory.maml import mean_over_tasks, meta_gradient
from theory.smoothness import C_L, C_b, meta_smoothness, task_smoothness
from verify.claim import Cell, Formula, Mutant, claim
from verify.evidence.probing import Measured, attack_pairs, worst_of
from verify.evidence.rounding import extent, meta_gradient_error
from verify.verdict import Finding


def evaluate(cell: Cell, w: Array, u: Array) -> Measured:
    """Return `‖∇L(w) − ∇L(u)‖` beside `L_w ‖w − u‖`; `w` and `u` are (P, 1, d)."""
    norm = np.linalg.norm(cell.problem.outer.gradient(w), axis=-1).mean(axis=-1)
    distance = np.linalg.norm(w - u, axis=-1)[:, 0]
    change, slack = _change(cell, w, u)
    L_w = cell.formula(cell.constants, cell.schedule(), norm)
    return np.linalg.norm(mean_over_tasks(change), axis=-1), L_w * distance, slack.max(axis=-1)


def evaluate_tasks(cell: Cell, w: Array, u: Array) -> Measured:
    """Return `‖∇L_i(w) − ∇L_i(u)‖` beside its bound, for the worst task; `w` and `u` are (P, 1, d)."""
    outer, inner = (np.linalg.norm(loss.gradient(w), axis=-1) for loss in (cell.problem.outer, cell.problem.inner))
    change, slack = _change(cell, w, u)
    L_i = cell.formula(cell.constants, cell.schedule(), outer, inner)
    return worst_of(np.linalg.norm(change, axis=-1), L_i * np.linalg.norm(w - u, axis=-1), slack)


def _change(cell: Cell, w: Array, u: Array) -> tuple[Array, Array]:
    """Return `∇L_i(w) − ∇L_i(u)` per task (P, tasks, d), and its rounding error (P, tasks)."""
    problem, s = cell.problem, cell.schedule()
    at_w, at_u = (meta_gradient(x, cell.alpha, cell.N, problem.inner, problem.outer) for x in (w, u))
    size = np.maximum(extent(problem, w), extent(problem, u))
    return at_w - at_u, 2 * meta_gradient_error(problem, s, size)


def paper_floor(c: Constants, s: Schedule) -> Real:
    """Return `q^{2N} L`."""
    return product(growth(c, s, 2 * s.N), c.L)


def wrong(floor: Formula = paper_floor, C_L: Formula = C_L, C_b: Formula = C_b) -> Formula:
    """`L_w` with one of its three terms replaced."""
    return lambda c, s, norm: floor(c, s) + C_b(c, s) * c.b + C_L(c, s) * norm


def wrong_task(training: float = 1.0, slope: Formula = C_L) -> Formula:
    """The form of one task with a multiple of the training gradient, or another `C_L`."""

    def formula(c: Constants, s: Schedule, outer_norm: Real, inner_norm: Real) -> Real:
        gradients = outer_norm + training * growth_excess(c, s, s.N) * inner_norm
        L_i: Real = paper_floor(c, s) + slope(c, s) / growth(c, s, s.N) * gradients
        return L_i

    return formula


MUTANTS = (
    Mutant("q^{2N−1} L for q^{2N} L", wrong(floor=lambda c, s: growth(c, s, 2 * s.N - 1) * c.L), "saddle"),
    Mutant("q^N L for q^{2N} L", wrong(floor=lambda c, s: growth(c, s, s.N) * c.L), "saddle"),
    Mutant("q^{2N−2} for q^{2N−1} in C_L", wrong(C_L=lambda c, s: C_L(c, s) / growth(c, s, 1)), "teeth"),
    Mutant(
        "NαL for q^N − 1 in C_L",
        wrong(C_L=lambda c, s: c.rho / c.L * growth(c, s, 2 * s.N - 1) * s.N * s.alpha * c.L),
        "teeth",
    ),
    Mutant("C_L dropped", wrong(C_L=lambda c, s: 0.0), "teeth"),
    Mutant("C_b dropped", wrong(C_b=lambda c, s: 0.0), "teeth-finite-sum"),
)


@claim(
    name="smoothness",
    title="SMOOTHNESS: the meta objective is smooth around w, with a constant that grows with the task gradients",
    source="Ji, Yang, Liang (2022), smoothness of the meta objective, both cases",
    statement=(
        "‖∇L(w) − ∇L(u)‖ ≤ L_w ‖w − u‖ for all w, u, L_w = q^{2N}L + C_b b + C_L E_i‖∇l_{T_i}(w)‖, "
        "C_L = (ρ/L) q^{2N−1}(q^N − 1), C_b = (ρ/L) q^{N−1}(q^N − 1)² (resampling: l_T = l, b = 0)"
    ),
    assumptions=("training and test losses are L-smooth", "training Hessians are ρ-Lipschitz", "mismatch b"),
    measured="change of the exact meta-gradient, attacked over w and u",
    sharp="saddle (first term), teeth and teeth-finite-sum (all terms)",
    formula=meta_smoothness,
    mutants=MUTANTS,
    needs=("rho", "b"),
    sharp_on=("saddle", "teeth", "teeth-finite-sum"),
)
def smoothness(cell: Cell) -> Iterator[Finding]:
    """Attack the change of the meta-gradient."""
    yield attack_pairs(cell, evaluate)


@claim(
    name="task smoothness",
    title="SMOOTHNESS, task by task: before the mismatch enters",
    source="Ji, Yang, Liang (2022), proof of the finite-sum smoothness",
    statement=(
        "‖∇L_i(w) − ∇L_i(u)‖ ≤ (q^{2N}L + (ρ/L) q^{N−1}(q^N − 1)(‖∇l_{T_i}(w)‖ + (q^N − 1)‖∇l_{S_i}(w)‖)) ‖w − u‖"
    ),
    assumptions=("training and test losses are L-smooth", "training Hessians are ρ-Lipschitz"),
    measured="change of the exact meta-gradient of the worst task, attacked over w and u",
    sharp="kink",
    formula=task_smoothness,
    mutants=(
        Mutant("training gradient dropped", wrong_task(training=0.0), "teeth-finite-sum"),
        Mutant("q^{N−1}(q^N − 1) halved", wrong_task(slope=lambda c, s: C_L(c, s) / 2), "kink"),
    ),
    needs=("rho",),
    rules=("near cap", "fixed"),
    sharp_on=("kink", "teeth-finite-sum"),
)
def task_wise_smoothness(cell: Cell) -> Iterator[Finding]:
    """Attack the change of each task's meta-gradient."""
    yield attack_pairs(cell, evaluate_tasks)
