"""FIRST-ORDER MAML: how far it is from MAML, what it leaves undone, and whose meta-gradient it nearly is."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from theory.constants import Real, Schedule
from theory.convergence import Guarantee
from theory.loss import Array
from theory.maml import Direction, meta_gradient
from theory.neighbours.first_order import first_order
from theory.norm import norm
from theory.paper import Paper
from verify.cell import Cell
from verify.claim import Mutant, On, claim, own
from verify.claims.stepsize_cap import beside
from verify.evidence.attack import attack_points
from verify.evidence.critical import contracts, first_failure
from verify.evidence.directions import FEW, RESAMPLED, direction_error, floor
from verify.evidence.least_gradient import LeastGradient
from verify.evidence.quantities import meta_gradients
from verify.statements import FIRST_ORDER
from verify.verdict import Finding, Measured, Values

SMOOTH = "task losses are L-smooth"
FLOOR = (
    "‖∇L(w) − c E_i g_N‖, attacked over w, c in the middle of what a product of Hessian factors can be: the floor is "
    "the bound where E_i g_N = 0, and elsewhere there is a term for it"
)


def directions(cell: Cell, w: Array) -> Array:
    """First-order directions of every task: (P, tasks, d)."""
    return first_order(w, cell.alpha, cell.N, cell.problem.inner, cell.problem.outer)


@claim(
    "first-order distance",
    FIRST_ORDER,
    "without Hessians, each task's direction is off by q^N − 1 times its length at most",
    answers="How wrong is a meta-gradient that drops the Hessians?",
    says="‖g_N − ∇L_i‖ ≤ (q^N − 1)‖g_N‖ for every α, g_N the test gradient at w̃_N",
    source=own("∇L_i = A g_N with ‖A − I‖ ≤ q^N − 1"),
    assumes=("training losses are L-smooth",),
    measured="distance of the two directions, attacked over w, worst task",
    by=attack_points,
    needs=("rho",),
    by_default=FEW,
    at=("near cap",),
    inner_steps=(5,),
    attained=(On("saddle", "near the top of a well every factor is q", at=("near cap",)),),
    mutants=(
        Mutant("NαL for q^N − 1", "saddle", e=lambda p, j: j * p.alpha * p.L),
        Mutant("q^{N−1} − 1 for q^N − 1", "saddle", e=lambda p, j: p.e(j - 1)),
    ),
)
def first_order_distance(cell: Cell, w: Array) -> Measured:
    """Distance of the first-order direction from the meta-gradient, for each task."""
    direction = directions(cell, w)
    distance = norm(direction - meta_gradients(cell, w))
    return Measured(distance, cell.paper.first_order_distance(norm(direction)), 3 * direction_error(cell, w))


@claim(
    "first-order distance at the start",
    FIRST_ORDER,
    "without Hessians, each task's direction is off by q^N(q^N − 1) times its gradient at most",
    answers="How wrong is a meta-gradient that drops the Hessians, told before a step is made?",
    says="resampling: ‖g_N − ∇L_i‖ ≤ q^N(q^N − 1)‖∇l_i(w)‖ for every α",
    source=own("first-order distance, and gradient growth"),
    assumes=(SMOOTH,),
    measured="distance of the two directions, attacked over w, worst task",
    by=attack_points,
    cases=frozenset({"resampling"}),
    needs=("rho",),
    by_default=RESAMPLED,
    at=("near cap",),
    inner_steps=(5,),
    attained=(On("saddle", "the gradient grows by q a step, and every factor is q", at=("near cap",)),),
    mutants=(Mutant("the leading q^N dropped", "saddle", phi_first_order=lambda p: p.e(p.N)),),
)
def first_order_distance_at_start(cell: Cell, w: Array) -> Measured:
    """Distance of the first-order direction from the meta-gradient, for each task."""
    distance = norm(directions(cell, w) - meta_gradients(cell, w))
    bound = cell.paper.phi_first_order * norm(cell.problem.inner.gradient(w))
    return Measured(distance, np.asarray(bound), 3 * direction_error(cell, w))


@claim(
    "first-order floor",
    FIRST_ORDER,
    "where first-order MAML stops, the meta-gradient is r_N q^N σ at most, about αLNσ",
    answers="How large may the meta-gradient still be where first-order MAML has converged?",
    says=(
        "resampling, NαL ≤ 1: E_i g_N = 0 implies ‖∇L(w)‖ ≤ r_N q^N σ ≤ q^N(q^N − 1)σ, "
        "r_N = max_φ Im (1 + αL e^{iφ})^N; to first order αLNσ"
    ),
    source=own("∇L = E_i(A_i − c)g_N for every c, and COCOERCIVE"),
    assumes=(SMOOTH, "task spread σ", "NαL ≤ 1"),
    measured=FLOOR,
    by=attack_points,
    cases=frozenset({"resampling"}),
    needs=("rho", "sigma"),
    by_default=RESAMPLED,
    at=("near cap",),
    inner_steps=(5,),
    also=("spikes",),
    sharp="spikes at N = 1; for d = 1 and every N the form on the line is attained, and r_N differs by O((NαL)³)",
    mutants=(
        Mutant("r_N halved", "spikes", N=1, r_N=lambda p: p.r_N / 2),
        Mutant("no floor", "spikes", r_N=0.0),
        Mutant("αL for r_N", "spikes", r_N=lambda p: p.alpha * p.L),
        Mutant("the leading q^N dropped", "spikes", directions=lambda p, growth, *near: p.directions(1.0, *near)),
    ),
)
def first_order_floor(cell: Cell, w: Array) -> Measured:
    """Meta-gradient beside the mean first-order direction."""
    return floor(cell, w, directions(cell, w), cell.paper.unchanged.c_N, cell.paper.first_order_floor)


def half_range(p: Paper, j: Real) -> Real:
    """`½(q^j − (1 − αL)^j)`."""
    return (p.q(j) - p.shrink(j)) / 2


@claim(
    "first-order floor on the line",
    FIRST_ORDER,
    "in one dimension the floor is ½q^N(q^N − (1 − αL)^N)σ, and no smaller one is true",
    answers="Can better data or more meta steps bring first-order MAML below its floor?",
    says="resampling, d = 1, αL < 1: E_i g_N = 0 implies |∇L(w)| ≤ ½q^N(q^N − (1 − αL)^N)σ",
    source=own("A_i is a number between (1 − αL)^N and q^N"),
    assumes=(SMOOTH, "task spread σ", "αL < 1", "d = 1"),
    measured=FLOOR,
    by=attack_points,
    cases=frozenset({"resampling"}),
    needs=("rho", "sigma"),
    at=("near cap",),
    inner_steps=(5,),
    problems=("cusp", "offset-cusp"),
    attained=(
        On(
            "spikes",
            "one task's path meets a spike of +L at every point, the other's at the last one alone",
            within=2e-3,
            at=("recommended", "near cap", "small"),
            N=(1, 5),
        ),
    ),
    mutants=(
        Mutant(
            "q^{N−1} − p^{N−1} for q^N − p^N", "spikes", half_range=lambda p: (p.q(p.N - 1) - p.shrink(p.N - 1)) / 2
        ),
        Mutant("(αLN)² for αLN", "spikes", half_range=lambda p: (p.alpha * p.L * p.N) ** 2),
        Mutant("N dropped", "spikes", half_range=lambda p: p.alpha * p.L),
        Mutant("the leading q^N dropped", "spikes", directions=lambda p, growth, *near: p.directions(1.0, *near)),
    ),
)
def first_order_floor_on_the_line(cell: Cell, w: Array) -> Measured:
    """The same in one dimension."""
    return floor(cell, w, directions(cell, w), cell.paper.unchanged.middle, cell.paper.first_order_floor_line)


@claim(
    "first-order cap",
    FIRST_ORDER,
    "at its worst, first-order MAML with β = 1/L is stable up to (2^{1/N} − 1)/L, about twice MAML's cap",
    answers="Does first-order MAML allow larger inner stepsizes than MAML?",
    says="finite-sum, β = 1/L: on opposed curvature the minimiser is stable iff α < (2^{1/N} − 1)/L, that is q^N < 2",
    source=own("there g_N = q^N L w"),
    assumes=("training and test losses are L-smooth",),
    measured="critical stepsize, by bisection: do iterates from near the minimiser come nearer to it?",
    at=("near cap",),
    inner_steps=(1, 5),
    problems=("opposed-curvature", "opposed-curvature-quadratic"),
    sharp="an equality on opposed curvature",
    settled="attained",
    mutants=(
        Mutant("1.05 of the cap", "opposed-curvature", first_order_cap=lambda p: 1.05 * p.first_order_cap),
        Mutant("MAML's cap", "opposed-curvature", first_order_cap=lambda p: p.cap),
    ),
)
def first_order_cap(cell: Cell) -> Iterator[Finding]:
    """Critical stepsize beside the formula."""
    problem, N, L = cell.problem, cell.N, cell.constants.L
    middle = (2 ** (1 / N) - 1) / L

    def stable(alpha: Values) -> npt.NDArray[np.bool_]:
        return contracts(problem, N, alpha, 1 / L, problem.linear_within, direction=first_order)

    found = first_failure(stable, middle / 2, 2 * middle)
    yield beside(found, cell.paper_at(Schedule(N=N, alpha=0.0)).first_order_cap, N=N)


def at_share(share: float) -> Direction:
    """Exact meta-gradient at a share of the inner stepsize."""
    return lambda w, alpha, N, inner, outer: meta_gradient(w, share * alpha, N, inner, outer)


@claim(
    "half step",
    FIRST_ORDER,
    "without Hessians, MAML is MAML at half the inner stepsize, to first order",
    answers="Which objective does first-order MAML minimise?",
    says=(
        "resampling: ‖g_N − ∇L_i^{(α/2)}‖ ≤ (q'^{2N} − q^N)‖∇l_i‖ + (ρ/L²)[q^{N−1}(s_N + αLr/2) + "
        "q'^{2N−1}(2s' + αLr'/4)]‖∇l_i‖² = O(α²), q' = 1 + αL/2, r = q^N − 1, s_N = r − NαL, r' = q'^N − 1, "
        "s' = r' − NαL/2; the distance to ∇L_i^{(α)} is Θ(α)"
    ),
    source=own("both are (I − NαH)∇l_i to first order; the rest has coefficients of one sign"),
    assumes=(SMOOTH, "Hessians are ρ-Lipschitz"),
    measured="distance of first-order MAML's direction from the exact meta-gradient at α/2, attacked over w",
    by=attack_points,
    cases=frozenset({"resampling"}),
    needs=("rho",),
    by_default=RESAMPLED,
    at=("near cap",),
    inner_steps=(5,),
    also=("saddle",),
    sharp="saddle, the first term, as the gradient vanishes; the term with ρ has the right order in α only",
    mutants=(
        Mutant("α/3 for α/2", "saddle", N=1, formula=at_share(1 / 3)),
        Mutant("first term halved", "saddle", half_step_distance=lambda p, g: p.half_step_distance(g) / 2),
    ),
    formula=at_share(1 / 2),
)
def half_step(cell: Cell, w: Array) -> Measured:
    """Distance from the meta-gradient at a share of the inner stepsize, for each task."""
    problem = cell.problem
    there = cell.formula(w, cell.alpha, cell.N, problem.inner, problem.outer)
    bound = cell.paper.half_step_distance(norm(problem.inner.gradient(w)))
    return Measured(norm(directions(cell, w) - there), bound, 3 * direction_error(cell, w))


@claim(
    "first-order theorem",
    FIRST_ORDER,
    "first-order MAML gets near its floor like 1/√K",
    answers="How many meta steps does first-order MAML need, and how near does it get?",
    says=(
        "resampling, q^{2N} + q^N(q^N − 1) < 2, β_k = 1/(C_β L_{w_k}), C_β ≥ 1: min_k ‖∇L(w_k)‖ ≤ x, the positive root "
        "of c_2x² − (c_1 + GR)x − (c_0 + AR) = 0, R = C_βΔ/K; x → φσ/(C_1 − φ), φ = q^N(q^N − 1)"
    ),
    source=own("descent lemma along an inexact direction, and LINK"),
    assumes=(SMOOTH, "Hessians are ρ-Lipschitz", "task spread σ", "the meta objective is bounded below"),
    measured="least exact ‖∇L(w_k)‖ along a run from the problem's start, with Δ from the proved lower bound",
    by=LeastGradient(lambda cell: first_order),
    cases=frozenset({"resampling"}),
    needs=("rho", "sigma", "lower_bound"),
    by_default=RESAMPLED,
    at=("recommended",),
    inner_steps=(5,),
    sharp="ramp, as αL → 0: 0.99 of it; the limit is that of first-order floor to first order",
    mutants=(
        Mutant("R/2 for R", "ramp", N=1, rule="small", R=lambda p: p.R / 2),
        Mutant("K^{1.1} for K", "ramp", N=1, rule="small", K=lambda K: K**1.1),
    ),
)
def first_order_theorem(cell: Cell, paper: Paper) -> Guarantee:
    """Least gradient norm of a run along first-order directions."""
    return paper.inexact(paper.phi_first_order)


@claim(
    "first-order floor of smooth tasks",
    FIRST_ORDER,
    "where tasks have ρ-Lipschitz Hessians, the floor is αNψ to first order, ψ ≤ 0.544 σ√(ρσ)",
    answers="Is first-order MAML's floor lower for smooth tasks?",
    says=(
        "resampling, r = q^N − 1 < 1, k² = 1/(1 − r²): E_i g_N = 0 implies ‖∇L(w)‖ ≤ αNψ + [NαLr + q^N r − NαL]kσ + "
        "(ρ/L²)s_N k²σ², ψ = (2/3)^{3/2}σ√(ρσ) if ρσ ≤ (3/2)L², else L(σ − L²/(2ρ)); s_N = r − NαL"
    ),
    source=own("∇L is −αN E_i H_i∇l_i to first order, and Hessians of tasks can vary no faster than their gradients"),
    assumes=(SMOOTH, "Hessians are ρ-Lipschitz", "task spread σ", "q^N < 2"),
    measured="‖∇L(w) − E_i g_N‖, attacked over w: the floor where E_i g_N = 0, and elsewhere with a term for it",
    by=attack_points,
    cases=frozenset({"resampling"}),
    needs=("rho", "sigma"),
    by_default=RESAMPLED,
    at=("recommended",),
    inner_steps=(5,),
    attained=(
        On("parabola", "slopes of the tasks differ along a parabola, as αL → 0", within=0.01, at=("small",), N=(5,)),
    ),
    mutants=(
        Mutant("½ for (2/3)^{3/2}", "parabola", rule="small", psi=lambda p: p.psi / (2 / 3) ** 1.5 / 2),
        Mutant("ρσ/L for √(ρσ)", "parabola", rule="small", psi=lambda p: (2 / 3) ** 1.5 * p.sigma**2 * p.rho / p.L),
        Mutant("N dropped", "parabola", rule="small", psi=lambda p: p.psi / p.N),
    ),
)
def first_order_floor_of_smooth_tasks(cell: Cell, w: Array) -> Measured:
    """Meta-gradient beside the mean first-order direction."""
    return floor(cell, w, directions(cell, w), 1.0, lambda left, gradient: cell.paper.first_order_floor_smooth(left))
