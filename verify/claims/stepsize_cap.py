"""STEPSIZE CAP: with the meta stepsize `β = 1/L`, exact MAML diverges exactly past the paper's cap."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from problems.problem import Problem
from problems.registry import family
from theory.constants import Schedule
from theory.extended import Number
from verify.cell import Cell
from verify.claim import Mutant, claim, own
from verify.evidence.critical import Bracket, contracts, first_failure
from verify.statements import STEPSIZE_CAP
from verify.verdict import Finding, Values

INSTANCES = ("opposed-curvature", "opposed-curvature-quadratic", "twin-wells")
"""Divergence instances: exact MAML with `β = 1/L` is stable on them just up to the cap."""
CURVATURE_CHANGE = 4 * 1e-4**2
"""Relative change of curvature over the iterates' distances on opposed cosines, `(ωx)²` along paths that grow by √2."""


@lru_cache(maxsize=256)
def critical_stepsize(name: str, N: int) -> tuple[Problem, Bracket]:
    """Critical inner stepsize with `β = 1/L`, N ≥ 1, on one of `INSTANCES`, and the instance as it is built for N.

    One that is built around a stepsize is searched near the cap only: the paths of twin wells end in convex ground up
    to `1/(8N)` of it to either side. The others are searched from half of the cap to twice the cap.
    """
    alpha_L, known = math.expm1(math.log(2) / (2 * N)), family(name)
    problem = known.build(N, alpha_L)
    low, high = (1 - 1 / (8 * N), 1 + 1 / (8 * N)) if known.scheduled else (0.5, 2.0)
    L = problem.constants.L

    def stable(alpha: Values) -> npt.NDArray[np.bool_]:
        return contracts(problem, N, alpha, 1 / L, problem.linear_within)

    return problem, first_failure(stable, low * alpha_L / L, high * alpha_L / L)


def compare(cell: Cell, N: int) -> Finding:
    """Critical stepsize, by bisection over iterates of exact MAML, beside the cap."""
    problem, found = critical_stepsize(cell.problem_name, N)
    p = replace(cell, problem=problem).paper_at(Schedule(N=N, alpha=0.0))
    return beside(found, p.cap, label=f"N = {N}", N=N)


def beside(found: Bracket, cap: Number, changes: float = 1.0, label: str = "", **place: int) -> Finding:
    """A critical stepsize beside a cap, which it must equal; curvature may change by so many `CURVATURE_CHANGE`."""
    return Finding(
        measured=found.low,
        upper=found.high,
        bound=float(cap),
        slack=found.high - found.low + changes * CURVATURE_CHANGE * found.low,
        attained=True,
        label=label,
        witness={**place, "alpha": [found.low, found.high]},
    )


SAYS = "with β = 1/L the meta-minimiser is stable iff α < α_cap(N) = (2^{1/(2N)} − 1)/L"
SOURCE = own("the stepsize condition of Ji, Yang, Liang (2022) is exactly where divergence starts")
ASSUMES = ("training and test losses are L-smooth",)
SHARP = "opposed curvature (finite-sum) and twin wells (resampling)"


@claim(
    "stepsize cap",
    STEPSIZE_CAP,
    "at its worst, exact MAML with β = 1/L is stable just up to α_cap(N)",
    says=SAYS,
    source=SOURCE,
    assumes=ASSUMES,
    measured="critical stepsize, by bisection: do iterates from near the meta-minimiser come nearer to it?",
    at=("near cap",),
    least_N=1,
    problems=INSTANCES,
    sharp=SHARP,
    settled="attained",
    mutants=(
        Mutant("q^N < 2 for q^{2N} < 2", "opposed-curvature", cap=lambda p: np.expm1(np.log(2) / p.N) / p.L),
        Mutant("1.05 α_cap", "opposed-curvature", cap=lambda p: 1.05 * p.cap),
        Mutant("ln 2/(2LN) for α_cap", "twin-wells", cap=lambda p: np.log(2) / (2 * p.L * p.N)),
    ),
)
def cap(cell: Cell) -> Iterator[Finding]:
    """Compare at the cell's own N."""
    yield compare(cell, cell.N)


def farthest(finding: Finding) -> float:
    """How far the measured value is from the formula, beyond what the bracket's width explains."""
    return (abs(finding.measured - finding.bound) - finding.slack) / finding.measured


@claim(
    "stepsize cap sweep",
    STEPSIZE_CAP,
    "the same at every N from 1 to 50",
    says=SAYS,
    source=SOURCE,
    assumes=ASSUMES,
    measured="critical stepsize, by bisection, at every N from 1 to 50: the one that is farthest from the formula",
    at=("near cap",),
    inner_steps=(1,),
    problems=("opposed-curvature", "twin-wells"),
    sharp=SHARP,
    settled="attained",
    mutants=(Mutant("α_cap(1)/N", "opposed-curvature", N=1, cap=lambda p: (np.sqrt(2) - 1) / (p.L * p.N)),),
)
def cap_at_every_N(cell: Cell) -> Iterator[Finding]:
    """Compare at every N, whatever the cell's own."""
    findings = [compare(cell, N) for N in range(1, 51)]
    worst = max(findings, key=farthest)
    yield replace(worst, samples=len(findings), note=f"{worst.label} is farthest from the formula")
