"""The report of a run: one self-contained HTML page."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from verify.claim import Claim, claims
from verify.reporting.ledger import ClaimSummary, Summary, worst
from verify.reporting.mathematics import mathematics
from verify.reporting.summary_files import number
from verify.running.records import Record
from verify.running.store import write_text

REPORT = "report.html"
TEMPLATES = Path(__file__).with_name("templates")


@dataclass(frozen=True)
class Entry:
    """One claim on the page.

    Attributes
    ----------
    summary : what the run found about it.
    claim : the claim itself; None where this version no longer has it.
    worst_by_problem : the check that says most, for each problem where any was judged.
    silent : checks that are no evidence, one for each distinct reason: vacuous, inapplicable, error.
    points : (N, tightness) of the largest ratio at each N, for the small chart.
    """

    summary: ClaimSummary
    claim: Claim | None
    worst_by_problem: dict[str, Record]
    silent: tuple[Record, ...]
    points: tuple[tuple[int, float], ...]


def write_report(directory: Path, summary: Summary, records: Sequence[Record]) -> Path:
    """Write `report.html` into `directory` and return its path; raises RunError where it cannot.

    The page needs no network. All text goes through the template's escaping, whoever wrote it.
    """
    path = directory / REPORT
    write_text(path, render(summary, records))
    return path


def render(summary: Summary, records: Sequence[Record]) -> str:
    """Return the page of a run without mutants."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined
    from markupsafe import Markup

    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["mathematics"] = lambda text: Markup(mathematics(text))
    environment.filters["number"] = number
    environment.filters["witness"] = witness
    environment.filters["percent"] = lambda tightness: f"{100 * min(max(tightness, 0.0), 1.0):.1f}%"
    groups = {name: [_entry(claim, records) for claim in group] for name, group in summary.statements.items()}
    judged = {problem for group in groups.values() for entry in group for problem in entry.worst_by_problem}
    return environment.get_template("report.html").render(
        summary=summary,
        groups=groups,
        problems=sorted(judged),
        profile=summary.header.settings.get("profile", ""),
        seed=summary.header.settings.get("seed", ""),
        errors=[record for record in records if record.verdict == "error"],
        chart=lambda points: Markup(chart(points)),
    )


def _entry(summary: ClaimSummary, records: Iterable[Record]) -> Entry:
    mine = [record for record in records if record.claim == summary.claim]
    by_problem = {
        problem: worst(r for r in mine if r.problem == problem) for problem in sorted({r.problem for r in mine})
    }
    largest: dict[int, float] = {}
    for record in mine:
        if record.tightness is not None and math.isfinite(record.tightness) and record.verdict in ("holds", "violated"):
            largest[record.N] = max(record.tightness, largest.get(record.N, 0.0))
    reasons = {(r.verdict, r.note): r for r in mine if r.verdict in ("vacuous", "inapplicable", "error")}
    return Entry(
        summary,
        claims().get(summary.claim),
        {problem: record for problem, record in by_problem.items() if record is not None},
        tuple(reasons.values()),
        tuple(sorted(largest.items())),
    )


WITNESS_SHOWN = 400


def witness(values: Mapping[str, Any]) -> str:
    """What replays a check, in one line of text that is cut where it is long: the record has it in full.

    >>> witness({"w": [1 / 3, [2.0]], "S": 4})
    'w = [0.333333, [2]], S = 4'
    """
    text = ", ".join(f"{name} = {_plain(value)}" for name, value in values.items())
    return text if len(text) <= WITNESS_SHOWN else f"{text[:WITNESS_SHOWN]}…"


def _plain(value: Any) -> str:
    if isinstance(value, list):
        return f"[{', '.join(map(_plain, value))}]"
    return f"{value:.6g}" if isinstance(value, float) else str(value)


WIDTH, HEIGHT, MARGIN = 120, 28, 4


def chart(points: Sequence[tuple[int, float]]) -> str:
    """Return a small SVG chart of tightness (0 to 1) against the rank of N; "" for fewer than two points."""
    if len(points) < 2:
        return ""
    step = (WIDTH - 2 * MARGIN) / (len(points) - 1)
    at = [
        (MARGIN + i * step, MARGIN + (HEIGHT - 2 * MARGIN) * (1 - min(max(y, 0.0), 1.0)))
        for i, (_, y) in enumerate(points)
    ]
    title = ", ".join(f"N = {N}: {y:.3g}" for N, y in points)
    line = " ".join(f"{x:.1f},{y:.1f}" for x, y in at)
    dots = "".join(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="2"/>' for x, y in at)
    return (
        f'<svg class="chart" viewBox="0 0 {WIDTH} {HEIGHT}" role="img"><title>{title}</title>'
        f'<path class="one" d="M{MARGIN},{MARGIN}H{WIDTH - MARGIN}"/><polyline points="{line}"/>{dots}</svg>'
    )
