"""A claim: one result of the paper, how it is measured, and the mutants that must be refuted."""

from __future__ import annotations

import hashlib
import importlib
import pkgutil
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from functools import cache, cached_property
from typing import Any, Literal, TypeAlias

import numpy as np

import verify.claims
from problems.problem import Case, Problem
from theory.constants import Constants, Schedule
from verify.verdict import Finding

Formula: TypeAlias = Callable[..., Any]
"""The thing under test, a call into `theory`; each claim says what arguments its formula takes."""

StepsizeRule: TypeAlias = Literal["recommended", "near cap", "fixed", "past cap", "small"]


def alpha_L(rule: StepsizeRule, N: int) -> float:
    """Dimensionless stepsize αL of a rule: 1/(8N), 0.9 of the cap, 1/4 at every N, twice the cap, or 1/(1000N)."""
    steps = max(N, 1)
    cap = float(np.expm1(np.log(2) / (2 * steps)))
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
    "quick": Effort(64, 6, 0, 1000, 2, 60, 32, (1, 2, 5)),
    "default": Effort(128, 15, 0, 2000, 3, 150, 64, (1, 2, 5, 10, 20)),
    "full": Effort(1024, 80, 400, 10_000, 5, 1000, 256, (0, 1, 2, 5, 10, 20, 50)),
}


@dataclass(frozen=True)
class Cell:
    """One unit of work: a claim on a problem at one N and one stepsize rule, with the formula to test.

    Everything random in it comes from `rng(...)`, which is keyed by the run's seed and this cell's own name.
    """

    claim: str
    problem_name: str
    problem: Problem
    N: int
    rule: StepsizeRule
    effort: Effort
    seed: int
    delta: float
    formula: Formula

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

    def rng(self, *place: object) -> np.random.Generator:
        """Generator keyed by (seed, claim, problem, N, rule, place): independent of order and of workers."""
        return np.random.default_rng(keyed_seed(self.seed, self.claim, self.problem_name, self.N, self.rule, *place))


def keyed_seed(seed: int, *place: object) -> np.random.SeedSequence:
    """Seed for one place in a run; the place is hashed, so equal places give equal draws everywhere."""
    digest = hashlib.sha256("\x1f".join(map(str, place)).encode()).digest()
    return np.random.SeedSequence([seed, *np.frombuffer(digest, dtype="<u4").tolist()])


@dataclass(frozen=True)
class Mutant:
    """A wrong formula, and where the suite refutes it.

    Attributes
    ----------
    name : what is wrong, for instance "q^{j−1} for q^j".
    formula : the wrong formula, called as the right one is.
    problem : registered problem that refutes it.
    N, rule : the cell that refutes it.
    """

    name: str
    formula: Formula
    problem: str
    N: int = 5
    rule: StepsizeRule = "near cap"


@dataclass(frozen=True, kw_only=True)
class Claim:
    """One result, as an executable statement.

    Attributes
    ----------
    name : as in the paper or in the ledger, in lower case ("path", "second moment").
    title : the ledger's line.
    source : paper and statement, or "own".
    statement : the inequality, in plain text with `_` and `^` for indices.
    assumptions : what it needs, in words.
    measured : how the measured value is obtained.
    sharp : the instance that attains it, or "none within a factor 2 is known".
    cases : the cases in which it speaks.
    needs : constants that must be finite for it to speak, or to bound the rounding of what it measures.
    formula : the formula under test.
    check : measures; yields findings for one cell.
    mutants : wrong formulas that must be refuted.
    rules : stepsize rules it is examined at.
    problems : names of the problems it runs on by default, or None for all ordinary problems that it applies to, and
        its sharp instances are added to either by `sharp_on`.
    sharp_on : registered sharp instances it also runs on.
    inner_steps : keep only these N (None: all of the profile).
    """

    name: str
    title: str
    source: str
    statement: str
    assumptions: tuple[str, ...]
    measured: str
    sharp: str
    formula: Formula
    check: Callable[[Cell], Iterable[Finding]]
    mutants: tuple[Mutant, ...]
    cases: frozenset[Case] = frozenset({"resampling", "finite-sum"})
    needs: tuple[str, ...] = ()
    rules: tuple[StepsizeRule, ...] = ("recommended", "near cap", "fixed")
    problems: tuple[str, ...] | None = None
    sharp_on: tuple[str, ...] = ()
    inner_steps: tuple[int, ...] | None = None

    @property
    def is_audit(self) -> bool:
        """Whether it examines the constants of a problem, on which every other claim rests."""
        return is_audit(self.name)

    def inapplicable(self, problem: Problem) -> str:
        """Why the claim does not apply to `problem`, in one line, or "" if it does."""
        if problem.case not in self.cases:
            return f"speaks of the {' and '.join(sorted(self.cases))} case only"
        missing = [name for name in self.needs if not np.isfinite(getattr(problem.constants, name))]
        return f"needs finite {', '.join(missing)}" if missing else ""


def is_audit(name: str) -> bool:
    """Whether the claim of this name is an audit of constants: these run first."""
    return name.startswith("constants")


_CLAIMS: dict[str, Claim] = {}


def claim(**description: Any) -> Callable[[Callable[[Cell], Iterable[Finding]]], Claim]:
    """Register the decorated check as a claim; the keywords are the fields of `Claim`."""

    def decorate(check: Callable[[Cell], Iterable[Finding]]) -> Claim:
        made = Claim(check=check, **description)
        if made.name in _CLAIMS and _CLAIMS[made.name].check.__module__ != check.__module__:
            raise ValueError(f"two claims are named {made.name!r}")
        _CLAIMS[made.name] = made
        return made

    return decorate


def claims() -> dict[str, Claim]:
    """All claims by name, in the order of file names and of definitions within them.

    Claims that a user's own file defines follow as soon as it is imported.
    """
    _discover()
    return dict(sorted(_CLAIMS.items(), key=lambda item: _own_module(item[1])))


def _own_module(made: Claim) -> tuple[bool, str]:
    """Sort key that does not depend on which module was imported first, and puts a user's claims last, as they came."""
    module = made.check.__module__
    ours = module.startswith(f"{verify.claims.__name__}.")
    return (not ours, module if ours else "")


@cache
def _discover() -> None:
    for module in sorted(pkgutil.iter_modules(verify.claims.__path__), key=lambda m: m.name):
        importlib.import_module(f"verify.claims.{module.name}")
