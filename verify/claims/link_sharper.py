"""LINK, sharper and further: with the least real part of 2N factors in place of the paper's `C_1`."""

from __future__ import annotations

from theory.loss import Array
from theory.norm import norm
from verify.cell import Cell
from verify.claim import Mutant, On, claim, own
from verify.claims.link import linked
from verify.evidence.attack import attack_points
from verify.statements import LINK
from verify.verdict import Measured


@claim(
    "sharper link",
    LINK,
    "up to a larger cap",
    says="resampling, α < sin(π/(4N))/L: ‖∇l(w)‖ ≤ (‖∇L(w)‖ + C_2 σ)/μ, μ = min_φ Re (1 + αL e^{iφ})^{2N} ≥ C_1",
    source=own(),
    assumes=("task losses are L-smooth", "task spread σ", "α below the larger cap"),
    measured="norm of the mean task gradient, attacked over w",
    by=attack_points,
    cases=frozenset({"resampling"}),
    needs=("rho", "sigma"),
    at=("recommended", "near cap", "past cap"),
    also=("cusp",),
    attained=(On("convex-quadratic", "μ = (1 − αL)^{2N}", at=("recommended", "near cap")),),
    mutants=(
        Mutant("2μ for μ", "convex-quadratic", mu=lambda p: 2 * p.mu),
        Mutant("C_2σ dropped", "cusp", sigma=0.0),
    ),
)
def sharper_link(cell: Cell, w: Array) -> Measured:
    """Mean task gradient beside what the meta-gradient says of it."""
    return linked(cell, w, norm(cell.problem.outer.gradient(w).mean(axis=-2)), cell.paper.link_sharper)
