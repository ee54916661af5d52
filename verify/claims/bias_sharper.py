"""BIAS, sharper: with the mean deviation that noise really makes, and with its symmetry at one step."""

from __future__ import annotations

from theory.constants import Real
from theory.paper import Paper
from verify.claim import Mutant, On, claim, own
from verify.claims.bias import ASSUMES, MEASURED, Bias
from verify.statements import BIAS


@claim(
    "sharper bias per task",
    BIAS,
    "of one task, with δ_j in place of (q^j − 1)σ_g/(L√S)",
    says="‖E Ĝ_i − ∇L_i‖ ≤ q^N L δ_N + αρ q^{2N−1} ‖∇l_i(w)‖ Σ_{j<N} δ_j",
    source=own("Jensen's inequality on the second moment of the deviation"),
    assumes=ASSUMES,
    measured=MEASURED + ", worst task",
    by=Bias(),
    cases=frozenset({"resampling"}),
    needs=("rho", "sigma_g"),
    at=("near cap", "fixed"),
    inner_steps=tuple(range(1, 11)),
    also=("tent", "tent-kink"),
    attained=(
        On(
            "kinks",
            "paths are a chain on two points a step, δ_j on either side of kinks of l'' under a large gradient",
            within=2e-3,
            N=(2, 3),
            only="S = 1",
            alone=True,
        ),
        On(
            "martingale-tent",
            "noise takes the path off the peak of the gradient",
            within=1e-3,
            N=(1,),
            only="S = 1",
            alone=True,
        ),
    ),
    sharp="open for S ≥ 2, N ≥ 2: a mean of S draws is never two-point",
    mutants=(
        Mutant(
            "ασ_g√(j/S) for δ_j", "kinks", N=3, rule="fixed", delta=lambda p, j: p.alpha * p.sigma_g * (j / p.S) ** 0.5
        ),
        Mutant("ασ_g/√S for δ_j", "kinks", N=3, rule="fixed", delta=lambda p, j: p.delta(1) * (j > 0)),
        Mutant("q^N dropped", "martingale-tent", N=1, beta_1=lambda p: p.beta_1 / p.q(p.N)),
        Mutant("second term halved", "kinks", N=2, delta_sum=lambda p: p.delta_sum / 2),
        Mutant("term in ‖∇l_i‖ dropped", "tent-kink", N=2, delta_sum=0.0),
        Mutant("1/S for 1/√S", "tent", N=1, S=lambda S: S**2),
    ),
)
def sharper_bias_per_task(paper: Paper, gradient_norm: Real) -> Real:
    """Bias of each task, against its own sharper bound."""
    return paper.task_bias_sharper(gradient_norm)


@claim(
    "bias at one step",
    BIAS,
    "at N = 1 it falls like 1/S",
    says="‖E Ĝ_i − ∇L_i‖ ≤ (ρ/2) q α²σ_g²/S at N = 1",
    source=own("the noise is centred, so only the curvature of the gradient is left"),
    assumes=ASSUMES,
    measured=MEASURED + ", worst task",
    by=Bias(),
    cases=frozenset({"resampling"}),
    needs=("rho", "sigma_g"),
    at=("recommended", "near cap"),
    inner_steps=(1,),
    attained=(On("well-edge", "l''' = ρ wherever noise takes the first step", N=(1,)),),
    mutants=(
        Mutant("q dropped", "well-edge", N=1, task_bias_one_step=lambda p: p.task_bias_one_step / p.q(1)),
        Mutant("1/S² for 1/S", "well-edge", N=1, S=lambda S: S**2),
    ),
)
def bias_at_one_step(paper: Paper, gradient_norm: Real) -> Real:
    """Bias of each task at N = 1, whatever its gradient."""
    return float(paper.task_bias_one_step) + 0 * gradient_norm
