"""SECOND MOMENT, sharper: with the mean-square deviation of the inner path."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from theory.constants import Constants, Real, Schedule
from theory.sharper import task_second_moment_sharper
from verify.claim import Cell, Mutant, claim
from verify.claims.second_moment import ASSUMPTIONS, MEASURED, SADDLE, moments
from verify.verdict import Finding


def sharper_D_squared(c: Constants, s: Schedule, gradient_norm: Real) -> Real:
    """Wrong: `D²` for `D`."""
    return task_second_moment_sharper(c, replace(s, D=s.D**2), gradient_norm)


def sharper_S_squared(c: Constants, s: Schedule, gradient_norm: Real) -> Real:
    """Wrong: `S²` for `S`."""
    return task_second_moment_sharper(c, replace(s, S=s.S**2), gradient_norm)


@claim(
    name="sharper second moment per task",
    title="Own: the second moment with Lδ_N in place of (q^N − 1)σ_g/√S",
    source="own: Jensen's inequality on the second moment of the deviation",
    statement="E‖Ĝ_i‖² ≤ V [(q^N ‖∇l_i(w)‖ + L δ_N)² + σ_g²/T]",
    assumptions=ASSUMPTIONS,
    measured=MEASURED + ", worst task",
    sharp="saddle with Hessian noise: equality at every N where the gradient vanishes",
    formula=task_second_moment_sharper,
    mutants=(
        Mutant("D² for D", sharper_D_squared, SADDLE, N=2),
        Mutant("S² for S", sharper_S_squared, SADDLE, N=2),
    ),
    cases=frozenset({"resampling"}),
    needs=("sigma_g", "sigma_H"),
    rules=("near cap", "fixed"),
    sharp_on=(SADDLE,),
    inner_steps=tuple(range(1, 11)),
)
def sharper_second_moment_per_task(cell: Cell) -> Iterator[Finding]:
    """Second moment of each task, against its own sharper bound."""
    return moments(cell, over_tasks=False)
