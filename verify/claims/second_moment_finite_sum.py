"""SECOND MOMENT of Algorithm 2: the mean square of the tasks' meta-gradients, exact."""

from __future__ import annotations

from theory.loss import Array
from theory.norm import inner_product, norm
from verify.cell import Cell
from verify.claim import Mutant, On, claim, paper
from verify.evidence.attack import attack_points
from verify.evidence.quantities import meta_gradients
from verify.evidence.rounding import extent, meta_gradient_error, square_error
from verify.statements import SECOND_MOMENT
from verify.verdict import Measured


@claim(
    "second moment finite-sum",
    SECOND_MOMENT,
    "a task's meta-gradient over tasks, Algorithm 2",
    says="E_i‖∇L_i(w)‖² ≤ A_sq1 ‖∇L(w)‖² + A_sq2",
    source=paper("lemma on the second moment of the finite-sum meta-gradient"),
    assumes=(
        "training and test losses are L-smooth",
        "task spread at most σ",
        "mismatch of training and test gradients at most b_i, b = E_i b_i, b̃ = E_i b_i²",
        "q^{2N} < 2",
    ),
    measured="exact mean over all tasks, attacked over w",
    by=attack_points,
    cases=frozenset({"finite-sum"}),
    needs=("sigma", "b", "b_sq"),
    at=("recommended", "near cap"),
    also=("rare-mismatch",),
    attained=(
        On(
            "rare-tuned",
            "spread and mismatch weigh the same, and few tasks have both",
            within=0.01,
            at=("small",),
            N=(1, 2, 5, 10, 20, 50),
        ),
    ),
    mutants=(
        Mutant(
            "b² for b̃",
            "rare-mismatch",
            rule="recommended",
            A_sq2=lambda p: p.A_sq2 - 2 * (p.q(p.N) * p.e(p.N)) ** 2 * (p.b_sq - p.b**2),
        ),
        Mutant("b̃ dropped", "rare-mismatch", rule="recommended", b_sq=0.0),
        Mutant("1 for the factors 2", "rare-tuned", N=1, rule="small", A_sq2=lambda p: p.A_sq2 / 2),
    ),
)
def second_moment_finite_sum(cell: Cell, w: Array) -> Measured:
    """Mean square of the tasks' meta-gradients."""
    meta = meta_gradients(cell, w)
    squares = inner_product(meta, meta)
    error = meta_gradient_error(cell.problem, cell.schedule(), extent(cell.problem, w))
    bound = cell.paper.finite_sum_second_moment(norm(meta.mean(axis=-2)) + error.mean(axis=-1))
    return Measured(squares.mean(axis=-1), bound, square_error(squares, error).mean(axis=-1))
