"""BIAS over tasks, tight (own): with the tasks' gradients where their paths end."""

from __future__ import annotations

from theory.constants import Real
from theory.paper import Paper
from verify.claim import Mutant, On, claim, own
from verify.claims.bias import ASSUMES, MEASURED, Bias
from verify.statements import BIAS

KINKS = "kinks"


@claim(
    "tight bias",
    BIAS,
    "over tasks, with the gradients at the ends of the paths",
    says="‖E Ĝ(w) − ∇L(w)‖ ≤ β_1 + β_2 Y, β_1 = q^N Lδ_N, β_2 = αρ q^{2N−1} Σ_{j<N} δ_j, Y of LAST GRADIENT",
    source=own("LAST GRADIENT in the place of LINK"),
    assumes=(*ASSUMES, "task spread at most σ", "x + x² < 1, x = NαL"),
    measured=MEASURED,
    by=Bias(over_tasks=True),
    cases=frozenset({"resampling"}),
    needs=("rho", "sigma", "sigma_g"),
    at=("recommended",),
    inner_steps=(1, 2, 5),
    also=("tent",),
    attained=(
        On(
            KINKS,
            "paths are chains on two points a step, off kinks of l'' that bend the same way, as NαL → 0",
            within=0.01,
            at=("recommended",),
            N=(2, 3),
            only="S = 1",
            alone=True,
        ),
    ),
    sharp="open for S ≥ 2: a mean of S draws is never two-point",
    mutants=(
        Mutant("β_2 halved", KINKS, N=2, rule="recommended", beta_2=lambda p: p.beta_2 / 2),
        Mutant("q^N dropped", "tent", N=1, beta_1=lambda p: p.beta_1 / p.q(p.N)),
        Mutant("1/S for 1/√S", "tent", N=1, S=lambda S: S**2),
    ),
)
def tight_bias(paper: Paper, meta_gradient_norm: Real) -> Real:
    """Bias of the mean over tasks."""
    return paper.bias_tight(meta_gradient_norm)
