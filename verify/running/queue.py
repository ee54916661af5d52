"""What a run evaluates next: nothing of a problem before its audit, long cells first, short ones together."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterable
from itertools import accumulate, takewhile

from verify.claim import find
from verify.running.evaluation import stamp
from verify.running.records import CellName, Record

CHUNK_SECONDS, GROUP_SECONDS = 0.05, 2.0


class Gate:
    """Holds the cells of a problem back until its audits are over, and for good where one refuted a constant."""

    def __init__(self, cells: Iterable[CellName], done: Iterable[Record]) -> None:
        self._pending = Counter(cell.problem for cell in cells if cell.is_audit)
        self._refuted: dict[str, list[str]] = defaultdict(list)
        self._too_small: dict[str, list[str]] = defaultdict(list)
        self._held: dict[str, list[CellName]] = defaultdict(list)
        for record in done:
            self._note(record)

    def _note(self, record: Record) -> None:
        if not record.is_audit or record.mutant:
            return
        if record.verdict == "violated":
            self._refuted[record.problem].append(record.label)
        elif record.verdict == "inconclusive" and record.label in record.estimated:
            self._too_small[record.problem].append(record.label)

    def admit(self, cells: Iterable[CellName]) -> tuple[list[CellName], list[list[Record]]]:
        """Return the cells that may be evaluated now, and the records of those that never will."""
        ready: list[CellName] = []
        blocked: list[list[Record]] = []
        for cell in cells:
            if cell.is_audit or not (self._pending[cell.problem] or self._wrong(cell.problem)):
                ready.append(cell)
            elif self._pending[cell.problem]:
                self._held[cell.problem].append(cell)
            else:
                blocked.append(stamp(cell, [{"verdict": "inapplicable", "note": self._wrong(cell.problem)}]))
        return ready, blocked

    def _wrong(self, problem: str) -> str:
        """What is wrong with the constants of a problem, or ""."""
        refuted, too_small = (", ".join(dict.fromkeys(names[problem])) for names in (self._refuted, self._too_small))
        if refuted:
            return f"the audit refuted the constant {refuted}"
        return f"the estimate of {too_small} is too small" if too_small else ""

    def learn(self, cell: CellName, records: Iterable[Record]) -> list[CellName]:
        """Take note of a cell's outcome; returns cells that waited for it."""
        if not cell.is_audit:
            return []
        for record in records:
            self._note(record)
        self._pending[cell.problem] -= 1
        return [] if self._pending[cell.problem] > 0 else self._held.pop(cell.problem, [])


class Queue:
    """Cells that may be evaluated, taken by the time that they are expected to need.

    Claims of one statement share runs, samples and expectations at one problem, N and stepsize rule, within a process:
    these cells are a group, which is taken together unless it is long.

    The time of a cell is taken as proportional to N + 1, at a rate that is learnt for each claim from the cells that
    come back. One cell of each claim goes first; until it is back, the others of that claim are assumed to be the
    longest of all. The order has no influence on any result.
    """

    def __init__(self) -> None:
        self._ready: dict[str, list[list[CellName]]] = {}
        self._tried: set[str] = set()
        self._rate: dict[str, float] = {}

    def __bool__(self) -> bool:
        return bool(self._ready)

    def add(self, cells: Iterable[CellName]) -> None:
        """Put cells in."""
        groups = defaultdict[tuple[str, str, int, str], list[CellName]](list)
        for cell in cells:
            made = find(cell.claim)
            statement = made.statement if made else cell.claim
            groups[statement, cell.problem_spec, cell.N, cell.rule].append(cell)
        for (statement, _, _, _), group in groups.items():
            self._ready.setdefault(statement, []).append(group)
        for statement in {statement for statement, _, _, _ in groups}:
            self._ready[statement].sort(key=lambda group: group[0].N)

    def take(self) -> list[CellName]:
        """Take the longest group out, with more of the same statement where they are short; of a long one, a part."""
        statement = max(self._ready, key=self._urgency)
        groups = self._ready[statement]
        chunk, rest = self._part(groups.pop())
        if rest:
            groups.append(rest)
        time = self._seconds(chunk)
        while groups and (time := time + self._seconds(groups[-1])) <= CHUNK_SECONDS:
            chunk.extend(groups.pop())
        if not groups:
            del self._ready[statement]
        self._tried.update(cell.claim for cell in chunk)
        return chunk

    def learn(self, cell: CellName, seconds: float) -> None:
        """Take note of the time that a cell took."""
        rate = seconds / (cell.N + 1)
        self._rate[cell.claim] = (self._rate.get(cell.claim, rate) + rate) / 2

    def _part(self, group: list[CellName]) -> tuple[list[CellName], list[CellName]]:
        """As many cells of a group as are expected to take `GROUP_SECONDS` together, at least one; and the others."""
        times = accumulate(self._seconds([cell]) for cell in group)
        count = max(1, sum(1 for _ in takewhile(lambda time: time <= GROUP_SECONDS, times)))
        return group[:count], group[count:]

    def _urgency(self, statement: str) -> tuple[bool, float, int]:
        longest = self._ready[statement][-1]
        untried = any(cell.claim not in self._tried for cell in longest)
        return untried, self._seconds(longest), longest[0].N

    def _seconds(self, cells: Iterable[CellName]) -> float:
        return sum(self._rate.get(cell.claim, math.inf) * (cell.N + 1) for cell in cells)
