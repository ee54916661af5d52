"""REPTILE: how far it is from MAML, and what it leaves undone."""

from __future__ import annotations

from collections.abc import Callable

from theory.extended import Number, plain
from theory.loss import Array
from theory.maml import Direction, meta_gradient
from theory.neighbours.first_order import first_order
from theory.neighbours.reptile import reptile
from theory.norm import norm
from theory.paper import Paper
from verify.cell import Cell
from verify.claim import Mutant, On, claim, own
from verify.evidence.attack import attack_points
from verify.evidence.directions import RESAMPLED, direction_error, floor
from verify.statements import REPTILE
from verify.verdict import Measured

SMOOTH = "task losses are L-smooth"
FLOOR = (
    "‖∇L(w) − c E_i R_i‖, attacked over w: the floor is the bound where E_i R_i = 0; elsewhere there is a term for it"
)
FROM: dict[str, tuple[Direction, Callable[[Paper], Number]]] = {
    "from MAML": (meta_gradient, lambda p: p.phi_reptile),
    "from first-order MAML": (first_order, lambda p: p.phi_reptile_first_order),
}


def directions(cell: Cell, w: Array) -> Array:
    """Reptile's directions of every task: (P, tasks, d)."""
    return reptile(w, cell.alpha, cell.N, cell.problem.inner, cell.problem.outer)


@claim(
    "reptile distance",
    REPTILE,
    "each task's direction is off by about αL(3N + 1)/2 times its gradient at most",
    answers="How far is Reptile from the meta-gradient, and is it nearer than first-order MAML?",
    says=(
        "resampling: ‖R_i − ∇L_i‖ ≤ (q^{2N} − ā(q))‖∇l_i‖ and ‖R_i − g_N‖ ≤ (q^N − ā(q))‖∇l_i‖, "
        "R_i = (w − w̃_N)/(Nα), ā(q) = (1/N)Σ_{j<N} q^j"
    ),
    source=own("R_i is the mean of the gradients along the path; each is pulled through 2N − j factors less"),
    assumes=(SMOOTH,),
    measured="distance of the two directions, attacked over w, worst task",
    by=attack_points.of(dict.fromkeys(FROM, 1)),
    cases=frozenset({"resampling"}),
    needs=("rho",),
    by_default=RESAMPLED,
    at=("near cap",),
    inner_steps=(5,),
    attained=(On("saddle", "near the top of a well every factor is q", at=("near cap",)),),
    mutants=(
        Mutant("q^N for q^{2N}", "saddle", phi_reptile=lambda p: p.phi_reptile_first_order),
        Mutant("3N/2 for (3N + 1)/2", "saddle", phi_reptile=lambda p: 1.5 * p.N * p.alpha * p.L),
        Mutant("halved", "saddle", phi_reptile_first_order=lambda p: p.phi_reptile_first_order / 2),
    ),
)
def reptile_distance(cell: Cell, w: Array, part: str) -> Measured:
    """Distance of Reptile's direction from another one, for each task."""
    other, factor = FROM[part]
    there = other(w, cell.alpha, cell.N, cell.problem.inner, cell.problem.outer)
    bound = plain(factor(cell.paper) * norm(cell.problem.inner.gradient(w)))
    return Measured(norm(directions(cell, w) - there), bound, 3 * direction_error(cell, w))


@claim(
    "reptile floor",
    REPTILE,
    "where Reptile stops, the meta-gradient is about αL(3N + 1)/2 σ at most",
    answers="How large may the meta-gradient still be where Reptile has converged?",
    says="resampling, ā(q) < 2: E_i R_i = 0 implies ‖∇L(w)‖ ≤ (q^{2N} − ā(q)) σ/√(1 − (ā(q) − 1)²)",
    source=own("FIXED POINT (b), and reptile distance"),
    assumes=(SMOOTH, "task spread σ", "ā(q) < 2"),
    measured=FLOOR,
    by=attack_points,
    cases=frozenset({"resampling"}),
    needs=("rho", "sigma"),
    by_default=RESAMPLED,
    at=("near cap",),
    inner_steps=(5,),
    attained=(On("offset-cusp", "two halves of a cusp cancel, as αL → 0", within=2e-3, at=("small",), N=(1, 5)),),
    mutants=(
        Mutant("first-order MAML's floor", "offset-cusp", rule="small", phi_reptile=lambda p: p.phi_first_order),
        Mutant("halved", "offset-cusp", rule="small", phi_reptile=lambda p: p.phi_reptile / 2),
    ),
)
def reptile_floor(cell: Cell, w: Array) -> Measured:
    """Meta-gradient beside the mean of Reptile's directions."""
    return floor(cell, w, directions(cell, w), 1.0, lambda left, gradient: cell.paper.reptile_floor(left))


@claim(
    "reptile floor on the line",
    REPTILE,
    "in one dimension the floor is ½(q^{2N} − p^{2N}ā(q)/ā(p))σ, larger than first-order MAML's by (3N + 1)/(2N)",
    answers="Is Reptile, which pulls nothing back, worse than first-order MAML at its worst?",
    says=(
        "resampling, d = 1, αL < 1, p = 1 − αL: E_i R_i = 0 implies |∇L(w)| ≤ ½(q^{2N} − p^{2N} ā(q)/ā(p))σ; to first "
        "order αL(3N + 1)/2 σ"
    ),
    source=own("∇L_i = κ_i R_i with κ_i between p^{2N}/ā(p) and q^{2N}/ā(q)"),
    assumes=(SMOOTH, "task spread σ", "αL < 1", "d = 1"),
    measured=FLOOR,
    by=attack_points,
    cases=frozenset({"resampling"}),
    needs=("rho", "sigma"),
    at=("recommended",),
    inner_steps=(5,),
    problems=("cusp", "spikes", "offset-cusp"),
    attained=(
        On("offset-cusp", "one step: two halves of a cusp cancel", within=5e-4, N=(1,), at=("near cap", "recommended")),
    ),
    sharp="offset-cusp for N > 1 as αL → 0: within 6 % at α = 1/(8NL), 0.1 % at 1/(1000NL)",
    mutants=(
        Mutant(
            "3N/2 for (3N + 1)/2",
            "offset-cusp",
            N=1,
            rule="recommended",
            reptile_half_range=lambda p: 1.5 * p.N * p.alpha * p.L,
        ),
        Mutant(
            "first-order MAML's αLNσ",
            "offset-cusp",
            rule="small",
            reptile_half_range=lambda p: p.N * p.alpha * p.L,
        ),
    ),
)
def reptile_floor_on_the_line(cell: Cell, w: Array) -> Measured:
    """The same in one dimension."""
    return floor(cell, w, directions(cell, w), cell.paper.unchanged.reptile_middle, cell.paper.reptile_floor_line)
