"""What a run evaluates next: nothing of a problem before its audit, long cells first, short ones together."""

from __future__ import annotations

import math
from bisect import insort
from collections import Counter, defaultdict
from collections.abc import Iterable

from verify.running.evaluation import stamp
from verify.running.records import Job, Record

CHUNK_SECONDS = 0.05


class Gate:
    """Holds the cells of a problem back until its audits are over, and for good where one refuted a constant."""

    def __init__(self, jobs: Iterable[Job], done: Iterable[Record]) -> None:
        self._pending = Counter(job.problem for job in jobs if job.is_audit)
        self._refuted: dict[str, list[str]] = defaultdict(list)
        self._held: dict[str, list[Job]] = defaultdict(list)
        for record in done:
            self._note(record)

    def _note(self, record: Record) -> None:
        if not record.is_audit or record.mutant:
            return
        if record.verdict == "violated":
            self._refuted[record.problem].append(record.label)
        elif record.verdict == "inconclusive" and record.label in record.estimated:
            self._refuted[record.problem].append(f"{record.label} (which is an estimate)")

    def admit(self, jobs: Iterable[Job]) -> tuple[list[Job], list[list[Record]]]:
        """Return the cells that may be evaluated now, and the records of those that never will."""
        ready: list[Job] = []
        blocked: list[list[Record]] = []
        for job in jobs:
            if job.is_audit or not (self._pending[job.problem] or self._refuted[job.problem]):
                ready.append(job)
            elif self._pending[job.problem]:
                self._held[job.problem].append(job)
            else:
                note = f"the audit refuted the constant {', '.join(dict.fromkeys(self._refuted[job.problem]))}"
                blocked.append(stamp(job, [{"verdict": "inapplicable", "note": note}]))
        return ready, blocked

    def learn(self, job: Job, records: Iterable[Record]) -> list[Job]:
        """Take note of a cell's outcome; returns cells that waited for it."""
        if not job.is_audit:
            return []
        for record in records:
            self._note(record)
        self._pending[job.problem] -= 1
        return [] if self._pending[job.problem] > 0 else self._held.pop(job.problem, [])


class Queue:
    """Cells that may be evaluated, taken by the time that they are expected to need.

    That is proportional to N + 1, at a rate that each claim shows as its cells come back. One cell of each claim comes
    first; until it is back, its others count as infinitely long. The order has no influence on any result.
    """

    def __init__(self) -> None:
        self._ready: dict[str, list[Job]] = {}
        self._tried: set[str] = set()
        self._rate: dict[str, float] = {}

    def __bool__(self) -> bool:
        return bool(self._ready)

    def add(self, jobs: Iterable[Job]) -> None:
        """Put cells in."""
        for job in jobs:
            insort(self._ready.setdefault(job.claim, []), job, key=lambda job: job.N)

    def take(self) -> list[Job]:
        """Take the longest cell out, with more of the same claim where they are short."""
        claim = max(self._ready, key=self._urgency)
        self._tried.add(claim)
        cells = self._ready[claim]
        chunk = [cells.pop()]
        time = self._seconds(chunk[0])
        while cells and (time := time + self._seconds(cells[-1])) <= CHUNK_SECONDS:
            chunk.append(cells.pop())
        if not cells:
            del self._ready[claim]
        return chunk

    def learn(self, job: Job, seconds: float) -> None:
        """Take note of the time that a cell took."""
        rate = seconds / (job.N + 1)
        self._rate[job.claim] = (self._rate.get(job.claim, rate) + rate) / 2

    def _urgency(self, claim: str) -> tuple[bool, float, int]:
        longest = self._ready[claim][-1]
        return claim not in self._tried, self._seconds(longest), longest.N

    def _seconds(self, job: Job) -> float:
        return self._rate.get(job.claim, math.inf) * (job.N + 1)
