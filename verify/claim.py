"""A claim: one inequality, where it comes from, how it is measured, and the mutants that must be refuted."""

from __future__ import annotations

import difflib
import importlib
import inspect
import pkgutil
from collections.abc import Callable, Iterable, Iterator
from dataclasses import KW_ONLY, dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from problems.problem import Case, Problem
from theory.symbols import BOUNDS
from verify.cell import Cell, Formula, StepsizeRule, as_it_is
from verify.verdict import EPS, Finding

FOLDER = Path(__file__).with_name("claims")
"""Where claims are looked for: beside this file, whatever else is called `verify`."""
EVERYWHERE: tuple[StepsizeRule, ...] = ("recommended", "near cap", "fixed")
WEAKER = 1.02
"""By how much a bound that is attained must be seen to be too large."""
CLEAR, MARGIN = 1e-3, 100
"""Relative rounding error with which a bound is still seen to be attained; roundings of one evaluation, at least."""
NEAR = 0.01
"""How far below its bound the largest measurement of an attained claim may stay, relatively."""


WHOSE = (
    "paper: the paper's statement, its constants proved again from its assumptions (where they are smaller than the "
    "printed ones, the claim is the stronger). own: not in the paper.",
    "attained: on a named instance, at least 0.99 of the bound. improved: by an own statement from the same "
    "assumptions. open: neither is known; `explain` says what is.",
)
"""What the marks of a claim in a list mean."""


@dataclass(frozen=True)
class Source:
    """Where a statement comes from, in words, and whether it is our own."""

    text: str
    own: bool


def paper(place: str) -> Source:
    """A statement of the paper, and where it stands there."""
    return Source(f"Ji, Yang, Liang (2022), {place}; the paper's statement, constants re-proved", own=False)


def own(why: str = "") -> Source:
    """A statement of our own, and why it is true in a few words."""
    return Source(f"own: {why}" if why else "own", own=True)


class Mutant:
    """The paper with an error, and where the suite refutes it.

    Attributes
    ----------
    name : what is wrong, for instance "q^{j−1} for q^j".
    on : registered problem that refutes it.
    N, rule : the cell that refutes it.
    formula : stands in for the claim's formula, where what is wrong is no symbol of the paper.
    symbols : what `theory.paper.Paper` takes as changes; whatever is computed from a changed symbol changes too.
    """

    def __init__(
        self,
        name: str,
        on: str,
        *,
        N: int = 5,
        rule: StepsizeRule = "near cap",
        formula: Formula | None = None,
        **symbols: Any,
    ) -> None:
        self.name, self.on, self.N, self.rule = name, on, N, rule
        self.formula, self.symbols = formula, symbols


@dataclass(frozen=True)
class On:
    """A registered instance on which a bound is attained; it makes a claim of its own, "X on instance".

    Attributes
    ----------
    instance : its name.
    why : why the bound cannot be lowered there.
    within : how far below the bound a measurement may stay, relatively and beyond its slack.
    at, N : stepsize rules and inner steps; those N of the claim where None.
    only : what the labels of the checks begin with that attain it, where not all do.
    called : the instance's name within that of the claim, where it has another one there.
    weaker : the factor on the bound that must be seen to be too large.
    alone : the claim itself is not examined there, as where sampling could not tell the two apart at other N.
    """

    instance: str
    why: str
    within: float = 0.0
    at: tuple[StepsizeRule, ...] = EVERYWHERE
    N: tuple[int, ...] | None = None
    only: str = ""
    called: str = ""
    weaker: float = WEAKER
    alone: bool = False


def nothing(cell: Cell) -> Iterator[Finding]:
    """Measure nothing."""
    return iter(())


class Way:
    """How the findings of a claim come from the function that `claim` decorates: this one leaves all to the function.

    Attributes
    ----------
    long : it takes as long as an instance needs; so an instance that attains the claim is left to "X on instance".
    least_N : fewest inner steps that it finds anything at.
    """

    long: bool = False
    least_N: ClassVar[int] = 0

    def findings(self, cell: Cell, measure: Callable[..., Any]) -> Iterable[Finding]:
        """Measure in one cell."""
        findings: Iterable[Finding] = measure(cell)
        return findings

    def relatives(self, cell: Cell) -> Iterator[tuple[Cell, dict[str, float]]]:
        """Cells on which a bound must be attained if it is on `cell`, and the free parameters of their problems."""
        yield cell, {}


@dataclass(frozen=True)
class Claim:
    """One inequality, as an executable statement; `claim` when it decorates the function that measures.

    The function measures as the way `by` says: see `verify.evidence.attack`, `verify.evidence.expectation` and
    `verify.evidence.runs`. Without a way it takes the cell and yields findings.

    Attributes
    ----------
    name : as in the paper or in the ledger, in lower case ("path", "second moment"); its draws are keyed by it.
    statement : what the paper calls it, a name of `verify.statements`, or another one of a user's.
    title : one line, without that name.
    says : the inequality, in plain text with `_` and `^` for indices.
    source : of the paper, or own.
    measured : how the measured value is obtained, in words.
    answers : the question of practice that it answers; "" where it is a step of a proof.
    assumes : what it needs, in words.
    by : how findings come from the decorated function.
    at : stepsize rules it is examined at.
    inner_steps : keep only these N (None: all of the profile).
    least_N : fewest inner steps that it says anything of.
    cases : the cases in which it speaks.
    needs : constants that must be finite for it to speak, or to bound the rounding of what it measures.
    problems : names of the only problems of which it speaks, or None for all that it applies to.
    also : registered instances on which it is examined beside its problems, or beside the ordinary ones; those that
        attain it need not be named again.
    by_default : the ordinary problems on which it is examined where none is chosen; all of them where empty.
    everywhere : it is examined on all registered problems, the sharp ones included.
    attained : instances on which the bound is attained; each makes a claim "X on instance".
    sharp : how near the bound measurements come where none attains it.
    improved_by : name of an own claim that says more from the same assumptions, where this one, or some term of it, is
        not attained.
    settled : its standing in words, where its own measurement settles it.
    mutants : wrong versions that must be refuted.
    formula : what is tested, where that is no symbol of the paper.
    audit : it examines the constants of a problem, on which every other claim rests.
    of, instance : of a claim "X on instance", the name of X and the instance; "" for others.
    measure : the decorated function.
    """

    name: str
    statement: str
    title: str
    _: KW_ONLY
    says: str
    source: Source
    measured: str
    answers: str = ""
    assumes: tuple[str, ...] = ()
    by: Way = field(default_factory=Way)
    at: tuple[StepsizeRule, ...] = EVERYWHERE
    inner_steps: tuple[int, ...] | None = None
    least_N: int = 0
    cases: frozenset[Case] = frozenset({"resampling", "finite-sum"})
    needs: tuple[str, ...] = ()
    problems: tuple[str, ...] | None = None
    also: tuple[str, ...] = ()
    by_default: tuple[str, ...] = ()
    everywhere: bool = False
    attained: tuple[On, ...] = ()
    sharp: str = ""
    improved_by: str = ""
    settled: str = ""
    mutants: tuple[Mutant, ...] = ()
    formula: Formula = as_it_is
    audit: bool = False
    of: str = ""
    instance: str = ""
    measure: Callable[..., Any] = nothing

    def __call__(self, measure: Callable[..., Any]) -> Claim:
        """Register the claim that `measure` measures, and those that it is attained; ValueError for a name in use."""
        made = replace(self, measure=measure, least_N=max(self.least_N, self.by.least_N))
        for each in (made, *(_attained(made, on) for on in made.attained)):
            if each.name in _CLAIMS and _CLAIMS[each.name].module != each.module:
                raise ValueError(f"two claims are named {each.name!r}")
            _CLAIMS[each.name] = each
        return made

    def check(self, cell: Cell) -> Iterable[Finding]:
        """Findings in one cell."""
        return self.by.findings(cell, self.measure)

    def speaks_at(self, N: int) -> bool:
        """Whether it says anything of N inner steps."""
        return self.least_N <= N and (self.inner_steps is None or N in self.inner_steps)

    @property
    def module(self) -> str:
        """Where it is written."""
        return self.measure.__module__

    @property
    def ours(self) -> bool:
        """Whether it belongs to the suite, and not to a user."""
        return self.module.startswith("verify.claims.")

    @property
    def bounds(self) -> tuple[str, ...]:
        """Bounds of the paper that the decorated function reads, by their names."""
        code = getattr(inspect.unwrap(self.measure), "__code__", None)
        return tuple(name for name in code.co_names if name in BOUNDS) if code else ()

    @property
    def instances(self) -> tuple[str, ...]:
        """Registered instances on which it is examined beside its problems, or beside the ordinary ones."""
        attaining = () if self.by.long else (on.instance for on in self.attained if not on.alone)
        return tuple(dict.fromkeys((*attaining, *self.also)))

    @property
    def sharpness(self) -> str:
        """How near the bound measurements come, in words."""
        attained = [f"{on.instance}: {on.why}" for on in self.attained]
        return "; ".join([*attained, *filter(None, [self.sharp])]) or "not known"

    @property
    def standing(self) -> str:
        """Whether its bound is known to be the least: attained within 1 %, improved by another claim's, or open."""
        if self.instance or self.audit:
            return ""
        if self.settled:
            return self.settled
        attained = "attained" if any(on.within <= NEAR for on in self.attained) else ""
        improved = f"improved: {self.improved_by}" if self.improved_by else ""
        return "; ".join(filter(None, [attained, improved])) or "open"

    @property
    def listed(self) -> str:
        """Its title, whose it is, and its standing: a line of a list."""
        return f"{self.title} [{'; '.join(filter(None, ['own' if self.source.own else 'paper', self.standing]))}]"

    def inapplicable(self, problem: Problem) -> str:
        """Why the claim does not apply to `problem`, in one line, or "" if it does."""
        if problem.case not in self.cases:
            return f"speaks of the {' and '.join(sorted(self.cases))} case only"
        missing = [name for name in self.needs if not np.isfinite(getattr(problem.constants, name))]
        return f"needs finite {', '.join(missing)}" if missing else ""

    def elsewhere(self, problem_name: str, N: int) -> str:
        """Why the claim has nothing to say of the problem of this name at this N, in one line, or "" if it may."""
        if self.least_N > N:
            return f"says nothing of N < {self.least_N}"
        if self.problems is None or problem_name in (*self.problems, *self.instances):
            return ""
        return f"speaks of {', '.join((*self.problems, *self.instances))} only"


@dataclass(frozen=True)
class Attained(Way):
    """The findings of another claim, each of which must come near its bound, on an instance and on its relatives."""

    claim: Claim
    on: On

    def findings(self, cell: Cell, measure: Callable[..., Any]) -> Iterator[Finding]:
        """Measure as the other claim does; what is sampled on the way attains nothing."""
        for member, free in self.claim.by.relatives(cell):
            for finding in self.claim.check(replace(member, claim=self.claim.name, formula=self.claim.formula)):
                if finding.method != "monte-carlo" and finding.label.startswith(self.on.only):
                    found = replace(
                        finding,
                        bound=cell.formula(finding.bound),
                        attained=True,
                        shortfall=self.on.within,
                        label=", ".join([*filter(None, [finding.label]), *(f"{k} = {x:.3g}" for k, x in free.items())]),
                        witness={**finding.witness, **free},
                    )
                    yield replace(found, silent=out_of_reach(member, found))


def out_of_reach(cell: Cell, found: Finding) -> str:
    """Why float64 cannot tell whether a bound is attained that seems not to be, or "" where it can.

    Two points of which the inner path is to stay in the same piece of a loss must begin `q^{−N}` of that piece apart,
    and their difference carries a rounding error of some `(N + 2)` operations: its relative error grows like `q^N`.
    Past the shortfall that is allowed (at least `CLEAR`) it says nothing; nor where it is so large in the finding.
    """
    if not found.falls_short:
        return ""
    allowed = max(found.shortfall, CLEAR)
    lost = EPS * (cell.N + 2) * float(cell.paper.unchanged.q(cell.N))
    if lost <= allowed / MARGIN and found.slack <= allowed * found.bound:
        return ""
    return (
        f"float64 cannot attain it: rounding errors grow by q^N = {float(cell.paper.unchanged.q(cell.N)):.3g} on a path"
    )


def _attained(of: Claim, on: On) -> Claim:
    """Claim that the bound of `of` is attained on an instance."""
    how = f"attained{f' within {100 * on.within:g} %' if on.within else ''} on {on.instance}"
    N = on.N or of.inner_steps
    too_large = Mutant(
        f"a bound {100 * (on.weaker - 1):.0f} % larger",
        on.instance,
        N=N[0] if N else 5,
        rule=on.at[0],
        formula=lambda bound: on.weaker * bound,
    )
    return replace(
        of,
        name=f"{of.name} on {on.called or on.instance}",
        title=f"{of.title}; {how}",
        says=f"{how}{f' at {on.only}' if on.only else ''}: {of.says}",
        source=own(),
        by=Attained(of, on),
        mutants=(too_large,),
        attained=(),
        sharp=f"{on.instance}: {on.why}",
        improved_by="",
        of=of.name,
        instance=on.instance,
        at=on.at,
        inner_steps=N,
        problems=(on.instance,),
        also=(),
        formula=as_it_is,
    )


claim = Claim
_CLAIMS: dict[str, Claim] = {}


def claims() -> dict[str, Claim]:
    """All claims by name, in the order of file names and of definitions within them.

    Claims that a user's own file defines follow as soon as it is imported.
    """
    _discover()
    return dict(sorted(_CLAIMS.items(), key=lambda item: _own_module(item[1])))


def find(name: str) -> Claim | None:
    """Return the claim of exactly this name, None where there is none."""
    _discover()
    return _CLAIMS.get(name)


def named(name: str) -> Claim:
    """Return the claim of this name; case, `-` and `_` do not matter.

    Raises ValueError with the nearest name where there is none.
    """
    known = {spelled(each): claim for each, claim in claims().items()}
    if spelled(name) not in known:
        near = difflib.get_close_matches(spelled(name), known, n=1)
        hint = f"; did you mean {known[near[0]].name!r}?" if near else ""
        raise ValueError(f"claim = {name!r} is unknown{hint} (see `python -m verify list`)")
    return known[spelled(name)]


def spelled(name: str) -> str:
    """Return a name as all its spellings have it.

    >>> spelled("Gradient-Growth") == spelled(" gradient_growth ") == "gradient growth"
    True
    """
    return " ".join(name.lower().replace("-", " ").replace("_", " ").split())


def is_audit(name: str) -> bool:
    """Whether the claim of this name is an audit of constants: these run first."""
    made = find(name)
    return made is not None and made.audit


def _own_module(made: Claim) -> tuple[bool, str]:
    """Sort key that does not depend on which module was imported first, and puts a user's claims last, as they came."""
    return (not made.ours, made.module if made.ours else "")


@cache
def _discover() -> None:
    for module in sorted(pkgutil.iter_modules([str(FOLDER)]), key=lambda m: m.name):
        importlib.import_module(f"verify.claims.{module.name}")
    if not _CLAIMS:
        raise RuntimeError(f"no claim was found in {FOLDER}: the installation is incomplete")
