"""What a run shows: how far it is on standard error, a table on standard output."""

from __future__ import annotations

import shutil
import sys
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import groupby
from pathlib import Path

import click
from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from verify.reporting.ledger import ClaimSummary, MutantSummary, Summary
from verify.reporting.progress import meter
from verify.reporting.summary_files import figures
from verify.reporting.tally import VERDICTS
from verify.running.records import CellName, Record
from verify.statements import NEIGHBOURS_TITLE, first_neighbour
from verify.suite import Progress as Report
from verify.verdict import Verdict

PLAIN_WIDTH = 100
CLAIM_NUMBERS, MUTANT_NUMBERS = 36, 36
"""Columns that numbers and verdicts take, with the space between all."""
LEAST = 5
"""Columns that a name has at least."""
SHORT: Mapping[Verdict, str] = {
    "holds": "holds",
    "violated": "violated",
    "inconclusive": "unclear",
    "vacuous": "vac",
    "inapplicable": "n/a",
    "error": "error",
}
"""Verdicts as the table of a run has them."""
SHOWN = 4
NUMBERS = ("measured", "bound", "ratio")
COLOURS = {"violated": "bold red", "survived": "bold red", "error": "bold magenta", "inconclusive": "yellow"}


@contextmanager
def progress_bar() -> Iterator[Report]:
    """Show how far a run is, what it found so far, and which cells took longest."""
    counts: Counter[Verdict] = Counter()
    with meter("cells") as tell:

        def report(finished: int, total: int, records: Sequence[Record]) -> None:
            counts.update(record.verdict for record in records)
            took: dict[str, float] = defaultdict(float)
            for record in records:
                took[f"{record.claim} on {record.problem}, N = {record.N}"] += record.seconds
            tell(finished, total, took.items(), _counts(counts))

        yield report


def _counts(counts: Mapping[Verdict, int]) -> str:
    return ", ".join(f"{counts[verdict]} {verdict}" for verdict in VERDICTS if counts.get(verdict))


def show(summary: Summary, path: Path) -> None:
    """Print the table of a run, what is wrong line by line, and the outcome; a claim or a mutant has one line."""
    terminal = sys.stdout.isatty()
    width = shutil.get_terminal_size((PLAIN_WIDTH, 24)).columns
    console = Console() if terminal else Console(width=width, color_system=None)
    with console.capture() as table:
        mutants, width = summary.mutants, console.width
        console.print(_mutant_table(mutants, width) if mutants else _claim_table(summary.statements, width))
    for line in (*table.get().splitlines(), *_remarks(summary), _outcome(summary, path)):
        click.echo(line.rstrip())


def _claim_table(statements: Mapping[str, Sequence[ClaimSummary]], width: int) -> Table:
    others = [_others(claim) for claims in statements.values() for claim in claims]
    other = max([len("other"), *map(len, others)])
    names, places = _shares(width - CLAIM_NUMBERS - other)
    table = _table("claim", "holds", "other", *NUMBERS, "where")
    second = first_neighbour(statements)
    for statement, claims in statements.items():
        if statement == second:
            table.add_row("")
            table.add_row(Text(NEIGHBOURS_TITLE.partition(":")[0], style="bold"))
        table.add_row(Text(elided(statement, names), style="bold"))
        for claim in claims:
            worst = claim.worst
            table.add_row(
                "  " + elided(claim.claim, names - 2),
                f"{claim.checks.get('holds', 0)}{'*' if claim.estimated else ''}",
                Text(_others(claim), style=COLOURS.get(claim.verdict, "")),
                *figures(worst),
                _where(worst, places) if worst else "",
            )
    return table


def _mutant_table(mutants: Sequence[MutantSummary], width: int) -> Table:
    names, places = _shares(width - MUTANT_NUMBERS)
    table = _table("mutant", *NUMBERS, "where", "refuted")
    for claim, group in groupby(mutants, key=lambda mutant: mutant.claim):
        table.add_row(Text(elided(claim, names), style="bold"))
        for mutant in group:
            shown = {"refuted": "yes", "survived": "NO"}.get(mutant.status, mutant.status)
            table.add_row(
                "  " + elided(mutant.mutant, names - 2),
                *figures(mutant.worst),
                _where(mutant.cell, places),
                Text(shown, style=COLOURS.get(mutant.status, "")),
            )
    return table


def _shares(width: int) -> tuple[int, int]:
    """Columns of a name and of a place in what is left of a line."""
    name = max(round(0.6 * width), LEAST)
    return name, max(width - name, LEAST)


def _others(claim: ClaimSummary) -> str:
    """Numbers of the checks that do not hold, the verdicts in short."""
    return ", ".join(f"{count} {SHORT[verdict]}" for verdict, count in claim.checks.items() if verdict != "holds")


def _table(*columns: str) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False, padding=(0, 0))
    for name in columns:
        table.add_column(name, justify="right" if name in (*NUMBERS, "holds") else "left", no_wrap=True)
    return table


def _where(cell: CellName, width: int) -> str:
    steps = f", N={cell.N}"
    return elided(cell.problem, width - len(steps)) + steps


def elided(text: str, width: int) -> str:
    """Return `text` on `width` columns: where it is longer, the middle is left out.

    >>> elided("deviation second moment on saddle-noise", 20)
    'deviation …dle-noise'
    """
    if len(text) <= width:
        return text
    front = max(width, LEAST) // 2
    return f"{text[:front]}…{text[front + 1 - max(width, LEAST) :]}"


def _remarks(summary: Summary) -> Iterator[str]:
    """What the table cannot say: a line for each claim that does not hold, and for each mutant not refuted."""
    if any(claim.estimated for claim in summary.claims):
        yield "* with estimated constants"
    yield from summary.wrong_constants
    for claim in summary.claims:
        worst = claim.worst
        if claim.answer and not summary.mutants:
            yield claim.answer
        elif "violated" in claim.checks and worst is not None and not worst.is_audit:
            measured, bound = worst.measured or 0.0, worst.bound or 0.0  # a violated check has both
            against = "falls short of" if measured < bound else ">"
            yield f"violated: {claim.claim} on {worst.where}: {measured:.6g} {against} {bound:.6g}"
    yield from _standings(summary)
    if summary.too_little:
        yield summary.too_little
    yield from _reasons(summary.claims)
    for mutant in summary.mutants:
        if mutant.status != "refuted":
            yield f"{mutant.status}: mutant {mutant.mutant!r} of {mutant.claim} on {mutant.cell.problem}"


def _standings(summary: Summary) -> Iterator[str]:
    """How many of the paper's statements are known to be the sharpest, where a run judged more than one."""
    papers = [claim for claim in summary.claims if claim.standing and not claim.source.own and claim.worst]
    if len(papers) < 2:
        return
    unsettled = [claim.claim for claim in papers if claim.standing == "open"]
    improved = [claim.claim for claim in papers if claim.standing.startswith("improved")]
    settled = len(papers) - len(unsettled) - len(improved)
    yield f"of {len(papers)} statements of the paper {settled} are attained or equalities" + "".join(
        f"; {len(names)} {what} ({_few(names)})"
        for names, what in ((improved, "improved by own ones"), (unsettled, "open"))
        if names
    )


def _reasons(claims: Sequence[ClaimSummary]) -> Iterator[str]:
    """Why checks are inapplicable, each reason once; and of other claims why they failed or were not judged."""
    said: dict[str, dict[str, int]] = {}
    for claim in claims:
        for verdict, note, count in claim.silent:
            told = f"{verdict}: {note}"
            if verdict == "inapplicable" or told == claim.reason:
                said.setdefault(told, {})[claim.claim] = count
    for told, counts in said.items():
        checks = sum(counts.values())
        yield f"{told} ({checks} check{'s' if checks > 1 else ''} of {_few(list(counts))})"


def _few(names: Sequence[str]) -> str:
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    return ", ".join(names[:SHOWN]) + more


def _outcome(summary: Summary, path: Path) -> str:
    if summary.mutants:
        found = Counter(mutant.status for mutant in summary.mutants)
        counts = ", ".join(f"{count} {status}" for status, count in sorted(found.items()))
        return f"{len(summary.mutants)} mutants in {summary.seconds:.1f} s: {counts}; {_files(path)}"
    total = sum(summary.verdicts.values())
    return f"{total} checks in {summary.seconds:.1f} s: {_counts(summary.verdicts)}; {_files(path)}"


def _files(path: Path) -> str:
    """Where the records are, and the page where there is one."""
    page = path / "report.html"
    return f"records in {path}, page in {page}" if page.is_file() else f"records in {path}"
