"""BIAS, sharper: with the mean deviation that noise really makes, and with its symmetry at one step."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from theory.constants import Constants, Real, Schedule
from theory.growth import q
from theory.sharper import task_bias_one_step, task_bias_sharper
from verify.claim import Cell, Mutant, claim
from verify.claims.bias import ASSUMPTIONS, KINK, MEASURED, TENT, biases
from verify.verdict import Finding


def sharper_without_gradient(c: Constants, s: Schedule, gradient_norm: Real) -> Real:
    """Wrong: the term in `‖∇l_i(w)‖` dropped."""
    return task_bias_sharper(c, s, 0 * np.asarray(gradient_norm))


def sharper_S_for_sqrt_S(c: Constants, s: Schedule, gradient_norm: Real) -> Real:
    """Wrong: `1/S`."""
    return task_bias_sharper(c, s, gradient_norm) / np.sqrt(s.S)


def one_step_without_q(c: Constants, s: Schedule) -> Real:
    """Wrong: q dropped."""
    return task_bias_one_step(c, s) / q(c, s)


def one_step_S_squared(c: Constants, s: Schedule) -> Real:
    """Wrong: `1/S²`."""
    return task_bias_one_step(c, s) / s.S


EDGE = "well-edge"


@claim(
    name="sharper bias per task",
    title="Own: the bias with δ_j in place of (q^j − 1)σ_g/(L√S)",
    source="own: Jensen's inequality on the second moment of the deviation",
    statement="‖E Ĝ_i − ∇L_i‖ ≤ q^N L δ_N + αρ q^{2N−1} ‖∇l_i(w)‖ Σ_{j<N} δ_j",
    assumptions=ASSUMPTIONS,
    measured=MEASURED + ", worst task",
    sharp="as the paper's bound per task",
    formula=task_bias_sharper,
    mutants=(
        Mutant("term in ‖∇l_i‖ dropped", sharper_without_gradient, KINK, N=2),
        Mutant("1/S for 1/√S", sharper_S_for_sqrt_S, TENT, N=1),
    ),
    cases=frozenset({"resampling"}),
    needs=("rho", "sigma_g"),
    rules=("near cap", "fixed"),
    sharp_on=(TENT, KINK),
    inner_steps=tuple(range(1, 11)),
)
def sharper_bias_per_task(cell: Cell) -> Iterator[Finding]:
    """Bias of each task, against its own sharper bound."""
    return biases(cell, over_tasks=False)


@claim(
    name="bias at one step",
    title="Own: at N = 1 the bias falls like 1/S",
    source="own: the noise is centred, so only the curvature of the gradient is left",
    statement="‖E Ĝ_i − ∇L_i‖ ≤ (ρ/2) q α²σ_g²/S at N = 1",
    assumptions=ASSUMPTIONS,
    measured=MEASURED + ", worst task",
    sharp="the edge of a well, where l''' = ρ: equality at every S",
    formula=task_bias_one_step,
    mutants=(
        Mutant("q dropped", one_step_without_q, EDGE, N=1),
        Mutant("1/S² for 1/S", one_step_S_squared, EDGE, N=1),
    ),
    cases=frozenset({"resampling"}),
    needs=("rho", "sigma_g"),
    rules=("recommended", "near cap"),
    sharp_on=(EDGE,),
    inner_steps=(1,),
)
def bias_at_one_step(cell: Cell) -> Iterator[Finding]:
    """Bias of each task at N = 1, against a formula that does not look at the gradient."""
    formula = cell.formula
    return biases(replace(cell, formula=lambda c, s, gradient_norm: formula(c, s) + 0 * gradient_norm), False)
