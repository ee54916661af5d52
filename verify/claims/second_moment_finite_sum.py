"""SECOND MOMENT of Algorithm 2: the mean square of the tasks' meta-gradients, exact."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from theory.constants import Constants, Real, Schedule
from theory.estimator import finite_sum_second_moment_bound
from theory.growth import growth, growth_excess
from theory.loss import Array
from theory.maml import meta_gradient
from verify.claim import Cell, Mutant, claim
from verify.evidence.expectation import norm
from verify.evidence.probing import Measured, attack_points
from verify.evidence.rounding import extent, meta_gradient_error
from verify.verdict import Finding


def evaluate_finite_sum(cell: Cell, w: Array) -> Measured:
    """`E_i‖∇L_i(w)‖²` beside its bound; `w` is (P, 1, d)."""
    problem, s = cell.problem, cell.schedule()
    meta = meta_gradient(w, cell.alpha, cell.N, problem.inner, problem.outer)
    squares = np.square(meta).sum(axis=-1)
    error = meta_gradient_error(problem, s, extent(problem, w))
    slack = (2 * np.sqrt(squares) * error + error**2).mean(axis=-1)
    limit = cell.formula(cell.constants, s, norm(meta.mean(axis=-2)) + error.mean(axis=-1))
    return squares.mean(axis=-1), np.asarray(limit), slack


def b_squared(c: Constants, s: Schedule, meta_gradient_norm: Real) -> Real:
    """Wrong: `b²` for `b̃`."""
    return finite_sum_second_moment_bound(replace(c, b_sq=c.b**2), s, meta_gradient_norm)


def without_b_sq(c: Constants, s: Schedule, meta_gradient_norm: Real) -> Real:
    """Wrong: the term in `b̃` dropped."""
    whole = finite_sum_second_moment_bound(c, s, meta_gradient_norm)
    return whole - 2 * (growth(c, s, s.N) * growth_excess(c, s, s.N)) ** 2 * c.b_sq


@claim(
    name="second moment finite-sum",
    title="SECOND MOMENT of a task's meta-gradient over tasks, Algorithm 2",
    source="Ji, Yang, Liang (2022), lemma on the second moment of the finite-sum meta-gradient",
    statement="E_i‖∇L_i(w)‖² ≤ A_sq1 ‖∇L(w)‖² + A_sq2",
    assumptions=(
        "training and test losses are L-smooth",
        "task spread at most σ",
        "mismatch of training and test gradients at most b_i, b = E_i b_i, b̃ = E_i b_i²",
        "q^{2N} < 2",
    ),
    measured="exact mean over all tasks, attacked over w",
    sharp="rare mismatched tasks: half of the term with b̃ at most",
    formula=finite_sum_second_moment_bound,
    mutants=(
        Mutant("b² for b̃", b_squared, "rare-mismatch", rule="recommended"),
        Mutant("b̃ dropped", without_b_sq, "rare-mismatch", rule="recommended"),
    ),
    cases=frozenset({"finite-sum"}),
    needs=("sigma", "b", "b_sq"),
    rules=("recommended", "near cap"),
    sharp_on=("rare-mismatch",),
)
def second_moment_finite_sum(cell: Cell) -> Iterator[Finding]:
    """Attack the mean square of the tasks' meta-gradients."""
    yield attack_points(cell, evaluate_finite_sum)
