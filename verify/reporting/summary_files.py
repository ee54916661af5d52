"""The summary of a run as files: `summary.json` for programs, `summary.md` for a CI job's page."""

from __future__ import annotations

import json
from dataclasses import asdict
from itertools import chain
from pathlib import Path
from typing import Any

from verify.reporting.ledger import Summary
from verify.running.records import Record, plain
from verify.running.store import write_text


def write_summary(directory: Path, summary: Summary, stem: str = "summary") -> None:
    """Write `summary.json` and `summary.md`, or another stem; raises RunError where it cannot."""
    values = {**plain(_as_dict(summary)), "exit_code": summary.exit_code}
    write_text(directory / f"{stem}.json", json.dumps(values, indent=1, ensure_ascii=False, allow_nan=False) + "\n")
    write_text(directory / f"{stem}.md", markdown(summary))


def _as_dict(summary: Summary) -> dict[str, Any]:
    values = asdict(summary)
    for claim, made in zip(values["claims"], summary.claims, strict=True):
        claim["verdict"] = made.verdict
    return values


def markdown(summary: Summary) -> str:
    """Summary of a run for a CI job's page."""
    total = ", ".join(f"{count} {verdict}" for verdict, count in summary.verdicts.items()) or "no checks"
    lines = [f"**{total}** in {summary.seconds:.0f} s", ""]
    if summary.wrong_constants:
        lines += [*(f"- wrong constant: {_cell(line)}" for line in summary.wrong_constants), ""]
    lines += ["| claim | verdict | checks | measured | bound | tightness | where |", "|---|---|--:|--:|--:|--:|---|"]
    for claim in chain.from_iterable(summary.statements.values()):
        checks = ", ".join(f"{count} {verdict}" for verdict, count in claim.checks.items())
        numbers = figures(claim.worst)
        where = claim.worst.where if claim.worst else claim.reason
        lines.append(f"| {' | '.join(map(_cell, (claim.claim, claim.verdict, checks, *numbers, where)))} |")
    if summary.mutants:
        lines += ["", "| claim | mutant | problem | tightness | |", "|---|---|---|--:|---|"]
        for mutant in summary.mutants:
            row = (mutant.claim, mutant.mutant, mutant.cell.problem, figures(mutant.worst)[-1], mutant.status)
            lines.append(f"| {' | '.join(map(_cell, row))} |")
    return "\n".join(lines) + "\n"


def figures(worst: Record | None) -> tuple[str, str, str]:
    """Measured value, bound and tightness of a check for a table."""
    if worst is None:
        return "", "", ""
    return number(worst.measured), number(worst.bound), ratio(worst.tightness)


def number(value: float | None) -> str:
    """A number for a table: four digits, or "" where there is none."""
    return "" if value is None else f"{value:.4g}"


def ratio(value: float | None) -> str:
    """A tightness for a table: four decimals, as far as these say something."""
    return f"{value:.4f}" if value is not None and 1e-3 <= abs(value) < 1e4 else number(value)


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|").replace("<", "&lt;")
