"""The ledger: each statement, its claims, and what a run found about them."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Literal, Protocol, TypeAlias, TypeVar

from verify.claim import Source, claims, find, is_audit
from verify.reporting.answers import answer
from verify.reporting.tally import Tally, in_order
from verify.running.records import CellName, Header, Record
from verify.statements import NEIGHBOURS, STATEMENTS
from verify.verdict import JUDGED, Verdict

Status: TypeAlias = Literal["refuted", "survived", "error"]
UNKNOWN = "UNKNOWN"
"""Where the ledger shows records of a claim that this version does not have."""


@dataclass(frozen=True, kw_only=True)
class ClaimSummary:
    """What a run found about one claim.

    Attributes
    ----------
    claim, statement, title, says, source, standing : as the claim has them.
    checks : number of checks of each verdict that occurs, in the order of `VERDICTS`.
    worst : the violated check if there is one, else the check with the largest measured/bound; None if none was judged.
    silent : checks that are no evidence: verdict, reason and number, one for each distinct reason.
    reason : verdict and note of its first error, or of its first check where none was judged; "" otherwise.
    seconds : time that its cells took, summed over workers.
    estimated : whether any of its verdicts, other than inapplicable, rests on estimated constants.
    answer : what the run says of a claim of a user, in words; "" for the suite's own.
    """

    claim: str
    statement: str
    title: str
    says: str
    source: Source
    standing: str
    checks: Mapping[Verdict, int]
    worst: Record | None
    silent: tuple[tuple[Verdict, str, int], ...]
    reason: str
    seconds: float
    estimated: bool
    answer: str = ""

    @property
    def verdict(self) -> Verdict:
        """The verdict that says most: violated, error, inconclusive, holds, vacuous, inapplicable, in this order."""
        order: tuple[Verdict, ...] = ("violated", "error", "inconclusive", "holds", "vacuous", "inapplicable")
        return next(verdict for verdict in order if verdict in self.checks)


@dataclass(frozen=True, kw_only=True)
class MutantSummary:
    """What became of one wrong formula.

    Attributes
    ----------
    claim, mutant : names.
    status : "refuted" only if a check of it is violated and none is with the right formula on the same cell.
    worst : its check with the largest measured/bound, a violated one first; None if none was judged.
    cell : where it was examined.
    """

    claim: str
    mutant: str
    status: Status
    worst: Record | None
    cell: CellName


@dataclass(frozen=True, kw_only=True)
class Summary:
    """What a run found: claims in the order of the ledger, mutants where it ran them.

    `verdicts` counts the checks of right formulas; `wrong_constants` has a line for each constant that an audit
    refuted; `seconds` is the time of the run where it is known, else that of its cells.
    """

    header: Header
    claims: tuple[ClaimSummary, ...]
    mutants: tuple[MutantSummary, ...]
    verdicts: Mapping[Verdict, int]
    wrong_constants: tuple[str, ...]
    seconds: float

    def __repr__(self) -> str:
        """Outcome in one line."""
        counts = ", ".join(f"{count} {verdict}" for verdict, count in self.verdicts.items()) or "no checks"
        mutants = f", {len(self.mutants)} mutants" if self.mutants else ""
        return f"Summary({counts}{mutants}; exit code {self.exit_code})"

    @property
    def statements(self) -> dict[str, list[ClaimSummary]]:
        """Claims by the statement that they belong to."""
        return grouped(self.claims)

    @property
    def exit_code(self) -> int:
        """0 all hold; 1 something is violated or a mutant survived; 3 inconclusive or errors; 4 too little judged."""
        statuses = {mutant.status for mutant in self.mutants}
        if "violated" in self.verdicts or "survived" in statuses:
            return 1
        if "error" in statuses or not {"error", "inconclusive"}.isdisjoint(self.verdicts):
            return 3
        return 4 if self.too_little else 0

    @property
    def too_little(self) -> str:
        """Which claims were judged, in words, where these are none, or less than half of those that speak; else "".

        That the constants of a problem hold is no evidence for any other claim. An inapplicable one does not speak.
        """
        claims = [claim for claim in self.claims if not is_audit(claim.claim)] or self.claims
        speaking = [claim for claim in claims if claim.checks.keys() != {"inapplicable"}]
        judged = sum(not JUDGED.isdisjoint(claim.checks) for claim in speaking)
        if self.mutants or (judged and 2 * judged >= len(speaking)):
            return ""
        return f"only {judged} of {len(speaking)} claims were judged" if judged else "no claim was judged"


def summarise(header: Header, records: Iterable[Record], seconds: float | None = None) -> Summary:
    """Summarise the records of a run that took `seconds` in all, one by one: few of them are kept."""
    by_claim, by_mutant = defaultdict[str, Tally](Tally), defaultdict[CellName, Tally](Tally)
    violated: set[CellName] = set()
    wrong: list[str] = []
    for record in records:
        if record.mutant:
            by_mutant[record.cell].take(record)
            continue
        by_claim[record.claim].take(record)
        if record.verdict == "violated":
            violated.add(record.cell)
            wrong += [_wrong_constant(record)] if record.is_audit else []
    known = list(claims())
    order = sorted(by_claim, key=lambda name: known.index(name) if name in known else len(known))
    tallies = [*by_claim.values(), *by_mutant.values()]
    counts = sum((tally.counts for tally in by_claim.values()), Counter[Verdict]())
    return Summary(
        header=header,
        claims=tuple(_summarise_claim(name, by_claim[name]) for name in order),
        mutants=tuple(_summarise_mutant(cell, found, violated) for cell, found in by_mutant.items()),
        verdicts=in_order(counts),
        wrong_constants=tuple(wrong),
        seconds=sum(tally.seconds for tally in tallies) if seconds is None else seconds,
    )


def _summarise_claim(name: str, found: Tally) -> ClaimSummary:
    known = find(name)
    return ClaimSummary(
        claim=name,
        statement=known.statement if known else UNKNOWN,
        title=known.title if known else name,
        says=known.says if known else "",
        source=known.source if known else Source("", own=False),
        standing=known.standing if known else "",
        checks=in_order(found.counts),
        worst=found.worst,
        silent=tuple((verdict, reason, count) for (verdict, reason), count in found.reasons.items()),
        reason=found.reason,
        seconds=found.seconds,
        estimated=found.estimated,
        answer=answer(name, found),
    )


def _summarise_mutant(cell: CellName, found: Tally, violated: Collection[CellName]) -> MutantSummary:
    refuted = found.counts["violated"] and replace(cell, mutant="") not in violated
    status: Status = "refuted" if refuted else "error" if found.counts["error"] else "survived"
    return MutantSummary(claim=cell.claim, mutant=cell.mutant, status=status, worst=found.worst, cell=cell)


def _wrong_constant(record: Record) -> str:
    """One line; what is measured need not be the constant itself, so the ratio says how far off that is."""
    found = "" if record.measured is None or record.bound is None else f": {record.measured:.6g} > {record.bound:.6g}"
    times = (
        "" if record.tightness is None or math.isinf(record.tightness) else f", {record.tightness:.4g} times as much"
    )
    return f"{record.problem}: the audit refuted the constant {record.label}{found}{times}"


class Entry(Protocol):
    """A claim, or its summary."""

    @property
    def statement(self) -> str:
        """The statement that it belongs to."""

    @property
    def source(self) -> Source:
        """Of the paper, or own."""


T = TypeVar("T", bound=Entry)


def grouped(entries: Iterable[T]) -> dict[str, list[T]]:
    """Claims, or their summaries, by statement: the paper's in its order, its neighbours, then others as they come.

    Within a statement, what the paper says comes before what is our own.
    """
    groups: dict[str, list[T]] = {name: [] for name in (*STATEMENTS, *NEIGHBOURS)}
    for entry in sorted(entries, key=lambda entry: entry.source.own):
        groups.setdefault(entry.statement, []).append(entry)
    return {name: group for name, group in groups.items() if group}
