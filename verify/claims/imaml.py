"""IMAML: the statements of the theory with a regularised minimum in place of the inner path."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from theory.constants import Schedule
from theory.loss import Array
from theory.maml import Direction, mean_over_tasks
from theory.neighbours.imaml import imaml
from theory.norm import norm
from verify.cell import Cell
from verify.claim import Mutant, On, claim, own
from verify.claims.stepsize_cap import beside
from verify.evidence.attack import attack_pairs, attack_points
from verify.evidence.critical import contracts, first_failure
from verify.evidence.directions import FEW, RESAMPLED, mean_norm
from verify.evidence.rounding import extent, unit
from verify.statements import IMAML
from verify.verdict import EPS, Finding, Measured, Values

SMOOTH = "training and test losses are L-smooth"
HESSIANS = "training Hessians are ρ-Lipschitz"
LAMBDA = "λ = 1/α > L"
CONVERGED = 200
"""Steps after which the inner problem is solved to rounding, for αL up to 0.83."""


def exact(steps: int = CONVERGED, solves: int = CONVERGED) -> Direction:
    """Direction of iMAML with its inner problem and its linear system solved by so many steps."""
    return lambda w, alpha, N, inner, outer: imaml(w, alpha, steps, inner, outer, solves=solves)


def directions(cell: Cell, w: Array) -> Array:
    """Exact meta-gradients of iMAML of every task: (P, tasks, d)."""
    return imaml(w, cell.alpha, steps(cell), cell.problem.inner, cell.problem.outer)


def steps(cell: Cell) -> int:
    """Steps after which the inner problem is solved to rounding: the error falls by αL a step."""
    h = cell.alpha * cell.constants.L
    return int(np.ceil(np.log(EPS) / np.log(h))) + 2


def error(cell: Cell, w: Array) -> Values:
    """Rounding error of iMAML's meta-gradient, per task: of φ, of the gradient there, and of the linear solve.

    An error of one step for φ or for J is made again at every step, and shrinks by αL each time.
    """
    c, Q, size = cell.constants, float(cell.paper.unchanged.Q_prox), extent(cell.problem, w)
    point = 2 * Q**2 * unit(cell.problem) * size
    hessian = cell.alpha * c.rho * Q**3 * c.L * size * point
    return np.asarray(4 * Q**2 * c.L * (point + unit(cell.problem) * size) + hessian)


@claim(
    "imaml smoothness",
    IMAML,
    "iMAML's objective is as smooth as MAML's, with Q = 1/(1 − L/λ) for q^N",
    answers="Is iMAML's objective smoother than MAML's?",
    says=(
        "λ > L: ‖∇L(w) − ∇L(u)‖ ≤ (Q²L + C_b b + C_L E_i‖∇l_{T_i}(w)‖)‖w − u‖, Q = 1/(1 − L/λ), "
        "C_L = (ρ/L)Q³(Q − 1), C_b = (ρ/L)Q²(Q − 1)² (resampling: b = 0)"
    ),
    source=own("the regularised minimum moves Q times as far as w at most, and so on as for MAML"),
    assumes=(SMOOTH, HESSIANS, "mismatch b", LAMBDA),
    measured="change of iMAML's exact meta-gradient, attacked over w and u, with 1/λ the inner stepsize of the rule",
    by=attack_pairs,
    needs=("rho", "b"),
    by_default=FEW,
    at=("near cap",),
    inner_steps=(1,),
    attained=(On("tooth", "a tooth beside the regularised minimum, as it shrinks", within=1e-3, at=("near cap",)),),
    mutants=(
        Mutant("Q² for Q³ in C_L", "tooth", N=1, C_L_prox=lambda p: p.C_L_prox / p.Q_prox),
        Mutant("C_L dropped", "tooth", N=1, C_L_prox=0.0),
        Mutant("MAML's constant at N = 1", "tooth", N=1, L_w_prox=lambda p, mean: p.L_w(mean)),
    ),
)
def imaml_smoothness(cell: Cell, w: Array, u: Array) -> Measured:
    """Change of iMAML's meta-gradient."""
    change = mean_over_tasks(directions(cell, w) - directions(cell, u))
    L_w = cell.paper.L_w_prox(norm(cell.problem.outer.gradient(w)).mean(axis=-1))
    slack = (error(cell, w) + error(cell, u)).mean(axis=-1)
    return Measured(norm(change), L_w * norm(w - u)[:, 0], slack)


@claim(
    "imaml link",
    IMAML,
    "for λ > (2 + √2)L a small meta-gradient of iMAML means small task gradients",
    answers="How large must iMAML's regularisation be, and does that depend on the inner steps?",
    says=(
        "λ > (2 + √2)L: ‖∇l_T(w)‖ ≤ (‖∇L(w)‖ + C_2σ + m)/C_1, C_1 = 2 − Q², C_2 = Q² − 1, m = Q(Q − 1)b "
        "(resampling: m = 0), Q = 1/(1 − L/λ)"
    ),
    source=own("∇L_i is within Q² − 1 of ∇l_i, relatively"),
    assumes=(SMOOTH, "task spread σ", "mismatch b", "λ > (2 + √2)L"),
    measured="norm of the mean test gradient, attacked over w, with 1/λ the inner stepsize of the rule",
    by=attack_points,
    needs=("rho", "sigma", "b"),
    by_default=FEW,
    at=("recommended",),
    inner_steps=(1,),
    attained=(On("convex-quadratic", "∇L = ∇l/(1 + αL)², as αL → 0", within=0.01, at=("small",), N=(1,)),),
    mutants=(
        Mutant("1 for C_1", "convex-quadratic", N=1, rule="recommended", C_1_prox=1.0),
        Mutant("2 − Q for C_1", "convex-quadratic", N=1, rule="recommended", C_1_prox=lambda p: 1 - p.e_prox),
        Mutant("C_2σ dropped", "cusp", N=1, rule="small", C_2_prox=0.0, C_1_prox=lambda p: p.C_1_prox),
    ),
)
def imaml_link(cell: Cell, w: Array) -> Measured:
    """Mean test gradient beside what iMAML's meta-gradient says of it."""
    meta, slack = directions(cell, w), error(cell, w).mean(axis=-1)
    bound = cell.paper.link_prox(mean_norm(meta))
    slope = cell.paper.link_prox(1.0) - cell.paper.link_prox(0.0)
    return Measured(mean_norm(cell.problem.outer.gradient(w)), bound, (1 + slope) * slack)


@claim(
    "imaml cap",
    IMAML,
    "at its worst, iMAML with β = 1/L is stable iff λ > (2 + √2)L, whatever solves the inner problem",
    answers="Does iMAML lose convergence when its inner problem is solved more accurately?",
    says="finite-sum, β = 1/L: on opposed curvature the minimiser is stable iff L/λ < 1 − 1/√2, that is Q² < 2",
    source=own("there ∇L = Q²Lw"),
    assumes=(SMOOTH,),
    measured="critical 1/λ, by bisection: do iterates from near the minimiser come nearer to it?",
    at=("near cap",),
    inner_steps=(1,),
    problems=("opposed-curvature", "opposed-curvature-quadratic"),
    sharp="an equality on opposed curvature",
    settled="attained",
    mutants=(
        Mutant("1.05 of the cap", "opposed-curvature", N=1, imaml_cap=lambda p: 1.05 * p.imaml_cap),
        Mutant("Q < 2", "opposed-curvature", N=1, imaml_cap=lambda p: 0.5 / p.L),
    ),
)
def imaml_cap(cell: Cell) -> Iterator[Finding]:
    """Critical 1/λ beside the formula."""
    problem, L = cell.problem, cell.constants.L

    def stable(alpha: Values) -> npt.NDArray[np.bool_]:
        return contracts(problem, 1, alpha, 1 / L, problem.linear_within, direction=exact(80, 80))

    found = first_failure(stable, 0.15 / L, 0.6 / L)
    yield beside(found, cell.paper_at(Schedule(N=1, alpha=0.0)).imaml_cap, changes=2.0)


MINIMUM, SYSTEM = "inner problem", "linear system"


@claim(
    "imaml solve",
    IMAML,
    "each step of the inner solver, and of the linear one, shrinks the error by L/λ",
    answers="How many inner steps and Hessian-vector products does iMAML need?",
    says=(
        "resampling, h = L/λ < 1, φ_0 = w, φ_n = w − ∇l(φ_{n−1})/λ: ‖J(φ_N)∇l(φ_N) − ∇L_i‖ ≤ h^N{Q(Q − 1)‖g‖ + "
        "(ρ/L²)Q²(Q − 1)²‖g‖²}; N Neumann steps for J err by h^{N+1}Q‖∇l(φ_N)‖ at most"
    ),
    source=own("both iterations contract by h"),
    assumes=(SMOOTH, HESSIANS, LAMBDA),
    measured="distance from the exact meta-gradient, or from an exact linear solve, attacked over w, worst task",
    by=attack_points.of({MINIMUM: 0, SYSTEM: 0}),
    cases=frozenset({"resampling"}),
    needs=("rho",),
    by_default=RESAMPLED,
    at=("fixed",),
    inner_steps=(5,),
    also=("saddle", "tooth"),
    sharp="saddle: the first term, and the linear system",
    mutants=(
        Mutant("h^{N+1} for h^N", "saddle", rule="fixed", solve_error=lambda p, g: p.solve_error(g) * p.alpha * p.L),
        Mutant("term with ρ dropped", "tooth", N=10, rule="fixed", rho=0.0),
        Mutant(
            "h^{N+2} for h^{N+1}",
            "saddle",
            rule="fixed",
            linear_solve_error=lambda p, last: p.linear_solve_error(last) * p.alpha * p.L,
        ),
    ),
)
def imaml_solve(cell: Cell, w: Array, part: str) -> Measured:
    """Distance of a direction of iMAML with few steps from the one with many, for each task."""
    problem, many = cell.problem, steps(cell)
    solved = imaml(w, cell.alpha, cell.N, problem.inner, problem.outer, solves=many)
    slack = 2 * error(cell, w)
    if part == MINIMUM:
        bound = cell.paper.solve_error(norm(problem.inner.gradient(w)))
        return Measured(norm(solved - directions(cell, w)), bound, slack)
    few = imaml(w, cell.alpha, cell.N, problem.inner, problem.outer)
    last = norm(imaml(w, cell.alpha, cell.N, problem.inner, problem.outer, solves=0))
    return Measured(norm(few - solved), cell.paper.linear_solve_error(last), slack)
