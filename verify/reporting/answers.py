"""What a run says of a user's claim, in words: refuted, where and how to see it again, or not refuted, and how near."""

from __future__ import annotations

import math
import os
import shlex
from collections.abc import Collection
from pathlib import Path

from verify.claim import find
from verify.own_bound import LEDGER
from verify.running.records import Record, worst
from verify.verdict import JUDGED

SAME = 1e-12
"""Relative difference up to which two bounds are one: rounding."""


def answer(records: Collection[Record]) -> str:
    """Return what the records of one claim say of it.

    "" for a claim of the suite itself, for an audit of constants, and where none was judged.
    """
    name = next(iter(records)).claim
    if not _is_users(name, records):
        return ""
    open_ones = [record for record in records if record.verdict in ("error", "inconclusive")]
    judged = [record for record in records if record.verdict in JUDGED]
    found = worst(judged)
    if found is not None and found.verdict == "violated":
        return f"{name}: refuted by {found.where}: {_numbers(found)}{_beside(found)}; again: {command(found)}"
    if open_ones:
        first = min(open_ones, key=lambda record: record.verdict != "error")
        count = f"{len(open_ones)} of {len(records)} checks are {first.verdict}"
        return f"{name}: open, {count}, on {first.where} for one; again: {command(first)}"
    if found is None:
        return ""
    tightest = worst(record for record in judged if _differs(record) and not record.only_rounding)
    if tightest is None:
        return f"{name}: not refuted, but the same as the ledger's bound in all {len(judged)} checks"
    ratio = f"{tightest.tightness or 0.0:.4g}"
    return f"{name}: not refuted in {len(judged)} checks; tightest {ratio} on {tightest.where}{_beside(tightest)}"


def _is_users(name: str, records: Collection[Record]) -> bool:
    """Whether a claim is a bound of a user: the claim itself tells, or its records where it is not loaded here."""
    if known := find(name):
        return not (known.ours or known.audit)
    return any(record.claim_spec or LEDGER in record.witness for record in records)


def _numbers(record: Record) -> str:
    measured, bound = record.measured or 0.0, record.bound or 0.0  # a judged check has both
    return f"{measured:.6g} {'falls short of' if measured < bound else '>'} {bound:.6g}"


def _ratio(record: Record) -> float:
    """Bound over that of the ledger; NaN where this is not known or says nothing."""
    ledgers = record.witness.get(LEDGER)
    if not isinstance(ledgers, int | float) or not 0 < ledgers < math.inf or record.bound is None:
        return math.nan
    return record.bound / ledgers


def _differs(record: Record) -> bool:
    """Whether the bound is not the ledger's, as far as is known."""
    return not abs(_ratio(record) - 1) <= SAME


def _beside(record: Record) -> str:
    """How the bound compares to the ledger's there, in words."""
    ratio = _ratio(record)
    if math.isnan(ratio):
        return ""
    return f", {100 * abs(1 - ratio):.3g} % {'below' if ratio < 1 else 'above'} the ledger's bound there"


def command(record: Record) -> str:
    """Return the command that makes a check again, and as little else as there is."""
    return run_again(
        record.claim, record.claim_spec, record.problem_spec, record.N, profile=record.profile, seed=record.seed
    )


def run_again(claim: str, claim_spec: str, problem: str, N: int, **options: object) -> str:
    """Return the command that examines a claim on a problem at N inner steps, with other options of a run."""
    chosen = {
        "claim": f"{_near(claim_spec)}{claim.replace(' ', '_')}",
        "problem": _near(problem),
        "inner-steps": N,
        **options,
        "out": "again",
    }
    words = [text for name, value in chosen.items() for text in (f"--{name}", str(value))]
    return shlex.join(["python", "-m", "verify", "run", *words])


def _near(spec: str) -> str:
    """A spec by the shorter name that its file has from the working directory."""
    here = str(Path.cwd()) + os.sep
    return spec.removeprefix(here)
