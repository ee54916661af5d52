"""DESCENT: a step of exact MAML with the theorem's own stepsize lowers the objective, at every inner stepsize."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from theory.constants import Constants, Real, Schedule
from theory.convergence import descent_bound
from theory.extended import product, total
from theory.growth import growth
from theory.loss import Array
from theory.maml import mean_over_tasks, meta_gradient, meta_objective
from theory.meta_stepsize import meta_stepsize
from theory.smoothness import C_L, C_b, meta_smoothness
from verify.claim import Cell, Formula, Mutant, claim
from verify.evidence.probing import Measured, starts
from verify.evidence.rounding import extent, meta_gradient_error, meta_objective_error
from verify.evidence.search import Values, attack
from verify.verdict import Finding


def step(c: Constants, s: Schedule, meta_gradient_norm: Real, mean_gradient_norm: Real) -> tuple[Real, Real]:
    """Stepsize `β = 1/(C_β L_w)`, and the decrease that the theorem guarantees for it."""
    L_w = meta_smoothness(c, s, mean_gradient_norm)
    return meta_stepsize(c, s, L_w), descent_bound(c, s, meta_gradient_norm, L_w)


def evaluate(cell: Cell, w: Array, C_beta: Array) -> Measured:
    """How far the decrease stays behind `β‖∇L(w)‖²`, beside how far the theorem lets it.

    `w` is (P, 1, d) and `C_beta` (P,).
    """
    problem, s, losses = cell.problem, cell.schedule(C_beta=C_beta), (cell.problem.inner, cell.problem.outer)
    meta = mean_over_tasks(meta_gradient(w, cell.alpha, cell.N, *losses))
    norm = np.linalg.norm(meta, axis=-1)
    mean_norm = np.linalg.norm(problem.outer.gradient(w), axis=-1).mean(axis=-1)
    beta, decrease = cell.formula(problem.constants, s, norm, mean_norm)
    following = w - (beta[:, None] * meta)[:, None]
    before, after = (meta_objective(x, cell.alpha, cell.N, *losses) for x in (w, following))
    shortfall = (after - before).mean(axis=-1) + beta * norm**2
    size = np.maximum(extent(problem, w), extent(problem, following))
    slack = 2 * meta_objective_error(problem, s, size, np.maximum(np.abs(before), np.abs(after)))
    slack += 2 * (beta * norm)[:, None] * meta_gradient_error(problem, s, size)
    return shortfall, beta * norm**2 - decrease, slack.max(axis=-1)


def no_second_order(c: Constants, s: Schedule, meta_gradient_norm: Real, mean_gradient_norm: Real) -> tuple[Real, Real]:
    """Wrong: `1` for `1 − 1/(2C_β)`."""
    beta, _ = step(c, s, meta_gradient_norm, mean_gradient_norm)
    return beta, beta * meta_gradient_norm**2


def wrong_smoothness(L_w: Formula) -> Formula:
    """The step for another `L_w`."""

    def formula(c: Constants, s: Schedule, meta_gradient_norm: Real, mean_gradient_norm: Real) -> tuple[Real, Real]:
        estimate = L_w(c, s, mean_gradient_norm)
        return meta_stepsize(c, s, estimate), descent_bound(c, s, meta_gradient_norm, estimate)

    return formula


def slow_growth(c: Constants, s: Schedule, norm: Real) -> Real:
    """Wrong: `q^N L` for `q^{2N} L`."""
    return total(growth(c, s, s.N) * c.L, product(C_b(c, s), c.b), product(C_L(c, s), norm))


@claim(
    name="descent",
    title="DESCENT: a step of exact MAML lowers the objective, at every inner stepsize",
    source="Ji, Yang, Liang (2022), proofs of the theorems (descent lemma)",
    statement=(
        "with β = 1/(C_β L_w), C_β > ½: L(w) − L(w − β∇L(w)) ≥ (1/C_β)(1 − 1/(2C_β)) ‖∇L(w)‖²/L_w, "
        "also past the stepsize cap"
    ),
    assumptions=("training and test losses are L-smooth", "training Hessians are ρ-Lipschitz", "mismatch b"),
    measured="β‖∇L‖² less the decrease of a step, beside β‖∇L‖² less the guaranteed one; attacked over w and C_β",
    sharp="opposed quadratics: the objective curves by exactly L_w along the step",
    formula=step,
    mutants=(
        Mutant("1 for 1 − 1/(2C_β)", no_second_order, "opposed-curvature-quadratic"),
        Mutant("q^N L for q^{2N} L in L_w", wrong_smoothness(slow_growth), "opposed-curvature-quadratic"),
    ),
    needs=("rho",),
    rules=("recommended", "near cap", "past cap"),
    sharp_on=("opposed-curvature", "opposed-curvature-quadratic", "twin-wells"),
)
def descent(cell: Cell) -> Iterator[Finding]:
    """Attack one step; the search moves `(w, e)`, where `C_β = ½ + 10^e`."""
    w = starts(cell)
    exponent = cell.rng("C_beta").uniform(-1.5, 2.0, size=(len(w), 1))

    def coded(points: Values) -> Measured:
        return evaluate(cell, points[:, None, :-1], 0.5 + 10 ** points[:, -1])

    finding = attack(coded, np.concatenate([w, exponent], axis=1), cell.effort, cell.rng("attack"))
    *point, e = np.asarray(finding.witness["point"]).tolist()
    yield replace(finding, witness={"w": point, "C_beta": 0.5 + 10**e})
