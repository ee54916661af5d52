"""Cells of claims, evaluated as the suite does."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from problems.problem import Problem
from problems.registry import family
from verify.cell import PROFILES, Cell, StepsizeRule, alpha_L
from verify.claim import Mutant, claims
from verify.running.evaluation import evaluate
from verify.running.records import CellName, Record

Check = Callable[..., list[Record]]
MakeCell = Callable[..., Cell]


@pytest.fixture
def check() -> Check:
    """Records of one cell; `problem` may stand in for the registered one."""

    def run(
        claim: str,
        name: str,
        N: int = 5,
        rule: StepsizeRule = "near cap",
        *,
        mutant: str = "",
        profile: str = "quick",
        seed: int = 0,
        problem: Problem | None = None,
    ) -> list[Record]:
        cell = CellName(
            claim=claim,
            problem=name,
            problem_spec=name,
            N=N,
            rule=rule,
            profile=profile,
            seed=seed,
            mutant=mutant,
        )
        return evaluate(cell, problem)

    return run


@pytest.fixture
def make_cell() -> MakeCell:
    """The cell itself, with the claim's right formula."""

    def make(claim: str, problem: Problem | str, N: int = 5, rule: StepsizeRule = "near cap") -> Cell:
        built = family(problem).build(N, alpha_L(rule, N)) if isinstance(problem, str) else problem
        return Cell(
            claim=claim,
            problem_name=built.name,
            problem=built,
            N=N,
            rule=rule,
            effort=PROFILES["quick"],
            seed=0,
            delta=1e-10,
            formula=claims()[claim].formula,
        )

    return make


@pytest.fixture
def bare_cell() -> Callable[[Mutant], Cell]:
    """The cell of a mutant, by itself."""

    def make(mutant: Mutant) -> Cell:
        problem = family(mutant.on).build(mutant.N, alpha_L(mutant.rule, mutant.N))
        effort = PROFILES["quick"]
        return Cell("", mutant.on, problem, mutant.N, mutant.rule, effort, 0, 1e-10, changes=mutant.symbols)

    return make
