"""META STEPSIZE MOMENTS, exact (own): no constant of them can be lowered."""

from __future__ import annotations

from theory.constants import Real
from theory.paper import Paper
from verify.cell import Cell
from verify.claim import Mutant, On, claim, own
from verify.claims.meta_stepsize_moments import ASSUMES, ONE_WITHOUT, TWO_POINT, StepsizeMoment
from verify.evidence.expectation import Bound, Sampled, Sizes
from verify.statements import META_STEPSIZE_MOMENTS

PAIR = "two-point-pair"
C = "c = C_L√((σ² + σ_g²/D_L)/B')/a"
SOURCE = own("the law on {0, h} of given mean and variance has the largest E f for f''' < 0; maximised over the mean")


FEW_DRAWS = (
    *("quadratic", "rotated-cosine-finite-noise", "softmax-bandit"),
    *("quadratic-finite-sum", "sigmoid-classification", "geman-mcclure", "welsch"),
)
"""The ordinary problems with noise of a finite support."""


class EnumeratedMoment(StepsizeMoment):
    """The moment where it is exact: a sample does not tell it from bounds that are as near as these."""

    def sampled(self, cell: Cell, sizes: Sizes, bound: Bound) -> Sampled | None:
        """Nothing."""
        return None


@claim(
    "exact stepsize kappa",
    META_STEPSIZE_MOMENTS,
    "the least κ",
    says=(
        "E[1/L̂²] ≤ κ/L_w², κ = (1 + z)²[(z + c²)² + c²z²]/(z² + z + c²)² at the positive root of "
        f"z³ = c²(z² + 2z + c²), {C}"
    ),
    source=SOURCE,
    assumes=ASSUMES,
    measured="exact expectation over all draws of tasks and data, where they are few; a few points",
    by=EnumeratedMoment(2),
    needs=("rho", "sigma", "sigma_g", "b"),
    at=("recommended", "near cap"),
    inner_steps=(1, 2, 5),
    by_default=FEW_DRAWS,
    also=(TWO_POINT, PAIR),
    attained=(
        On(ONE_WITHOUT, "one task of many has no gradient: the extremal law", within=1e-9, only="D_L = 1, B' = 1"),
    ),
    mutants=(
        Mutant("1 + c² for κ", PAIR, kappa_exact=lambda p: 1 + p.c**2),
        Mutant("κ = 1", TWO_POINT, kappa_exact=1.0),
        Mutant("B'² for B'", TWO_POINT, B_prime=lambda B_prime: B_prime**2),
    ),
)
def exact_stepsize_kappa(paper: Paper) -> Real:
    """Second moment of 1/L̂."""
    return float(paper.kappa_exact)


@claim(
    "exact stepsize mean",
    META_STEPSIZE_MOMENTS,
    "the least bound on the mean of 1/L̂ from above",
    says=f"E[1/L̂] ≤ κ_1/L_w, κ_1 = 1 + c²/(1 + 2c), {C}",
    source=SOURCE,
    assumes=ASSUMES,
    measured="exact expectation over all draws of tasks and data, where they are few; a few points",
    by=EnumeratedMoment(1),
    needs=("rho", "sigma", "sigma_g", "b"),
    at=("recommended", "near cap"),
    inner_steps=(1, 2, 5),
    by_default=FEW_DRAWS,
    also=(TWO_POINT, ONE_WITHOUT),
    attained=(On(PAIR, "one of two tasks has a gradient", within=1e-9, only="D_L = 1, B' = 1"),),
    mutants=(Mutant("1 + c²/(2 + 2c) for κ_1", PAIR, kappa_1=lambda p: 1 + p.c**2 / (2 + 2 * p.c)),),
)
def exact_stepsize_mean(paper: Paper) -> Real:
    """First moment of 1/L̂, from above."""
    return float(paper.kappa_1)
