"""Commands that show the results of a finished run and leave it as it is: `show`, `table` and `report`."""

from __future__ import annotations

from pathlib import Path

import click

from verify.commands.conventions import one_line_errors, read_and_tell
from verify.reporting.ledger_table import FORMATS

directory = click.argument("directory", type=click.Path(path_type=Path), default=Path("results"))


@click.command()
@directory
@click.option("--mutants", is_flag=True, help="The run of mutants that the directory holds.")
def show(directory: Path, mutants: bool) -> int:
    """Print the table of a finished run. Exit code as that of the run."""
    from verify.reporting.display import show as print_table
    from verify.reporting.ledger import summarise
    from verify.running.records import MUTANTS

    with one_line_errors():
        run = read_and_tell(directory / MUTANTS if mutants else directory)
        summary = summarise(run.header, run.records)
        print_table(summary, directory)
    return summary.exit_code


@click.command()
@directory
@click.option(
    "--format", "form", type=click.Choice(list(FORMATS)), default="markdown", show_default=True, help="Of it."
)
def table(directory: Path, form: str) -> None:
    """Print the ledger of a finished run as a table for a paper (latex needs the package booktabs) or a program."""
    from verify.reporting.ledger import summarise

    with one_line_errors():
        run = read_and_tell(directory)
        click.echo(FORMATS[form](summarise(run.header, run.records)), nl=False)


@click.command()
@directory
@click.option("--against", type=click.Path(path_type=Path), help="Another run: show what differs from it.")
@click.option("--tolerance", type=float, default=0.01, show_default=True, help="Relative change of a tightness.")
def report(directory: Path, against: Path | None, tolerance: float) -> None:
    """Write the page of a finished run again, with its difference to another run where one is given."""
    from verify.reporting.compare import compare
    from verify.reporting.ledger import summarise
    from verify.reporting.report import write_report

    with one_line_errors():
        run = read_and_tell(directory)
        comparison = compare(against, directory, tolerance) if against else None
        summary = summarise(run.header, run.records)
        place = directory if directory.is_dir() else directory.parent
        click.echo(write_report(place, summary, run.records, comparison, str(against or "")))
