"""STEPSIZE CAP: with the meta stepsize `β = 1/L`, exact MAML diverges exactly past the paper's cap."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np

from theory.growth import stepsize_cap
from verify.claim import Cell, Mutant, claim
from verify.evidence.critical import INSTANCES, critical_stepsize
from verify.verdict import Finding

CURVATURE_CHANGE = 4 * 1e-4**2
"""Relative change of curvature over the iterates' distances on opposed cosines, `(ωx)²` along paths that grow by √2."""

DESCRIPTION: dict[str, Any] = {
    "source": "own: the stepsize condition of Ji, Yang, Liang (2022) is exactly where divergence starts",
    "statement": "with β = 1/L the meta-minimiser is stable iff α < α_cap(N) = (2^{1/(2N)} − 1)/L",
    "assumptions": ("training and test losses are L-smooth",),
    "sharp": "opposed curvature (finite-sum) and twin wells (resampling)",
    "formula": stepsize_cap,
    "rules": ("near cap",),
}

MUTANTS = (
    Mutant("q^N < 2 for q^{2N} < 2", lambda c, N: np.expm1(np.log(2) / N) / c.L, "opposed-curvature"),
    Mutant("1.05 α_cap", lambda c, N: 1.05 * stepsize_cap(c, N), "opposed-curvature"),
    Mutant("ln 2/(2LN) for α_cap", lambda c, N: np.log(2) / (2 * c.L * N), "twin-wells"),
)


def compare(cell: Cell, N: int) -> Finding:
    """Critical stepsize, by bisection over iterates of exact MAML, beside the formula."""
    problem, found = critical_stepsize(cell.problem_name, N)
    return Finding(
        measured=found.low,
        upper=found.high,
        bound=float(cell.formula(problem.constants, N)),
        slack=found.high - found.low + CURVATURE_CHANGE * found.low,
        attained=True,
        label=f"N = {N}",
        witness={"N": N, "alpha": [found.low, found.high]},
    )


@claim(
    name="stepsize cap",
    title="STEPSIZE CAP: at its worst, exact MAML with β = 1/L is stable just up to α_cap(N)",
    measured="critical stepsize, by bisection: do iterates from near the meta-minimiser come nearer to it?",
    mutants=MUTANTS,
    problems=INSTANCES,
    **DESCRIPTION,
)
def cap(cell: Cell) -> Iterator[Finding]:
    """Compare at the cell's own N."""
    if cell.N > 0 and cell.problem_name in INSTANCES:
        yield compare(cell, cell.N)


def farthest(finding: Finding) -> float:
    """How far the measured value is from the formula, beyond what the bracket's width explains."""
    return (abs(finding.measured - finding.bound) - finding.slack) / finding.measured


@claim(
    name="stepsize cap sweep",
    title="STEPSIZE CAP: the same at every N from 1 to 50",
    measured="critical stepsize, by bisection, at every N from 1 to 50: the one that is farthest from the formula",
    mutants=(Mutant("α_cap(1)/N", lambda c, N: stepsize_cap(c, 1) / N, "opposed-curvature", N=1),),
    problems=("opposed-curvature", "twin-wells"),
    inner_steps=(1,),
    **DESCRIPTION,
)
def cap_at_every_N(cell: Cell) -> Iterator[Finding]:
    """Compare at every N, whatever the cell's own."""
    if cell.problem_name in INSTANCES:
        findings = [compare(cell, N) for N in range(1, 51)]
        worst = max(findings, key=farthest)
        yield replace(worst, samples=len(findings), note=f"{worst.label} is farthest from the formula")
