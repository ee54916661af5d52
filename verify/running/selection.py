"""From what a user selects to the cells of a run, in the order of the ledger."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from numbers import Integral

from problems.problem import Problem
from problems.registry import families, family
from verify.cell import PROFILES, StepsizeRule, alpha_L
from verify.claim import Claim, claims, named
from verify.running.loading import claim_spec, load_claims, load_problem
from verify.running.records import CellName
from verify.running.spec import Spec

MAX_INNER_STEPS = 10_000


@dataclass(frozen=True, kw_only=True)
class Selection:
    """What is to be verified.

    Attributes
    ----------
    claims : names, `FILE.py`, `FILE.py:NAME` or `package.module:NAME`; all of the suite where empty. The audit of
        constants comes along with any claim.
    problems : registered names, `FILE.py:FACTORY` or `package.module:FACTORY`. Where empty, each claim runs on the
        ordinary problems (or on its own list) and on its sharp instances.
    inner_steps : the N to examine; those of the profile where empty.
    profile : "quick", "default" or "full".
    seed : of everything random, an integer ≥ 0.
    mutants : examine the mutants of the claims, each on the cell that it names, and the right formula beside them.

    Raises
    ------
    ValueError : one line, for a field that has no such value.
    """

    claims: tuple[str, ...] = ()
    problems: tuple[str, ...] = ()
    inner_steps: tuple[int, ...] = ()
    profile: str = "default"
    seed: int = 0
    mutants: bool = False

    def __post_init__(self) -> None:
        if self.profile not in PROFILES:
            raise ValueError(f"profile = {self.profile!r} is not allowed: it must be one of {', '.join(PROFILES)}")
        if not (_is_integer(self.seed) and self.seed >= 0):
            raise ValueError(f"seed = {self.seed!r} is not allowed: it must be an integer >= 0")
        for N in self.inner_steps:
            if not (_is_integer(N) and 0 <= N <= MAX_INNER_STEPS):
                raise ValueError(
                    f"inner steps N = {N!r} is not allowed: N must be an integer from 0 to {MAX_INNER_STEPS}"
                )

    @property
    def chosen_steps(self) -> tuple[int, ...]:
        """The N to examine, ascending."""
        return tuple(sorted(set(self.inner_steps or PROFILES[self.profile].inner_steps)))


def _is_integer(value: object) -> bool:
    return isinstance(value, Integral) and not isinstance(value, bool)


@dataclass(frozen=True)
class Target:
    """A problem of a run: the name that is shown, what loads it, and the problem itself where the user named it."""

    name: str
    spec: str
    problem: Problem | None = None

    def speaks_of(self, claim: Claim) -> bool:
        """Whether `claim` applies, as far as can be told without building the problem."""
        if self.problem is not None:
            return not claim.inapplicable(self.problem)
        return family(self.name).case in claim.cases


def plan(selection: Selection, problem: Problem | None = None) -> list[CellName]:
    """Cells of a run in the order of the ledger: the audits first, then claim by claim.

    `problem` is examined beside those that the selection names, where the caller has it at hand.

    Raises
    ------
    ValueError : one line, for an unknown claim or problem, a user's problem that cannot be built, or where nothing is
        left to run.
    """
    claims()  # the suite's own come first; a user's file may define more, known once it is loaded
    targets = {} if problem is None else {problem.name: Target(problem.name, problem.name, problem)}
    for target in (_target(selection, spec) for spec in selection.problems):
        if targets.setdefault(target.name, target).spec != target.spec:
            raise ValueError(f"problem = {target.spec!r} is called {target.name} like another one: they need two runs")
    wanted = {name for spec in selection.claims for name in find_claims(spec)}
    chosen = [claim for name, claim in claims().items() if name in wanted or not wanted]
    cells = list(dict.fromkeys((_mutants if selection.mutants else _checks)(selection, chosen, targets)))
    if not cells:
        does = "has a mutant for" if selection.mutants else "speaks of"
        raise ValueError(f"nothing to run: none of the selected claims {does} the selected problems and inner steps")
    return cells


def _checks(selection: Selection, chosen: list[Claim], targets: dict[str, Target]) -> Iterator[CellName]:
    """Audits of all problems that any claim runs on, then the claims."""
    pairs = [(claim, target) for claim in chosen for target in _targets_of(claim, targets)]
    audited = {target.name: target for _, target in pairs}
    audits = [(claim, target) for claim in claims().values() if claim.audit for target in audited.values()]
    for claim, target in [*audits, *(pair for pair in pairs if not pair[0].audit)]:
        yield from _cells(selection, claim, target)


def _mutants(selection: Selection, chosen: list[Claim], targets: dict[str, Target]) -> Iterator[CellName]:
    """Each mutant on the cell that it names, after the right formula on the same cell."""
    for claim in chosen:
        for mutant in claim.mutants:
            unwanted = targets and mutant.on not in targets
            if unwanted or (selection.inner_steps and mutant.N not in selection.inner_steps):
                continue
            target = Target(mutant.on, mutant.on)
            for name in ("", mutant.name):
                yield _name(selection, claim, target, mutant.N, mutant.rule, name)


def _cells(selection: Selection, claim: Claim, target: Target) -> Iterator[CellName]:
    """Cells of one claim on one problem; where it does not apply, one that says so if the user asked for both."""
    steps = [N for N in selection.chosen_steps if claim.speaks_at(N)]
    if claim.audit:
        steps = steps or [selection.chosen_steps[0]]
    cells = [_name(selection, claim, target, N, rule) for N in steps for rule in claim.at]
    if not target.speaks_of(claim):
        cells = cells[:1] if target.problem is not None else []
    yield from cells


def _name(selection: Selection, claim: Claim, target: Target, N: int, rule: StepsizeRule, mutant: str = "") -> CellName:
    return CellName(
        claim=claim.name,
        claim_spec=claim_spec(claim),
        problem=target.name,
        problem_spec=target.spec,
        N=N,
        rule=rule,
        profile=selection.profile,
        seed=selection.seed,
        mutant=mutant,
    )


def _ordinary() -> list[str]:
    return [name for name, known in families().items() if known.role == "ordinary"]


def _targets_of(claim: Claim, selected: dict[str, Target]) -> list[Target]:
    """Problems that a claim runs on: the selected ones that it allows, or its own."""
    if selected:
        allowed = selected if claim.problems is None else (*claim.problems, *claim.instances)
        return [target for name, target in selected.items() if name in allowed]
    usual = claim.by_default or _ordinary()
    own = list(families()) if claim.everywhere else usual if claim.problems is None else claim.problems
    return [Target(name, name) for name in dict.fromkeys((*own, *claim.instances)) if name in families()]


def _target(selection: Selection, spec: str) -> Target:
    """Look up or build the problem that a user names; raises ValueError in one line."""
    N = selection.chosen_steps[0]
    try:
        problem = load_problem(spec, N, alpha_L("recommended", N))
    except ModuleNotFoundError as error:
        raise ValueError(str(error)) from error
    named = Spec.parse(spec)
    return Target(named.shown, named.full, problem)


def find_claims(spec: str) -> list[str]:
    """Return the names of the claims that are meant: one of the suite, or those that a user's file makes.

    Raises ValueError in one line, as `verify.claim.named` and `load_claims` do.
    """
    return [claim.name for claim in (load_claims(spec) if Spec.parse(spec).place else [named(spec)])]
