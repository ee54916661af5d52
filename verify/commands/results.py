"""Commands that show the results of a finished run and leave it as it is: `show`, `table` and `report`."""

from __future__ import annotations

from pathlib import Path

import click

from verify.commands.conventions import one_line_errors, reading_and_telling
from verify.commands.places import latest
from verify.reporting.ledger_table import FORMATS

directory = click.argument("directory", type=click.Path(path_type=Path), required=False)
"""The last run where none is named."""


@click.command(short_help="Print the table of a finished run.")
@directory
@click.option("--mutants", is_flag=True, help="The run of mutants that the directory holds.")
def show(directory: Path | None, mutants: bool) -> int:
    """Print the table of the run in DIRECTORY, or of the last one. Exit code as that of the run."""
    from verify.reporting.display import show as print_table
    from verify.reporting.ledger import summarise
    from verify.running.records import MUTANTS, RECORDS

    with one_line_errors():
        if directory is None:
            directory = latest(MUTANTS if mutants else RECORDS)
        with reading_and_telling(directory / MUTANTS if mutants else directory) as stream:
            summary = summarise(stream.header, stream)
        print_table(summary, directory)
    return summary.exit_code


@click.command(short_help="Print the ledger of a finished run as csv, latex or markdown.")
@directory
@click.option(
    "--format", "form", type=click.Choice(list(FORMATS)), default="markdown", show_default=True, help="Of the table."
)
def table(directory: Path | None, form: str) -> None:
    """Print the ledger of the run in DIRECTORY, or of the last one, for a paper or a program.

    The table of LaTeX needs the package booktabs.
    """
    from verify.reporting.ledger import summarise

    with one_line_errors():
        with reading_and_telling(directory or latest()) as stream:
            summary = summarise(stream.header, stream)
        click.echo(FORMATS[form](summary), nl=False)


@click.command(short_help="Write the page of a finished run again.")
@directory
@click.option("--against", type=click.Path(path_type=Path), help="Another run: show what differs from it.")
@click.option("--tolerance", type=float, default=0.01, show_default=True, help="Relative change of a tightness.")
@click.option("--book", metavar="URL", default="", help="Address of the built book that the page links to.")
def report(directory: Path | None, against: Path | None, tolerance: float, book: str) -> None:
    """Write the page of the run in DIRECTORY, or of the last one, again: also with its difference to another run."""
    from verify.reporting.compare import compare
    from verify.reporting.ledger import summarise
    from verify.reporting.report import write_report

    with one_line_errors():
        directory = directory or latest()
        with reading_and_telling(directory) as stream:
            records = list(stream)  # the page holds them all
        comparison = compare(against, directory, tolerance) if against else None
        summary = summarise(stream.header, records)
        place = directory if directory.is_dir() else directory.parent
        click.echo(write_report(place, summary, records, comparison, str(against or ""), book))
