"""What a run says of a user's claim, in words: refuted, where and how to see it again, or not refuted, and how near."""

from __future__ import annotations

import math
import os
import shlex
from pathlib import Path

from verify.claim import find
from verify.reporting.tally import Tally, beside_ledger
from verify.running.records import Record


def answer(name: str, found: Tally) -> str:
    """Return what was found of the claim `name`.

    "" for a claim of the suite itself, for an audit of constants, and where none was judged.
    """
    if not _is_users(name, found):
        return ""
    worst = found.worst
    if worst is not None and worst.verdict == "violated":
        return f"{name}: refuted by {worst.where}: {_numbers(worst)}{_beside(worst)}; again: {command(worst)}"
    if first := found.first.get("error") or found.first.get("inconclusive"):
        open_ones = found.counts["error"] + found.counts["inconclusive"]
        count = f"{open_ones} of {found.counts.total()} checks are {first.verdict}"
        return f"{name}: open, {count}, on {first.where} for one; again: {command(first)}"
    if worst is None:
        return ""
    tightest = found.tightest
    if tightest is None:
        return f"{name}: not refuted, but the same as the ledger's bound in all {found.judged} checks"
    ratio = f"{tightest.tightness or 0.0:.4g}"
    return f"{name}: not refuted in {found.judged} checks; tightest {ratio} on {tightest.where}{_beside(tightest)}"


def _is_users(name: str, found: Tally) -> bool:
    """Whether a claim is a bound of a user: the claim itself tells, or its records where it is not loaded here."""
    if known := find(name):
        return not (known.ours or known.audit)
    return found.of_a_user


def _numbers(record: Record) -> str:
    measured, bound = record.measured or 0.0, record.bound or 0.0  # a judged check has both
    return f"{measured:.6g} {'falls short of' if measured < bound else '>'} {bound:.6g}"


def _beside(record: Record) -> str:
    """How the bound compares to the ledger's there, in words."""
    ratio = beside_ledger(record)
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
