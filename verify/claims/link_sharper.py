"""LINK, sharper and further: with the least real part of 2N factors in place of the paper's `C_1`."""

from __future__ import annotations

from collections.abc import Iterator

from theory.constants import Constants, Real, Schedule
from theory.sharper import link_sharper, mu
from verify.claim import Cell, Mutant, claim
from verify.claims.link import attack_link, norm_of_mean
from verify.verdict import Finding


def twice_mu(c: Constants, s: Schedule, meta_gradient_norm: Real) -> Real:
    """Wrong: `2μ` for μ."""
    return link_sharper(c, s, meta_gradient_norm) / 2


def no_spread(c: Constants, s: Schedule, meta_gradient_norm: Real) -> Real:
    """Wrong: `C_2σ` dropped."""
    return meta_gradient_norm / mu(c, s)


@claim(
    name="sharper link",
    title="LINK up to a larger cap",
    source="own",
    statement="resampling, α < sin(π/(4N))/L: ‖∇l(w)‖ ≤ (‖∇L(w)‖ + C_2 σ)/μ, μ = min_φ Re (1 + αL e^{iφ})^{2N} ≥ C_1",
    assumptions=("task losses are L-smooth", "task spread σ", "α below the larger cap"),
    measured="norm of the mean task gradient, attacked over w",
    sharp="convex quadratic: attained while μ = (1 − αL)^{2N}",
    formula=link_sharper,
    mutants=(
        Mutant("2μ for μ", twice_mu, "convex-quadratic"),
        Mutant("C_2σ dropped", no_spread, "cusp"),
    ),
    cases=frozenset({"resampling"}),
    needs=("rho", "sigma"),
    rules=("recommended", "near cap", "past cap"),
    sharp_on=("convex-quadratic", "cusp"),
)
def link_beyond_the_cap(cell: Cell) -> Iterator[Finding]:
    """Attack the inequality."""
    yield attack_link(cell, cell.formula, norm_of_mean)
