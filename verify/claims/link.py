"""LINK: below the stepsize cap, a small meta-gradient means small task gradients."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from theory.constants import Constants, Real, Schedule
from theory.growth import growth_excess
from theory.lemmas import C_1, C_2, link_bound, link_tasks_bound, mismatch
from theory.loss import Array
from theory.maml import mean_over_tasks, meta_gradient
from verify.claim import Cell, Formula, Mutant, claim
from verify.evidence.probing import Measured, attack_points
from verify.evidence.rounding import extent, meta_gradient_error, unit
from verify.verdict import Finding


def link_bounds(c: Constants, s: Schedule, meta_gradient_norm: Real) -> tuple[Real, Real]:
    """Bounds on `‖∇l_T(w)‖` and on `E_i‖∇l_{T_i}(w)‖`."""
    return link_bound(c, s, meta_gradient_norm), link_tasks_bound(c, s, meta_gradient_norm)


def attack_link(cell: Cell, bound: Formula, measure: Callable[[Array], Array], label: str = "") -> Finding:
    """Attack `measure(test gradients) ≤ bound(c, s, ‖∇L(w)‖)` over w; a premise that fails is raised at once."""
    problem, s = cell.problem, cell.schedule()
    c = problem.constants
    # how far an error of ‖∇L(w)‖ moves the bound, which is affine in it
    slope = bound(c, s, 1.0) - bound(c, s, 0.0)

    def evaluate(cell: Cell, w: Array) -> Measured:
        size = extent(problem, w).max(axis=1)
        meta = mean_over_tasks(meta_gradient(w, cell.alpha, cell.N, problem.inner, problem.outer))
        limit = bound(c, s, np.linalg.norm(meta, axis=1))
        slack = slope * meta_gradient_error(problem, s, size) + unit(problem) * (c.L * size + limit)
        return measure(problem.outer.gradient(w)), limit, slack

    return attack_points(cell, evaluate, label)


def norm_of_mean(gradients: Array) -> Array:
    """Return `‖∇l_T‖` from test gradients (..., tasks, d)."""
    return np.asarray(np.linalg.norm(gradients.mean(axis=-2), axis=-1))


def mean_of_norms(gradients: Array) -> Array:
    """Return `E_i‖∇l_{T_i}‖` from test gradients (..., tasks, d)."""
    return np.asarray(np.linalg.norm(gradients, axis=-1).mean(axis=-1))


def wrong(C_1: Formula = C_1, spread: float = 1.0, mismatch: Formula = mismatch) -> Formula:
    """LINK with another C_1, a multiple of the task spread, or another mismatch."""

    def formula(c: Constants, s: Schedule, meta_gradient_norm: Real) -> tuple[Real, Real]:
        m = mismatch(c, s)
        tasks = (meta_gradient_norm + spread * c.sigma + m) / C_1(c, s)
        return (meta_gradient_norm + spread * C_2(c, s) * c.sigma + m) / C_1(c, s), tasks

    return formula


@claim(
    name="link",
    title="LINK: below the cap, a small meta-gradient means small task gradients",
    source="Ji, Yang, Liang (2022), lemma that links ∇l to ∇L",
    statement=(
        "‖∇l_T(w)‖ ≤ (‖∇L(w)‖ + C_2 σ + m)/C_1 and E_i‖∇l_{T_i}(w)‖ ≤ (‖∇L(w)‖ + σ + m)/C_1, "
        "C_1 = 2 − q^{2N}, C_2 = q^{2N} − 1, m = q^N (q^N − 1) b (resampling: l_T = l, m = 0)"
    ),
    assumptions=("training and test losses are L-smooth", "task spread σ", "mismatch b", "q^{2N} < 2"),
    measured="norm of the mean test gradient, and mean of the norms, attacked over w",
    sharp="cusp (σ), cusp-mismatch (m), and the convex quadratic as αL → 0",
    formula=link_bounds,
    mutants=(
        Mutant("1 for C_1", wrong(C_1=lambda c, s: 1.0), "convex-quadratic"),
        Mutant("2 − q^N for C_1", wrong(C_1=lambda c, s: 1 - growth_excess(c, s, s.N)), "convex-quadratic"),
        Mutant("C_2σ dropped", wrong(spread=0.0), "cusp"),
        Mutant("C_2σ halved", wrong(spread=0.5), "cusp", rule="recommended"),
        Mutant("m dropped", wrong(mismatch=lambda c, s: 0.0), "cusp-mismatch"),
    ),
    needs=("rho", "sigma", "b"),
    sharp_on=("convex-quadratic", "cusp", "cusp-mismatch"),
)
def link(cell: Cell) -> Iterator[Finding]:
    """Attack both inequalities."""
    yield attack_link(cell, lambda *args: cell.formula(*args)[0], norm_of_mean, "norm of the mean")
    yield attack_link(cell, lambda *args: cell.formula(*args)[1], mean_of_norms, "mean of the norms")
