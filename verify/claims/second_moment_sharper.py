"""SECOND MOMENT, sharper: with the mean-square deviation of the inner path."""

from __future__ import annotations

from theory.constants import Real
from theory.paper import Paper
from verify.claim import Mutant, On, claim, own
from verify.claims.second_moment import ASSUMES, MEASURED, SADDLE, SecondMoment
from verify.statements import SECOND_MOMENT


@claim(
    "sharper second moment per task",
    SECOND_MOMENT,
    "one task's, with Lδ_N in place of (q^N − 1)σ_g/√S",
    says="E‖Ĝ_i‖² ≤ V [(q^N ‖∇l_i(w)‖ + L δ_N)² + σ_g²/T]",
    source=own("Jensen's inequality on the second moment of the deviation"),
    assumes=ASSUMES,
    measured=MEASURED + ", worst task",
    by=SecondMoment(),
    cases=frozenset({"resampling"}),
    needs=("sigma_g", "sigma_H"),
    at=("near cap", "fixed"),
    inner_steps=tuple(range(1, 11)),
    attained=(
        On(
            SADDLE,
            "all Hessians are −L and every noise has its full size; the gradient vanishes",
            N=(1, 2, 5, 10),
        ),
    ),
    mutants=(
        Mutant("D² for D", SADDLE, N=2, D=lambda D: D**2),
        Mutant("S² for S", SADDLE, N=2, S=lambda S: S**2),
    ),
)
def sharper_second_moment_per_task(paper: Paper, gradient_norm: Real) -> Real:
    """Second moment of each task, against its own sharper bound."""
    return paper.task_second_moment_sharper(gradient_norm)
