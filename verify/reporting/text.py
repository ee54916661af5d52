"""What `list` prints: plain text."""

from __future__ import annotations

import os
import shutil
import textwrap
from collections.abc import Iterable
from pathlib import Path

from problems.registry import families
from theory.validation import printable
from verify.claim import WHOSE, claims
from verify.reporting.book import place
from verify.reporting.ledger import ClaimSummary, Summary, grouped, summarise
from verify.reporting.summary_files import ratio
from verify.reporting.tally import VERDICTS
from verify.running.records import RECORDS, reading
from verify.statements import NEIGHBOURS_TITLE, first_neighbour

WIDTH, NAME_WIDTH, LEAST = 100, 36, 24
"""Columns of the whole where there is no terminal, of a name, and that a text has at least."""


def ledger(out: Path) -> str:
    """Each statement and its claims, with verdicts and the tightest check where `out` holds records."""
    summary, torn = _results(out)
    found = {claim.claim: claim for claim in summary.claims} if summary else {}
    lines = [printable(f"Results of {out / RECORDS}" if found else f"No results in {out} yet: python -m verify")]
    lines += [line for text in WHOSE for line in textwrap.wrap(text, max(_width(), LEAST))]
    if torn:
        lines.append("note: its torn last line was dropped")
    statements = grouped(claims().values())
    second = first_neighbour(statements)
    for statement, group in statements.items():
        lines += ["", *([NEIGHBOURS_TITLE, ""] if statement == second else []), statement]
        for claim in group:
            result = _result(found[claim.name]) if claim.name in found else ""
            lines += _listed(f"  {claim.name}", [claim.listed, result], NAME_WIDTH)
            lines += [f"    {proof}" for proof in [place("claim", claim.name)] if proof]
    return "\n".join(lines)


def _width() -> int:
    return min(shutil.get_terminal_size((WIDTH, 24)).columns, WIDTH)


def _listed(name: str, below: Iterable[str], indent: int) -> list[str]:
    """Return a name and texts beside it, each wrapped; a name that is too long has its line to itself."""
    width = max(_width(), indent + LEAST)
    lines = [line for text in below for line in textwrap.wrap(text, width - indent, break_on_hyphens=False)]
    first = lines.pop(0) if lines and len(name) <= indent - 2 else ""
    return [f"{name:<{indent}}{first}".rstrip(), *(" " * indent + line for line in lines)]


def _results(out: Path) -> tuple[Summary | None, bool]:
    """Summary of the records in a results directory, None where there are none, and whether the last line was torn.

    Raises ValueError where they cannot be read.
    """
    path = out / RECORDS
    try:
        path.lstat()
    except (FileNotFoundError, NotADirectoryError):
        return None, False
    except OSError as error:
        raise ValueError(f"cannot read {path}: {os.strerror(error.errno or 0)}") from error
    with reading(path) as stream:
        return summarise(stream.header, stream), stream.torn


def _result(claim: ClaimSummary) -> str:
    checks = ", ".join(f"{claim.checks[verdict]} {verdict}" for verdict in VERDICTS if verdict in claim.checks)
    if claim.worst is None:
        return checks
    return f"{checks}; tightest {ratio(claim.worst.tightness)} on {claim.worst.where}"


def problems() -> str:
    """Return the registered problems."""
    return "\n".join(
        line
        for known in families().values()
        for line in _listed(known.name, [f"{known.case}, {known.role}: {known.summary}"], NAME_WIDTH)
    )
