"""HESSIAN-FREE MAML: what a difference of gradients costs in place of a Hessian-vector product."""

from __future__ import annotations

from functools import partial

import numpy as np

from theory.convergence import Guarantee
from theory.extended import plain
from theory.loss import Array
from theory.neighbours.first_order import first_order
from theory.neighbours.hessian_free import Mode, hessian_free
from theory.norm import norm
from theory.paper import Paper
from verify.cell import Cell
from verify.claim import Mutant, On, claim, own
from verify.evidence.attack import attack_points
from verify.evidence.directions import (
    FEW,
    RESAMPLED,
    difference_step,
    differences,
    direction_error,
    mean_norm,
    residual,
)
from verify.evidence.least_gradient import LeastGradient
from verify.evidence.quantities import meta_gradients
from verify.statements import HESSIAN_FREE
from verify.verdict import Measured

ASSUMES = ("training losses are L-smooth with ρ-Lipschitz Hessian",)
STEP = "step δ a quarter of the distance over which the losses vary"


@claim(
    "hessian-free error",
    HESSIAN_FREE,
    "a difference over a step δ errs by (N/2)αρδ q^{N−1}‖g_N‖ at most, to one side as to both",
    answers="How small must the difference step be, and do two-sided differences allow larger ones?",
    says=(
        "‖v_0 − ∇L_i‖ ≤ (N/2)αρδ q^{N−1}‖g_N‖, forward and central; raw steps δv: ≤ (ρδ/(2L)) q^{N−1}(q^N − 1)‖g_N‖²"
    ),
    source=own("a difference is a mean Hessian over the step, ρδ/2 from the Hessian at its end or in its middle"),
    assumes=ASSUMES,
    measured=f"distance of the two directions, attacked over w, worst task; {STEP}",
    by=attack_points.of({"forward": 1, "central": 1, "raw": 1}),
    needs=("rho",),
    by_default=FEW,
    at=("near cap",),
    inner_steps=(5,),
    attained=(
        On("valleys", "l'' rises with slope ρ to both sides of the path's points", within=2e-3, at=("near cap",)),
    ),
    mutants=(
        Mutant("¼ for ½", "valleys", N=1, rho=lambda rho: rho / 2),
        Mutant("N dropped", "valleys", hessian_free_error=lambda p, *at: p.hessian_free_error(*at) / plain(p.N)),
        Mutant("q^{N−1} dropped", "valleys", q=lambda p, j: p.q(j + 1 - p.N) if np.all(j == p.N - 1) else p.q(j)),
        Mutant(
            "δ² for δ in central differences",
            "valleys",
            hessian_free_error=lambda p, step, last: p.hessian_free_error(step * step * p.rho / p.L, last),
        ),
    ),
)
def hessian_free_error(cell: Cell, w: Array, part: Mode) -> Measured:
    """Distance of the Hessian-free direction from the meta-gradient, for each task."""
    problem = cell.problem
    v, error, step = differences(cell, w, part)
    last = norm(first_order(w, cell.alpha, cell.N, problem.inner, problem.outer))
    bound = cell.paper.hessian_free_error_raw if part == "raw" else cell.paper.hessian_free_error
    return Measured(norm(v - meta_gradients(cell, w)), bound(step, last), error + 2 * direction_error(cell, w))


@claim(
    "hessian-free floor",
    HESSIAN_FREE,
    "where Hessian-free MAML stops, the meta-gradient is about (N/2)αρδσ at most: it vanishes with δ",
    answers="Is Hessian-free MAML biased where it has converged, and by how much?",
    says=(
        "resampling, q^{2N} < 2: E_i v_0 = 0 implies ‖∇L(w)‖ ≤ (N/2)αρδ q^{2N−1} σ/√(1 − (q^{2N} − 1)²), "
        "forward and central"
    ),
    source=own("FIXED POINT (b), and hessian-free error"),
    assumes=(*ASSUMES, "task spread σ", "q^{2N} < 2"),
    measured=(
        "‖∇L(w) − E_i v_0‖, attacked over w: the floor is the bound where E_i v_0 = 0, and elsewhere there is a term "
        f"for it; {STEP}"
    ),
    by=attack_points,
    cases=frozenset({"resampling"}),
    needs=("rho", "sigma"),
    by_default=RESAMPLED,
    at=("recommended",),
    inner_steps=(5,),
    attained=(
        On(
            "tooth-twins",
            "teeth bend the differences of two tasks in opposite ways, as αL → 0",
            within=5e-3,
            at=("small",),
            N=(1, 2, 5),
        ),
    ),
    mutants=(
        Mutant("no floor", "tooth-twins", rule="small", phi_hessian_free=lambda p, step: 0.0),
        Mutant("halved", "tooth-twins", rule="small", phi_hessian_free=lambda p, step: p.phi_hessian_free(step) / 2),
        Mutant(
            "N dropped", "tooth-twins", rule="small", phi_hessian_free=lambda p, step: p.phi_hessian_free(step) / p.N
        ),
    ),
)
def hessian_free_floor(cell: Cell, w: Array) -> Measured:
    """Meta-gradient beside the mean Hessian-free direction."""
    v, error, _ = differences(cell, w)
    bound = cell.paper.hessian_free_floor(difference_step(cell), residual(v, error))
    slack = (error + direction_error(cell, w)).mean(axis=-1)
    return Measured(mean_norm(meta_gradients(cell, w) - v), bound, slack)


@claim(
    "hessian-free theorem",
    HESSIAN_FREE,
    "Hessian-free MAML gets near its floor like 1/√K",
    answers="How small must the difference step be for a wanted accuracy?",
    says=(
        "resampling, q^{2N} < 2, φ = (N/2)αρδ q^{2N−1} < C_1, β_k = 1/(C_β L_{w_k}), C_β ≥ 1: min_k ‖∇L(w_k)‖ ≤ x as "
        "in first-order theorem; x → φσ/(C_1 − φ), at most ε for δ = O(εL/(ρσ)) at α = 1/(8NL), whatever N is"
    ),
    source=own("descent lemma along an inexact direction, and LINK"),
    assumes=(*ASSUMES, "task spread σ", "the meta objective is bounded below"),
    measured=(
        "least exact ‖∇L(w_k)‖ along a run from the problem's start, with Δ from the proved lower bound; "
        "step δ a hundredth of that of the other claims"
    ),
    by=LeastGradient(lambda cell: partial(hessian_free, step=short_step(cell))),
    cases=frozenset({"resampling"}),
    needs=("rho", "sigma", "lower_bound"),
    by_default=RESAMPLED,
    at=("recommended",),
    inner_steps=(5,),
    sharp="ramp, as αL → 0: 0.99 of it; the limit is that of hessian-free floor to first order",
    mutants=(Mutant("R/2 for R", "ramp", N=1, rule="small", R=lambda p: p.R / 2),),
)
def hessian_free_theorem(cell: Cell, paper: Paper) -> Guarantee:
    """Least gradient norm of a run along Hessian-free directions."""
    return paper.inexact(paper.phi_hessian_free(short_step(cell)))


def short_step(cell: Cell) -> float:
    """Step δ of a run, so short that its floor is low."""
    return difference_step(cell) / 100
