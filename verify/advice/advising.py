"""Which inner stepsizes are certified, and which do not diverge, for one problem and some numbers of inner steps."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from problems.problem import Problem
from theory.constants import Constants, Schedule
from theory.paper import Paper
from theory.validation import integer, real
from verify.advice.paths import OnPaths, on_paths
from verify.advice.runs import STABLE, Critical, Rule, Runs, critical_of, run_all
from verify.verdict import Values

STEPS = 30
CUSTOMARY = (0.01, 0.1)
"""Inner stepsizes that are judged where none is named."""
FURTHEST, PARTS = 1e4, 16
"""Inner stepsizes are tried up to so many times the recommended one: so many, and as many again where runs diverge."""


@dataclass(frozen=True)
class Verdict:
    """What is to be said of one inner stepsize: `diverged_at` is a meta step, or None where the run was stable."""

    alpha: float
    N: int
    meta_stepsize: str
    certified: bool
    diverged_at: int | None

    def words(self, steps: int) -> str:
        """In words that keep a certificate apart from a run that did not diverge."""
        if self.diverged_at is None:
            return "certified" if self.certified else f"stable in {steps} steps, not certified"
        inner = " (inner steps alone)" if self.diverged_at == 0 else ""
        wrong = ", though certified: a constant is wrong" if self.certified else ""
        return f"diverges at step {self.diverged_at}{inner}{wrong}"


@dataclass(frozen=True)
class Advised:
    """What is known of one number of inner steps.

    Attributes
    ----------
    N : inner steps.
    recommended : the paper's 1/(8NL).
    cap : the paper's; larger_cap : the own one of the resampling case, None in the finite-sum case.
    critical : by the name of a meta stepsize, the first α at which a run diverges.
    on_paths : L and ρ along the paths of a run at the recommended α; cap_on_paths : the paper's cap with that L.
    verdicts : for each α that is judged and each meta stepsize.
    """

    N: int
    recommended: float
    cap: float
    larger_cap: float | None
    critical: Mapping[str, Critical]
    on_paths: OnPaths
    cap_on_paths: float
    verdicts: tuple[Verdict, ...]


@dataclass(frozen=True)
class Advice:
    """Advice on one problem; `str` gives its tables.

    Attributes
    ----------
    problem, case, dim, tasks, constants, estimated : what it is about.
    steps : meta steps of each run.
    rules : names of the meta stepsizes of the runs.
    advised : for each N.
    """

    problem: str
    case: str
    dim: int
    tasks: int
    constants: Constants
    estimated: tuple[str, ...]
    steps: int
    rules: tuple[str, ...]
    advised: tuple[Advised, ...]

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready dictionaries; what is infinite is None."""
        plain: dict[str, Any] = _plain(asdict(self))
        for known, entry in zip(self.advised, plain["advised"], strict=True):
            for verdict, line in zip(known.verdicts, entry["verdicts"], strict=True):
                line["words"] = verdict.words(self.steps)
        return plain

    def __str__(self) -> str:
        from verify.advice.text import text

        return text(self)


def advise(
    problem: Problem,
    N: Iterable[int] = (1, 5, 10),
    *,
    alpha: Iterable[float] = CUSTOMARY,
    beta: float | None = None,
    steps: int = STEPS,
    name: str | None = None,
) -> Advice:
    """Advise on inner stepsizes: the certificates of the theory, and runs of exact MAML from the problem's start.

    Parameters
    ----------
    problem : the problem; its constants may be estimates.
    N : numbers of inner steps ≥ 1.
    alpha : inner stepsizes > 0 to judge, beside the recommended one.
    beta : a fixed meta stepsize > 0; 1/L by default. Runs are made with it, and with the theorem's.
    steps : meta steps of each run.
    name : what the problem is called; by default as it calls itself.

    A stable run is no certificate: it shows one start and so many steps.
    Raises ValueError, in one line that names the field, for a value out of range.
    """
    chosen, judged = _several("N", N), _several("alpha", alpha)
    if not chosen:
        raise ValueError("N is empty: at least one number of inner steps is needed")
    for value in chosen:
        integer("N", value, low=1)
    for number in judged:
        real("alpha", number, open_low=True)
    integer("steps", steps, low=1)
    fixed = 1 / problem.constants.L if beta is None else beta
    real("beta", fixed, open_low=True)
    rules = (Rule(), Rule(float(fixed))) if math.isfinite(problem.constants.rho) else (Rule(float(fixed)),)
    return Advice(
        problem=name or problem.name,
        case=problem.case,
        dim=problem.dim,
        tasks=problem.number_of_tasks,
        constants=problem.constants,
        estimated=problem.estimated,
        steps=int(steps),
        rules=tuple(map(str, rules)),
        advised=tuple(_advised(problem, int(value), judged, rules, steps) for value in dict.fromkeys(chosen)),
    )


def _advised(problem: Problem, N: int, judged: Sequence[float], rules: Sequence[Rule], steps: int) -> Advised:
    c, paper = problem.constants, Paper(problem.constants, Schedule(N=N, alpha=0.0))
    recommended, cap = 1 / (8 * N * c.L), float(paper.cap)
    larger_cap = float(paper.larger_cap) if problem.case == "resampling" else None
    alphas = list(dict.fromkeys([recommended, *map(float, judged)]))
    grid = np.concatenate([alphas, np.geomspace(recommended, FURTHEST * recommended, PARTS)])
    runs = _runs(problem, N, dict.fromkeys(rules, grid), steps)
    critical = {rule: critical_of(grid, runs[rule].diverged_at != STABLE) for rule in rules}
    between = {
        rule: np.geomspace(found.stable, found.unstable, PARTS) for rule, found in critical.items() if _bracketed(found)
    }
    for rule, found in _runs(problem, N, between, steps).items():
        critical[rule] = critical_of(between[rule], found.diverged_at != STABLE)
    met = on_paths(problem, N, recommended, runs[rules[0]].points[0])
    certified = max(cap, larger_cap or 0.0)
    return Advised(
        N=N,
        recommended=recommended,
        cap=cap,
        larger_cap=larger_cap,
        critical={str(rule): found for rule, found in critical.items()},
        on_paths=met,
        cap_on_paths=cap * c.L / met.L if met.L else math.inf,
        verdicts=tuple(
            Verdict(alpha, N, str(rule), rule.beta is None and alpha < certified, None if step == STABLE else int(step))
            for rule in rules
            for alpha, step in zip(alphas, runs[rule].diverged_at, strict=False)
        ),
    )


def _bracketed(found: Critical) -> bool:
    return found.stable > 0 and math.isfinite(found.unstable)


def _runs(problem: Problem, N: int, alphas: Mapping[Rule, Values], steps: int) -> dict[Rule, Runs]:
    """Runs by each rule at inner stepsizes of its own, all at once."""
    if not alphas:
        return {}
    beta = [np.full(len(alpha), math.nan if rule.beta is None else rule.beta) for rule, alpha in alphas.items()]
    runs = run_all(problem, N, np.concatenate(list(alphas.values())), np.concatenate(beta), steps)
    ends = np.cumsum([len(alpha) for alpha in alphas.values()])[:-1]
    parts = zip(alphas, np.split(runs.points, ends), np.split(runs.diverged_at, ends), strict=True)
    return {rule: Runs(points, at) for rule, points, at in parts}


def _several(name: str, values: Any) -> list[Any]:
    """Return the values of a field as a list; ValueError where they are none."""
    if isinstance(values, str) or not isinstance(values, Iterable | int | float):
        raise ValueError(f"{name} = {values!r} is not allowed: {name} must be numbers")
    return list(values) if isinstance(values, Iterable) else [values]


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
