"""The report of a run: one self-contained HTML page."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from problems.registry import families
from verify.claim import Claim, find
from verify.reporting.book import address, place
from verify.reporting.compare import Comparison
from verify.reporting.ledger import ClaimSummary, Summary
from verify.reporting.mathematics import mathematics
from verify.reporting.plot import by_steps, plot
from verify.reporting.summary_files import number, ratio
from verify.running.records import Record, plain, worst
from verify.running.store import write_text
from verify.statements import NEIGHBOURS_TITLE, first_neighbour

REPORT = "report.html"
TEMPLATES = Path(__file__).with_name("templates")
COLUMNS = (
    *("claim", "problem", "spec", "N", "rule", "label", "measured", "lower", "upper", "bound", "slack"),
    *("tightness", "method", "samples", "verdict", "note", "index", "rounding", "claim_spec"),
)
"""What the page knows of each check, in the order of its CSV file."""


@dataclass(frozen=True)
class Entry:
    """One claim on the page.

    Attributes
    ----------
    summary : what the run found about it.
    about : terms with their text; none for a claim that this version no longer has.
    worst_by_problem : the check that says most, for each problem where any was judged.
    plot : SVG of measured value and bound against N, or "".
    """

    summary: ClaimSummary
    about: tuple[tuple[str, str], ...]
    worst_by_problem: dict[str, Record]
    plot: str


@dataclass(frozen=True)
class Column:
    """A problem of the page: its name, and the set of problems that it is shown with."""

    name: str
    kind: str


def write_report(
    directory: Path,
    summary: Summary,
    records: Sequence[Record],
    comparison: Comparison | None = None,
    against: str = "",
    book: str = "",
) -> Path:
    """Write `report.html` into `directory` and return its path; raises RunError where it cannot.

    With a `comparison` the page tells how the run differs from the one that `against` names. It links to the proofs in
    the built book at the address `book`, or in the checkout. The page needs no network. All text goes through the
    template's escaping, whoever wrote it.
    """
    path = directory / REPORT
    proofs = {claim.claim: address("claim", claim.claim, directory, book) for claim in summary.claims}
    write_text(path, render(summary, records, comparison, against, proofs))
    return path


def render(
    summary: Summary,
    records: Sequence[Record],
    comparison: Comparison | None = None,
    against: str = "",
    proofs: Mapping[str, str] | None = None,
) -> str:
    """Return the page of a run; `proofs` are addresses by claim."""
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
    environment.filters["ratio"] = lambda record: "rounding" if record.only_rounding else ratio(record.tightness)
    environment.filters["share"] = share
    environment.filters["setting"] = _setting
    environment.filters["place"] = lambda claim: place("claim", claim)
    environment.filters["witness"] = witness
    environment.filters["svg"] = Markup  # made by us, of numbers only
    environment.filters["percent"] = lambda tightness: f"{100 * min(max(tightness, 0.0), 1.0):.1f}%"
    of_claim: dict[str, list[Record]] = {}
    for record in records:
        of_claim.setdefault(record.claim, []).append(record)
    groups = {
        name: [_entry(claim, of_claim[claim.claim]) for claim in group] for name, group in summary.statements.items()
    }
    judged = {problem for group in groups.values() for entry in group for problem in entry.worst_by_problem}
    settings = summary.header.settings
    return environment.get_template("report.html").render(
        summary=summary,
        records=records,
        groups=groups,
        second=first_neighbour(groups),
        second_title=NEIGHBOURS_TITLE,
        problems=[Column(name, _kind(name)) for name in sorted(judged)],
        profile=settings.get("profile", ""),
        seed=settings.get("seed", ""),
        errors=[record for record in records if record.verdict == "error"],
        comparison=comparison,
        against=against,
        proofs=proofs or {},
        checks={
            "columns": COLUMNS,
            "rows": [_row(record) for record in records],
            "profile": settings.get("profile", ""),
            "seed": settings.get("seed", ""),
        },
    )


def _entry(summary: ClaimSummary, records: Sequence[Record]) -> Entry:
    claim = find(summary.claim)
    by_problem = {
        problem: worst(r for r in records if r.problem == problem) for problem in sorted({r.problem for r in records})
    }
    shown = summary.worst.problem if summary.worst else ""
    return Entry(
        summary,
        tuple(_about(claim, summary)) if claim else (),
        {problem: record for problem, record in by_problem.items() if record is not None},
        plot(by_steps(r for r in records if r.problem == shown and not r.only_rounding)),
    )


def _about(claim: Claim, summary: ClaimSummary) -> Iterator[tuple[str, str]]:
    if claim.answers:
        yield "answers", claim.answers
    yield "source", claim.source.text
    if claim.standing:
        yield "standing", claim.standing
    yield "assumptions", "; ".join(claim.assumes) or "none"
    yield "measured", claim.measured
    yield "attained", claim.sharpness
    yield "mutants", "; ".join(f"{mutant.name} ({mutant.on})" for mutant in claim.mutants) or "none"
    yield "time", f"{summary.seconds:.2f} s"


def _kind(problem: str) -> str:
    """The set of problems that a column of the heat map stands with."""
    known = families().get(problem)
    if known is None:
        return "yours"
    return f"{known.role}, {known.case}"


def _row(record: Record) -> list[Any]:
    values = {name: getattr(record, name) for name in COLUMNS if name not in ("spec", "rounding")}
    values |= {"spec": record.problem_spec, "rounding": record.only_rounding}
    return [plain(values[name]) for name in COLUMNS]


def share(record: Record) -> float | None:
    """Measured over bound as far as it says something; None where it does not."""
    if record.tightness is None or math.isinf(record.tightness) or record.only_rounding:
        return None
    return record.tightness


def _setting(value: Any) -> str:
    """A setting of the run as people say it.

    >>> _setting([]), _setting([1, 2]), _setting({"file mine.py": "a1"}), _setting(False)
    ('all', '1, 2', 'file mine.py: a1', 'no')
    """
    if isinstance(value, dict):
        return ", ".join(f"{name}: {item}" for name, item in value.items()) or "none"
    if isinstance(value, list):
        return ", ".join(map(str, value)) or "all"
    return {True: "yes", False: "no"}[value] if isinstance(value, bool) else str(value)


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
