"""Two runs side by side: has any verdict, any bound or any tightness changed?"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import zip_longest
from pathlib import Path

from theory.validation import printable
from verify.running.records import Header, Place, Record, Stream, reading, worst
from verify.verdict import Verdict

RANK: dict[Verdict, int] = {"holds": 0, "inapplicable": 1, "vacuous": 1, "inconclusive": 2, "error": 3, "violated": 4}
"""How bad a verdict is: a check that moves up has regressed."""

SAME_BOUND = 1e-6
"""Relative difference that a bound may have from machine to machine."""


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

    A check regresses where its verdict gets worse, its bound changes by more than rounding, or it vanishes. An attack
    has the bound of the point that it found, which may be another one as long as the bound is met as nearly. A claim
    regresses where its tightness (its largest measured/bound over the checks that both runs have) moves by more than
    `tolerance`, relatively, in either direction: upwards a bound is being bent, downwards the suite no longer reaches
    what it reached. Where only rounding is measured there is no tightness.

    Raises
    ------
    ValueError : one line, where a file cannot be read, the runs have no check in common, or `tolerance` is negative.
    """
    if not tolerance >= 0:
        raise ValueError(f"tolerance = {tolerance:g} is not allowed: tolerance must be a number >= 0")
    with reading(old) as before, reading(new) as after:
        found = _Differences(tolerance)
        for pair in _paired(before, after):
            found.take(*pair)
        if not found.compared:
            raise ValueError(f"{old} and {new} have no check in common")
        notes = (*_notes(old, before), *_notes(new, after), *_settings(before.header, after.header))
    old_seconds, new_seconds = found.seconds
    return Comparison(tuple(found.changes()), found.compared, old_seconds, new_seconds, notes)


def changes(before: Iterable[Record], after: Iterable[Record], tolerance: float) -> list[Change]:
    """What differs between the checks of two runs, or of parts of them: regressions first. See `compare`."""
    found = _Differences(tolerance)
    for pair in _paired(before, after):
        found.take(*pair)
    return found.changes()


def _paired(before: Iterable[Record], after: Iterable[Record]) -> Iterator[tuple[Record | None, Record | None]]:
    """Each check of two runs as both have it, None where one has not.

    Runs are in the same order but for what only one has, so few checks wait for their counterparts.
    """
    waiting: tuple[dict[Place, Record], dict[Place, Record]] = {}, {}
    for pair in zip_longest(before, after):
        for side, record in enumerate(pair):
            if record is None:
                continue
            if (other := waiting[1 - side].pop(record.place, None)) is None:
                waiting[side][record.place] = record
            else:
                yield (record, other) if side == 0 else (other, record)
    yield from ((old, None) for old in waiting[0].values())
    yield from ((None, new) for new in waiting[1].values())


def _notes(path: Path, stream: Stream) -> Iterable[str]:
    if stream.torn:
        yield f"the torn last line of {path} was dropped"


def _settings(old: Header, new: Header) -> Iterable[str]:
    difference = replace(old, environment={}).difference(replace(new, environment={}))
    if difference:
        yield f"the runs have different settings: {difference}"
    kernels = [header.environment["tangent"] for header in (old, new) if "tangent" in header.environment]
    if len(set(kernels)) > 1:
        yield f"tangents were {' and are '.join(kernels)}: equal up to rounding"


class _Differences:
    """What is found as checks are taken; it grows with what differs and with the number of claims, not with checks."""

    def __init__(self, tolerance: float) -> None:
        self.tolerance, self.compared, self.seconds = tolerance, 0, [0.0, 0.0]
        self._verdicts: list[Change] = []
        self._bounds: dict[tuple[str, str], tuple[Record, Record]] = {}
        self._moved: Counter[tuple[str, str]] = Counter()
        self._vanished: Counter[tuple[str, str]] = Counter()
        self._appeared: Counter[tuple[str, str]] = Counter()
        self._worst: defaultdict[str, tuple[Record | None, Record | None]] = defaultdict(lambda: (None, None))

    def take(self, old: Record | None, new: Record | None) -> None:
        """Take one check, as either run has it."""
        for side, record in enumerate((old, new)):
            self.seconds[side] += record.seconds if record else 0.0
        if old and new:
            self._compare(old, new)
        elif old:
            self._vanished[old.claim, old.problem] += 1
        elif new:
            self._appeared[new.claim, new.problem] += 1

    def _compare(self, old: Record, new: Record) -> None:
        self.compared += 1
        if old.verdict != new.verdict:
            worse = RANK[new.verdict] > RANK[old.verdict]
            self._verdicts.append(Change("verdict", f"{new.claim} on {new.where}", old.verdict, new.verdict, worse))
        if old.mutant:
            return
        if _moved(old, new):
            self._bounds.setdefault((new.claim, new.problem), (old, new))
            self._moved[new.claim, new.problem] += 1
        was, now = self._worst[old.claim]
        self._worst[old.claim] = worst(filter(None, (was, old))), worst(filter(None, (now, new)))

    def changes(self) -> list[Change]:
        """All that differs, regressions first."""
        found = [*self._verdicts, *self._bound_changes(), *self._presence(), *self._tightness()]
        return sorted(found, key=lambda change: not change.regression)

    def _bound_changes(self) -> Iterable[Change]:
        """Bounds that changed: one line for each claim and problem, with the first of its checks."""
        for (claim, problem), (old, new) in self._bounds.items():
            others = self._moved[claim, problem] - 1
            more = f" and {others} more" if others else ""
            numbers = (f"{old.bound:.9g}", f"{new.bound:.9g}")
            yield Change("bound", f"{claim} on {new.where}{more}", *numbers, regression=True)

    def _presence(self) -> Iterable[Change]:
        """Checks that vanished (a regression) or appeared, counted by claim and problem."""
        for (claim, problem), count in sorted(self._vanished.items()):
            yield Change("vanished", f"{claim} on {problem}", f"{count} checks", "none", regression=True)
        for (claim, problem), count in sorted(self._appeared.items()):
            yield Change("new", f"{claim} on {problem}", "none", f"{count} checks", regression=False)

    def _tightness(self) -> Iterable[Change]:
        for claim, (before, after) in self._worst.items():
            if before is None or after is None:
                continue
            was, now = _ratio(before), _ratio(after)
            if not math.isclose(was, now, rel_tol=self.tolerance):
                numbers = (f"{was:.4g} ({before.where})", f"{now:.4g} ({after.where})")
                yield Change("tightness", claim, *numbers, regression=True)


def _moved(old: Record, new: Record) -> bool:
    """Whether the bound of a check differs by more than machines differ."""
    if old.bound is None or new.bound is None:
        return False
    if old.method == new.method == "attack" and _as_tight(old, new):
        # Of points at which a bound is met equally well, rounding picks one, and the bound is that point's own.
        return False
    rounding = max(old.slack or 0.0, new.slack or 0.0)
    return not math.isclose(old.bound, new.bound, rel_tol=SAME_BOUND, abs_tol=rounding)


def _as_tight(old: Record, new: Record) -> bool:
    return _ratio(old) != 0 and math.isclose(_ratio(old), _ratio(new), rel_tol=SAME_BOUND)


def _ratio(record: Record) -> float:
    return 0.0 if record.only_rounding or record.tightness is None else record.tightness
