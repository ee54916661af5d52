"""What is kept of the records of a claim, or of a mutant's cell, as they pass by: a run may be larger than memory."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass, field
from typing import get_args

from verify.own_bound import LEDGER
from verify.running.records import Record, rank
from verify.verdict import JUDGED, Verdict

VERDICTS: tuple[Verdict, ...] = get_args(Verdict)
SAME = 1e-12
"""Relative difference up to which two bounds are one: rounding."""


@dataclass
class Tally:
    """What is kept of some records.

    Attributes
    ----------
    counts : number of checks of each verdict.
    worst : of those that were judged; see `rank`.
    tightest : the worst of those whose bound is not the ledger's, as far as is known, and that measure more than
        rounding.
    first : the first of each verdict.
    reasons : number of checks that are no evidence, by verdict and note.
    seconds : time of them all.
    estimated : whether any, other than an inapplicable one, rests on estimated constants.
    of_a_user : whether any is of a bound of a user.
    """

    counts: Counter[Verdict] = field(default_factory=Counter)
    worst: Record | None = None
    tightest: Record | None = None
    first: dict[Verdict, Record] = field(default_factory=dict)
    reasons: Counter[tuple[Verdict, str]] = field(default_factory=Counter)
    seconds: float = 0.0
    estimated: bool = False
    of_a_user: bool = False

    def take(self, record: Record) -> None:
        """Count one more."""
        self.counts[record.verdict] += 1
        self.first.setdefault(record.verdict, record)
        self.seconds += record.seconds
        self.estimated |= bool(record.estimated) and record.verdict != "inapplicable"
        self.of_a_user |= bool(record.claim_spec) or LEDGER in record.witness
        if record.verdict not in JUDGED:
            self.reasons[record.verdict, record.note] += 1
            return
        self.worst = _worse(self.worst, record)
        if not record.only_rounding and not abs(beside_ledger(record) - 1) <= SAME:
            self.tightest = _worse(self.tightest, record)

    @property
    def judged(self) -> int:
        """Number of checks that were judged."""
        return sum(self.counts[verdict] for verdict in JUDGED)

    @property
    def reason(self) -> str:
        """Verdict and note of the first error, or of the first check where none was judged; "" otherwise."""
        telling = self.first.get("error") or (None if self.judged else next(iter(self.first.values()), None))
        return f"{telling.verdict}: {telling.note}" if telling else ""


def in_order(counts: Counter[Verdict]) -> dict[Verdict, int]:
    """Numbers of checks of the verdicts that occur, in the order of `VERDICTS`."""
    return {verdict: counts[verdict] for verdict in VERDICTS if counts[verdict]}


def beside_ledger(record: Record) -> float:
    """Bound over that of the ledger; NaN where this is not known or says nothing."""
    ledgers = record.witness.get(LEDGER)
    if not isinstance(ledgers, int | float) or not 0 < ledgers < math.inf or record.bound is None:
        return math.nan
    return record.bound / ledgers


def _worse(known: Record | None, record: Record) -> Record:
    return record if known is None or rank(record) > rank(known) else known
