"""Where the numbers of figures come from: a problem under a schedule, or the checks of a claim."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from problems.problem import Problem
from problems.registry import family
from theory.constants import Schedule
from verify.cell import StepsizeRule
from verify.running.evaluation import evaluate
from verify.running.records import Record
from verify.running.selection import Selection, plan


def setting(problem: str, N: int, alpha_L: float, **schedule: Any) -> tuple[Problem, float, Schedule]:
    """Build a registered problem for `N` inner steps of stepsize `α = alpha_L / L`; returns it, α, and the schedule."""
    built = family(problem).build(N, alpha_L)
    alpha = alpha_L / built.constants.L
    return built, alpha, Schedule(N=N, alpha=alpha, **schedule)


def checks(
    claim: str,
    seed: int,
    profile: str,
    *,
    rule: StepsizeRule | None = None,
    problems: tuple[str, ...] = (),
    inner_steps: tuple[int, ...] = (),
) -> Iterator[Record]:
    """Checks of a claim as the suite makes them: at one stepsize rule, or all where none is given."""
    selection = Selection(claims=(claim,), problems=problems, inner_steps=inner_steps, profile=profile, seed=seed)
    for cell in plan(selection):
        if cell.claim == claim and rule in (None, cell.rule):
            yield from evaluate(cell)
