"""META STEPSIZE MOMENTS, sharper: the extremal law of given variance, and the mean from above."""

from __future__ import annotations

from theory.constants import Real
from theory.paper import Paper
from verify.claim import Mutant, On, claim, own
from verify.claims.meta_stepsize_moments import ASSUMES, MEASURED, ONE_WITHOUT, TWO_POINT, StepsizeMoment
from verify.statements import META_STEPSIZE_MOMENTS


@claim(
    "sharper stepsize kappa",
    META_STEPSIZE_MOMENTS,
    "κ without the maximum with 2",
    says="E[1/L̂²] ≤ (1 + x²/2 + x√(1 + x²/4))/L_w², x = C_L√((σ² + σ_g²/D_L)/B')/a",
    source=own("the two-point extremal of a variable of given mean and variance, maximised over the mean"),
    assumes=ASSUMES,
    measured=MEASURED,
    by=StepsizeMoment(2),
    needs=("rho", "sigma", "sigma_g", "b"),
    at=("recommended", "near cap"),
    also=(TWO_POINT,),
    attained=(
        On(
            ONE_WITHOUT,
            "one task of many has no gradient: nearly the extremal law",
            within=0.02,
            only="D_L = 1, B' = 1",
        ),
    ),
    improved_by="exact stepsize kappa",
    mutants=(
        Mutant("κ = 1", TWO_POINT, kappa_sharper=1.0),
        Mutant("B'² for B'", TWO_POINT, B_prime=lambda B_prime: B_prime**2),
    ),
)
def sharper_stepsize_kappa(paper: Paper) -> Real:
    """Second moment of 1/L̂, against the own sharper κ."""
    return float(paper.kappa_sharper)


@claim(
    "sharper stepsize mean",
    META_STEPSIZE_MOMENTS,
    "the mean of 1/L̂ is at most (1 + x/2)/L_w",
    says="E[1/L̂] ≤ (1 + x/2)/L_w, x = C_L√((σ² + σ_g²/D_L)/B')/a",
    source=own("as the sharper κ"),
    assumes=ASSUMES,
    measured=MEASURED,
    by=StepsizeMoment(1),
    needs=("rho", "sigma", "sigma_g", "b"),
    at=("recommended", "near cap"),
    also=(TWO_POINT, ONE_WITHOUT),
    sharp="two-point task gradients, 0 and a large one: above 0.6 of the bound at B' = 1",
    improved_by="exact stepsize mean",
    mutants=(Mutant("x dropped", TWO_POINT, c=0.0),),
)
def sharper_stepsize_mean(paper: Paper) -> Real:
    """First moment of 1/L̂, from above."""
    return paper.inverse_moment_sharper(1.0)
