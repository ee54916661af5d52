"""What a run on a user's problem will take, said before it is spent."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Iterator, Sequence

import numpy as np

from problems.problem import Problem
from verify.cell import PROFILES, alpha_L
from verify.evidence.attack import POPULATION
from verify.running.loading import load_problem
from verify.running.records import CellName

ROWS = 1200
"""Gradients and Hessian-vector products of one task that a cell of the quick profile asks for, for each of N + 1 steps:
as counted on finite-sum problems, the dearest ones."""
LONG_SECONDS = 120.0
POINTS = 64


def announcements(cells: Sequence[CellName], processes: int) -> Iterator[str]:
    """One line for each problem of a user whose cells will take long."""
    by_spec: defaultdict[str, list[CellName]] = defaultdict(list)
    for cell in cells:
        if ":" in cell.problem_spec:
            by_spec[cell.problem_spec].append(cell)
    for spec, own in by_spec.items():
        N = min(cell.N for cell in own)
        seconds = expected_rows(own) * seconds_of_a_row(load_problem(spec, N, alpha_L("recommended", N))) / processes
        if seconds > LONG_SECONDS:
            yield (
                f"{own[0].problem}: {len(own)} cells, about {seconds / 60:.0f} minutes; functions of many points at "
                "once (vectorised=True, from_torch, from_jax) are much faster, --claim and --inner-steps select fewer"
            )


def expected_rows(cells: Sequence[CellName]) -> float:
    """About how many gradients and Hessian-vector products of all tasks some cells ask for."""
    return sum(ROWS * (cell.N + 1) * _candidates(cell.profile) / _candidates("quick") for cell in cells)


def _candidates(profile: str) -> int:
    """Points that an attack looks at, to compare profiles by."""
    effort = PROFILES[profile]
    return effort.probes + POPULATION * effort.attack


def seconds_of_a_row(problem: Problem) -> float:
    """Time of a gradient or Hessian-vector product of all tasks at one of several points."""
    w = problem.probes(POINTS, np.random.default_rng(0))[:, None]
    problem.inner.hvp(w, w)  # what is compiled or loaded at the first call is not counted
    began = time.perf_counter()
    problem.inner.gradient(w)
    problem.inner.hvp(w, w)
    return (time.perf_counter() - began) / (2 * POINTS)
