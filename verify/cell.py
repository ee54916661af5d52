"""A cell: one claim on one problem at one N and one stepsize rule, with all that its measurement may use."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import cache, cached_property
from typing import Any, Literal, TypeAlias

import numpy as np

from problems.problem import Problem
from theory.constants import Constants, Schedule
from theory.growth import stepsize_cap
from theory.paper import Paper

Formula: TypeAlias = Callable[..., Any]
"""What a claim tests where that is no symbol of the paper; the claim says what arguments it takes."""


def as_it_is(bound: float) -> float:
    """Leave a bound as it is."""
    return bound


StepsizeRule: TypeAlias = Literal["recommended", "near cap", "fixed", "past cap", "small"]


@cache
def alpha_L(rule: StepsizeRule, N: int) -> float:
    """Dimensionless stepsize αL of a rule: 1/(8N), 0.9 of the cap, 1/4 at every N, twice the cap, or 1/(1000N)."""
    steps = max(N, 1)
    cap = float(stepsize_cap(Constants(L=1.0), steps))
    return {
        "recommended": 1 / (8 * steps),
        "near cap": 0.9 * cap,
        "fixed": 0.25,
        "past cap": 2 * cap,
        "small": 1 / (1000 * steps),
    }[rule]


@dataclass(frozen=True)
class Effort:
    """How hard a profile works. Counts, not times, so that results are reproducible.

    Attributes
    ----------
    probes : random points examined before an attack.
    attack : generations of the attack's population search (0: probes only).
    simplex : evaluations of the simplex search that follows it.
    samples : Monte-Carlo samples of the first round.
    rounds : rounds of sampling at most; each draws four times as many samples as the one before.
    meta_steps : meta steps K of a run of an algorithm.
    replicas : independent replicas of a stochastic run.
    inner_steps : the N that are examined.
    """

    probes: int
    attack: int
    simplex: int
    samples: int
    rounds: int
    meta_steps: int
    replicas: int
    inner_steps: tuple[int, ...]


PROFILES = {
    "quick": Effort(64, 6, 0, 1000, 2, 60, 32, (0, 1, 2, 5)),
    "default": Effort(128, 15, 0, 2000, 3, 150, 64, (1, 2, 5, 10, 20)),
    "full": Effort(1024, 80, 400, 10_000, 5, 1000, 256, (0, 1, 2, 5, 10, 20, 50)),
}


@dataclass(frozen=True)
class Cell:
    """One unit of work, with the paper to test, in which a mutant may have changed some symbols.

    Everything random in it comes from `rng(...)`, which is keyed by the run's seed and this cell's own name.

    Attributes
    ----------
    claim, problem_name : names, as shown.
    delta : chance that the interval of one statistical check misses.
    formula : of the claim or of the mutant, where what is tested is no symbol of the paper.
    changes : symbols that the mutant changes.
    """

    claim: str
    problem_name: str
    problem: Problem
    N: int
    rule: StepsizeRule
    effort: Effort
    seed: int
    delta: float
    formula: Formula = as_it_is
    changes: Mapping[str, Any] = field(default_factory=dict)

    @property
    def constants(self) -> Constants:
        """Constants of the problem."""
        return self.problem.constants

    @cached_property
    def alpha(self) -> float:
        """Inner stepsize α = (αL)/L."""
        return alpha_L(self.rule, self.N) / self.problem.constants.L

    def schedule(self, **fields: Any) -> Schedule:
        """Return the cell's (N, α) with any other fields of a schedule."""
        return replace(self._schedule, **fields) if fields else self._schedule

    @cached_property
    def _schedule(self) -> Schedule:
        return Schedule(N=self.N, alpha=self.alpha)

    @cached_property
    def paper(self) -> Paper:
        """The paper at the cell's constants, N and α."""
        return self.paper_at(self._schedule)

    def paper_at(self, s: Schedule) -> Paper:
        """The paper at the cell's constants and another schedule."""
        return Paper(self.constants, s, **self.changes)

    @cached_property
    def common(self) -> Cell:
        """The same for all claims: what is drawn there belongs to the problem, N and rule, and claims can share it."""
        return replace(self, claim="")

    def rng(self, *place: object) -> np.random.Generator:
        """Generator keyed by (seed, claim, problem, N, rule, place): independent of order and of workers."""
        return np.random.default_rng(keyed_seed(self.seed, self.claim, self.problem_name, self.N, self.rule, *place))


def keyed_seed(seed: int, *place: object) -> np.random.SeedSequence:
    """Seed for one place in a run; the place is hashed, so equal places give equal draws everywhere."""
    digest = hashlib.sha256("\x1f".join(map(str, place)).encode()).digest()
    return np.random.SeedSequence([seed, *np.frombuffer(digest, dtype="<u4").tolist()])
