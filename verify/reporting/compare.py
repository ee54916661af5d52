"""Two runs side by side: has any verdict, any bound or any tightness changed?"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeAlias

from theory.validation import printable
from verify.running.records import Record, Run, read, worst
from verify.verdict import Verdict

RANK: dict[Verdict, int] = {"holds": 0, "inapplicable": 1, "vacuous": 1, "inconclusive": 2, "error": 3, "violated": 4}
"""How bad a verdict is: a check that moves up has regressed."""

SAME_BOUND = 1e-6
"""Relative difference that a bound may have from machine to machine."""

Place: TypeAlias = tuple[str, str, int, str, str, int]


@dataclass(frozen=True)
class Change:
    """One difference between two runs, in words; `regression` tells whether it makes the new run worse."""

    kind: str
    where: str
    old: str
    new: str
    regression: bool

    def __str__(self) -> str:
        """One line."""
        mark = "regression" if self.regression else "change"
        return f"{mark}: {self.kind}, {self.where}: {self.old} -> {self.new}"


@dataclass(frozen=True)
class Comparison:
    """What differs between two runs.

    Attributes
    ----------
    changes : verdicts and bounds that changed, checks that vanished or appeared, tightness that moved; regressions
        first.
    compared : number of checks that both runs have.
    old_seconds, new_seconds : time of the cells of each run, summed over workers; reported, never judged.
    notes : what makes the comparison less than one of like with like: torn records, other settings.
    """

    changes: tuple[Change, ...]
    compared: int
    old_seconds: float
    new_seconds: float
    notes: tuple[str, ...]

    @property
    def regressed(self) -> bool:
        """Whether the new run is worse anywhere."""
        return any(change.regression for change in self.changes)

    def text(self) -> str:
        """All changes, a line each, and a closing line."""
        count = sum(change.regression for change in self.changes)
        closing = (
            f"{self.compared} checks compared: {count} regressions, {len(self.changes) - count} other changes; "
            f"{self.old_seconds:.1f} s -> {self.new_seconds:.1f} s"
        )
        notes = [f"note: {printable(note)}" for note in self.notes]
        return "\n".join([*map(str, self.changes), *notes, closing])


def compare(old: Path, new: Path, tolerance: float) -> Comparison:
    """Compare the records of two runs (files, or directories of results).

    A check regresses where its verdict gets worse, its bound changes by more than rounding, or it vanishes. A claim
    regresses where its tightness (its largest measured/bound over the checks that both runs have) moves by more than
    `tolerance`, relatively, in either direction: upwards a bound is being bent, downwards the suite no longer reaches
    what it reached. Where only rounding is measured there is no tightness.

    Raises
    ------
    ValueError : one line, where a file cannot be read, the runs have no check in common, or `tolerance` is negative.
    """
    if not tolerance >= 0:
        raise ValueError(f"tolerance = {tolerance:g} is not allowed: tolerance must be a number >= 0")
    before, after = read(old), read(new)
    common = len(_by_place(before.records).keys() & _by_place(after.records).keys())
    if not common:
        raise ValueError(f"{old} and {new} have no check in common")
    return Comparison(
        tuple(changes(before.records, after.records, tolerance)),
        common,
        sum(record.seconds for record in before.records),
        sum(record.seconds for record in after.records),
        tuple(_notes(old, before)) + tuple(_notes(new, after)) + tuple(_settings(before, after)),
    )


def changes(before: Iterable[Record], after: Iterable[Record], tolerance: float) -> list[Change]:
    """What differs between the checks of two runs, or of parts of them: regressions first. See `compare`."""
    old_checks, new_checks = _by_place(before), _by_place(after)
    pairs = [(old, new_checks[place]) for place, old in old_checks.items() if place in new_checks]
    found = [*_verdicts(pairs), *_bounds(pairs), *_presence(old_checks, new_checks), *_tightness(pairs, tolerance)]
    return sorted(found, key=lambda change: not change.regression)


def _notes(path: Path, run: Run) -> Iterable[str]:
    if run.torn:
        yield f"the torn last line of {path} was dropped"


def _settings(old: Run, new: Run) -> Iterable[str]:
    difference = replace(old.header, environment={}).difference(replace(new.header, environment={}))
    if difference:
        yield f"the runs have different settings: {difference}"


def _by_place(records: Iterable[Record]) -> dict[Place, Record]:
    return {(r.claim, r.problem, r.N, r.rule, r.mutant, r.index): r for r in records}


def _verdicts(pairs: Iterable[tuple[Record, Record]]) -> Iterable[Change]:
    for old, new in pairs:
        if old.verdict != new.verdict:
            worse = RANK[new.verdict] > RANK[old.verdict]
            yield Change("verdict", f"{new.claim} on {new.where}", old.verdict, new.verdict, worse)


def _bounds(pairs: Iterable[tuple[Record, Record]]) -> Iterable[Change]:
    """Bounds that changed: one line for each claim and problem, with the first of its checks."""
    moved: dict[tuple[str, str], list[tuple[Record, Record]]] = defaultdict(list)
    for old, new in pairs:
        if _moved(old, new):
            moved[new.claim, new.problem].append((old, new))
    for (claim, _), changed in moved.items():
        old, new = changed[0]
        more = f" and {len(changed) - 1} more" if len(changed) > 1 else ""
        numbers = (f"{old.bound:.9g}", f"{new.bound:.9g}")
        yield Change("bound", f"{claim} on {new.where}{more}", *numbers, regression=True)


def _moved(old: Record, new: Record) -> bool:
    """Whether the bound of a check differs by more than machines differ; of a right formula that has one."""
    if old.bound is None or new.bound is None or new.mutant:
        return False
    rounding = max(old.slack or 0.0, new.slack or 0.0)
    return not math.isclose(old.bound, new.bound, rel_tol=SAME_BOUND, abs_tol=rounding)


def _presence(old: dict[Place, Record], new: dict[Place, Record]) -> Iterable[Change]:
    """Checks that vanished (a regression) or appeared, counted by claim and problem."""
    vanished = Counter((old[place].claim, old[place].problem) for place in old.keys() - new.keys())
    appeared = Counter((new[place].claim, new[place].problem) for place in new.keys() - old.keys())
    for (claim, problem), count in sorted(vanished.items()):
        yield Change("vanished", f"{claim} on {problem}", f"{count} checks", "none", regression=True)
    for (claim, problem), count in sorted(appeared.items()):
        yield Change("new", f"{claim} on {problem}", "none", f"{count} checks", regression=False)


def _tightness(pairs: Iterable[tuple[Record, Record]], tolerance: float) -> Iterable[Change]:
    by_claim: dict[str, list[tuple[Record, Record]]] = defaultdict(list)
    for old, new in pairs:
        if not old.mutant:
            by_claim[old.claim].append((old, new))
    for claim, own in by_claim.items():
        before, after = (worst(records) for records in zip(*own, strict=True))
        if before is None or after is None:
            continue
        was, now = _ratio(before), _ratio(after)
        if not math.isclose(was, now, rel_tol=tolerance):
            numbers = (f"{was:.4g} ({before.where})", f"{now:.4g} ({after.where})")
            yield Change("tightness", claim, *numbers, regression=True)


def _ratio(record: Record) -> float:
    return 0.0 if record.only_rounding or record.tightness is None else record.tightness
