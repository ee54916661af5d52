"""SECOND MOMENT, tight (own): without the factors 2, and with the noise of the inner gradients in its root."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from theory.constants import Real
from theory.extended import Number, hypot, sqrt
from theory.loss import Array
from theory.maml import meta_gradient
from theory.norm import inner_product, norm
from theory.paper import Paper
from verify.cell import Cell
from verify.claim import Mutant, On, claim, own
from verify.claims.range import CAP, STRETCH, tight
from verify.claims.second_moment import ASSUMES, MEASURED, SecondMoment
from verify.evidence.attack import attack_points
from verify.evidence.rounding import extent, meta_gradient_error, square_error
from verify.statements import SECOND_MOMENT
from verify.verdict import Measured

PAIR, VEE, VEES = "saddle-pair", "vee", "coordinate-vee"
OVER_TASKS = ("training and test losses are L-smooth", "task spread σ", "mismatches of mean b, mean square b̃", CAP)
R_N = "ρ_N = min(r_N, q^N y + Lδ_N), r_0 = y, r_{j+1} = r_j + αL√(r_j² + σ_g²/S)"


@claim(
    "tight second moment",
    SECOND_MOMENT,
    "exact meta-gradients over tasks, both cases",
    says=(
        "E_i‖∇L_i(w)‖² ≤ (X + q^N (q^N − 1)√b̃)², X² = (p + Q)²/(4pQ) G'² + ½(p² + Q²)σ² + ½(Q² − p²)σ√(σ² + G'²/(pQ)) "
        f"≤ G'²/(1 − x) + Q²σ², G' = ‖∇L(w)‖ + m; {STRETCH}"
    ),
    source=own("RANGE, averaged over tasks"),
    assumes=OVER_TASKS,
    measured="exact mean over all tasks, attacked over w",
    by=attack_points,
    needs=("rho", "sigma", "b", "b_sq"),
    at=("recommended",),
    inner_steps=(1, 2, 5),
    also=("rare-teeth", "rare-mismatch"),
    attained=(
        On(
            PAIR,
            "two tasks that pull apart are stretched by Q, and the meta-gradient vanishes",
            within=1e-9,
            at=("recommended", "near cap"),
        ),
        On(
            "rare",
            "few tasks have all of spread and mismatch, and they point the same way",
            within=0.02,
            weaker=1.05,
            at=("recommended",),
        ),
    ),
    sharp="open: whether losses reach the coefficient 1/(1 − x) of G'²; rare-teeth shows that 1 is too small",
    mutants=(
        Mutant("q^{3N}σ² for Q²σ²", PAIR, spread=lambda p, G: p.spread(G) / p.q(p.N)),
        Mutant(
            "1 for the coefficient of G'²",
            "rare-teeth",
            N=1,
            rule="recommended",
            spread=lambda p, G: (G + p.m) ** 2 + (p.Q * p.sigma) ** 2,
        ),
        Mutant(
            "b² for b̃",
            "rare",
            rule="recommended",
            finite_sum_spread=lambda p, G: (p.spread(G) ** 0.5 + p.r_b * p.b) ** 2,
        ),
        Mutant("R√b̃ dropped", "rare", rule="recommended", b_sq=0.0),
    ),
)
def tight_second_moment(cell: Cell, w: Array) -> Measured:
    """Mean square of the tasks' meta-gradients."""
    return mean_square(cell, w, tight(cell).finite_sum_spread)


@claim(
    "plain second moment",
    SECOND_MOMENT,
    "the same, as a sum of two squares",
    says=f"E_i‖∇L_i(w)‖² ≤ (√(G'²/(1 − x) + Q²σ²) + q^N (q^N − 1)√b̃)², G' = ‖∇L(w)‖ + m; {STRETCH}",
    source=own("of the tight one, by the inequality of the two means"),
    assumes=OVER_TASKS,
    measured="exact mean over all tasks, attacked over w",
    by=attack_points,
    needs=("rho", "sigma", "b", "b_sq"),
    at=("recommended",),
    inner_steps=(1, 2, 5),
    also=("rare-teeth",),
    attained=(
        On(PAIR, "the meta-gradient vanishes, and both bounds are Q²σ²", within=1e-9, at=("recommended", "near cap")),
    ),
    mutants=(
        Mutant("Qσ² for Q²σ²", PAIR, spread_plain=lambda p, G: p.A_v * (G + p.m) ** 2 + p.Q * p.sigma**2),
        Mutant("1 for 1/(1 − x)", "rare-teeth", N=1, rule="recommended", A_v=1.0),
    ),
)
def plain_second_moment(cell: Cell, w: Array) -> Measured:
    """The same mean square, against the plain bound."""
    p = tight(cell)
    return mean_square(cell, w, lambda size: (sqrt(p.spread_plain(size)) + p.r_b * sqrt(p.b_sq)) ** 2)


def mean_square(cell: Cell, w: Array, bound: Callable[[Array], Number]) -> Measured:
    """Mean over tasks of the squares of meta-gradients, and what `bound` makes of the norm of their mean."""
    problem = cell.problem
    meta = meta_gradient(w, cell.alpha, cell.N, problem.inner, problem.outer)
    squares = inner_product(meta, meta)
    error = meta_gradient_error(problem, cell.schedule(), extent(problem, w))
    limit = bound(norm(meta.mean(axis=-2)) + error.mean(axis=-1))
    return Measured(squares.mean(axis=-1), np.asarray(limit), square_error(squares, error).mean(axis=-1))


@claim(
    "tight second moment per task",
    SECOND_MOMENT,
    "one task's stochastic meta-gradient, with gradient and noise in one root",
    says=f"E‖Ĝ_i‖² ≤ V [ρ_N² + σ_g²/T], {R_N}, y = ‖∇l_i(w)‖; for every α",
    source=own("Minkowski's inequality in the mean square over data"),
    assumes=ASSUMES,
    measured=MEASURED + ", worst task",
    by=SecondMoment(),
    cases=frozenset({"resampling"}),
    needs=("sigma_g", "sigma_H"),
    at=("near cap",),
    inner_steps=(1, 2, 5),
    attained=(
        On(
            VEE,
            "noise leads to two points of the same gradient",
            within=1e-3,
            at=("near cap", "fixed"),
            N=(1,),
            only="S, D, T = 1",
        ),
    ),
    sharp="open for N ≥ 2 where gradient and noise are both large",
    mutants=(
        Mutant(
            "cross term dropped",
            VEE,
            N=1,
            noisy_gradient=lambda p, y: hypot(y, p.alpha * p.L * hypot(y, p.sigma_g)),
        ),
    ),
)
def tight_second_moment_per_task(paper: Paper, gradient_norm: Real) -> Real:
    """Second moment of each task."""
    return paper.task_spread(gradient_norm)


@claim(
    "tight stochastic second moment",
    SECOND_MOMENT,
    "a stochastic meta-gradient over tasks and data",
    says=(
        f"E‖Ĝ_i‖² ≤ min(V [ρ_N² + σ_g²/T], (X + β_1 + β_2 y)² + (V − Q)ρ_N² + Vσ_g²/T), {R_N}, y of the exact LINK, "
        "X of the tight second moment, β_1 = q^N Lδ_N, β_2 = αρ q^{2N−1} Σ_{j<N} δ_j"
    ),
    source=own("Minkowski's inequality in the mean square over tasks and data"),
    assumes=(*ASSUMES, "task spread at most σ", CAP),
    measured=MEASURED,
    by=SecondMoment(over_tasks=True),
    cases=frozenset({"resampling"}),
    needs=("rho", "sigma", "sigma_g", "sigma_H"),
    at=("recommended",),
    inner_steps=(1, 2, 5),
    attained=(
        On(PAIR, "no noise: that of the exact meta-gradients", within=1e-9, at=("recommended", "near cap")),
        On(
            VEES,
            "gradient and noise enter one root, as d → ∞ and αL → 0",
            within=0.01,
            at=("small",),
            N=(1,),
            alone=True,
        ),
    ),
    mutants=(
        Mutant("σ 3 % less", PAIR, rule="recommended", sigma=lambda sigma: 0.97 * sigma),
        Mutant(
            "cross term dropped",
            VEES,
            N=1,
            rule="small",
            noisy_gradient=lambda p, y: hypot(y, p.alpha * p.L * hypot(y, p.sigma_g)),
        ),
    ),
)
def tight_stochastic_second_moment(paper: Paper, meta_gradient_norm: Real) -> Real:
    """Second moment over tasks and data."""
    return paper.resampling_spread(meta_gradient_norm)
