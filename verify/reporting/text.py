"""What `list` and `explain` print: plain text."""

from __future__ import annotations

import os
import shutil
import textwrap
from pathlib import Path

from problems.registry import families
from theory.validation import printable
from verify.claim import WHOSE, claims
from verify.reporting.ledger import VERDICTS, ClaimSummary, grouped, summarise
from verify.reporting.summary_files import ratio
from verify.running.records import RECORDS, Run, read

NAME_WIDTH = 32


def ledger(out: Path) -> str:
    """Each statement and its claims, with verdicts and the tightest check where `out` holds records."""
    run = _results(out)
    found = {} if run is None else {claim.claim: claim for claim in summarise(run.header, run.records).claims}
    lines = [printable(f"Results of {out / RECORDS}" if found else f"No results in {out} yet: python -m verify")]
    lines += [line for text in WHOSE for line in textwrap.wrap(text, 100)]
    if run is not None and run.torn:
        lines.append("note: its torn last line was dropped")
    for statement, group in grouped(claims().values()).items():
        lines += ["", statement]
        for claim in group:
            below = [claim.listed, *([_result(found[claim.name])] if claim.name in found else [])]
            # A name that is too long for its column has its line to itself.
            first = [] if len(claim.name) > NAME_WIDTH else [below.pop(0)]
            lines.append("  ".join([f"  {claim.name:<{NAME_WIDTH}}", *first]).rstrip())
            lines += [f"{'':<{NAME_WIDTH + 4}}{line}" for line in below]
    return "\n".join(lines)


def _results(out: Path) -> Run | None:
    """Records in a results directory, None where there are none; raises ValueError where they cannot be read."""
    path = out / RECORDS
    try:
        path.lstat()
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise ValueError(f"cannot read {path}: {os.strerror(error.errno or 0)}") from error
    return read(path)


def _result(claim: ClaimSummary) -> str:
    checks = ", ".join(f"{claim.checks[verdict]} {verdict}" for verdict in VERDICTS if verdict in claim.checks)
    if claim.worst is None:
        return checks
    return f"{checks}; tightest {ratio(claim.worst.tightness)} on {claim.worst.where}"


def problems() -> str:
    """Return the registered problems, one a line."""
    return "\n".join(f"{f.name:<30} {f.case:<11} {f.role:<9} {f.summary}" for f in families().values())


def explain(name: str) -> str:
    """Everything about a claim."""
    claim = claims()[name]
    width = min(shutil.get_terminal_size((100, 24)).columns, 100)
    steps = "those of the profile" if claim.inner_steps is None else ", ".join(map(str, claim.inner_steps))
    where = "the ordinary problems" if claim.problems is None else ", ".join(claim.problems)
    entries = {
        "Claim": claim.name,
        "Source": claim.source.text,
        "Says": claim.says,
        "Assumes": "; ".join(claim.assumes) or "nothing",
        "Measured": claim.measured,
        "Standing": claim.standing or "as the claim that it belongs to",
        "Sharp": claim.sharpness,
        "Cases": ", ".join(sorted(claim.cases)),
        "Needs": ", ".join(claim.needs) or "no constant beyond L",
        "Problems": ", ".join((where, *claim.instances)),
        "Stepsizes": ", ".join(claim.at),
        "Inner steps": steps,
    }
    lines = [f"{claim.statement}: {claim.title}", ""]
    for label, text in entries.items():
        lines += textwrap.wrap(text, width, initial_indent=f"{label:<12} ", subsequent_indent=" " * 13)
    lines += ["", "Mutants, each refuted by the suite where it says:"]
    lines += [f"  {mutant.name}: {mutant.on}, N = {mutant.N}, {mutant.rule}" for mutant in claim.mutants]
    return "\n".join(lines)
