"""META STEPSIZE MOMENTS, sharper: the extremal law of given variance, and the mean from above."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from theory.constants import Constants, Real, Schedule
from theory.sharper import inverse_moment_sharper, kappa_sharper
from verify.claim import Cell, Mutant, claim
from verify.claims.meta_stepsize_moments import (
    ASSUMPTIONS,
    FIRST,
    MEASURED,
    ONE_WITHOUT,
    SECOND,
    TWO_POINT,
    moments,
    one,
)
from verify.verdict import Finding


def sharper_B_prime_squared(c: Constants, s: Schedule) -> Real:
    """Wrong: `B'²` for `B'` in the sharper κ."""
    return kappa_sharper(c, replace(s, B_prime=s.B_prime**2))


def sharper_inverse(c: Constants, s: Schedule) -> Real:
    """`1 + x/2`, a bound on `L_w E[1/L̂]`."""
    return inverse_moment_sharper(c, s, 1.0)


@claim(
    name="sharper stepsize kappa",
    title="Own: κ without the maximum with 2",
    source="own: the two-point extremal of a variable of given mean and variance, maximised over the mean",
    statement="E[1/L̂²] ≤ (1 + x²/2 + x√(1 + x²/4))/L_w², x = C_L√((σ² + σ_g²/D_L)/B')/a",
    assumptions=ASSUMPTIONS,
    measured=MEASURED,
    sharp="two-point task gradients, one task of many without: 0.99 of the bound at B' = 1",
    formula=kappa_sharper,
    mutants=(
        Mutant("κ = 1", one, TWO_POINT),
        Mutant("B'² for B'", sharper_B_prime_squared, TWO_POINT),
    ),
    needs=("rho", "sigma", "sigma_g", "b"),
    rules=("recommended", "near cap"),
    sharp_on=(TWO_POINT, ONE_WITHOUT),
)
def sharper_stepsize_kappa(cell: Cell) -> Iterator[Finding]:
    """Second moment of 1/L̂, against the own sharper κ."""
    return moments(cell, SECOND)


@claim(
    name="sharper stepsize mean",
    title="Own: the mean of 1/L̂ is at most (1 + x/2)/L_w",
    source="own, as the sharper κ",
    statement="E[1/L̂] ≤ (1 + x/2)/L_w, x = C_L√((σ² + σ_g²/D_L)/B')/a",
    assumptions=ASSUMPTIONS,
    measured=MEASURED,
    sharp="two-point task gradients, 0 and a large one: above 0.6 of the bound at B' = 1",
    formula=sharper_inverse,
    mutants=(Mutant("x dropped", one, TWO_POINT),),
    needs=("rho", "sigma", "sigma_g", "b"),
    rules=("recommended", "near cap"),
    sharp_on=(TWO_POINT, ONE_WITHOUT),
)
def sharper_stepsize_mean(cell: Cell) -> Iterator[Finding]:
    """First moment of 1/L̂, from above."""
    return moments(cell, FIRST)
