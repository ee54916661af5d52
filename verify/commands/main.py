"""The command line. What is slow to import is imported where it is used."""

from __future__ import annotations

from pathlib import Path

import click

from verify.commands.advise import advise
from verify.commands.conventions import Cli, one_line_errors, out_option
from verify.commands.implementation import implementation
from verify.commands.plan import plan
from verify.commands.results import report, show, table
from verify.commands.run import run
from verify.running.environment import own_version


@click.group(cls=Cli, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(own_version(), prog_name="maml-theory-verification")
def cli() -> None:
    """Verify the convergence theory of multi-step MAML. Without a command: run the default suite."""


@cli.command("list")
@click.option("--problems", is_flag=True, help="List the problems instead.")
@out_option
def list_(problems: bool, out: Path) -> None:
    """Show the ledger: each statement, its claims, and what the results say of them."""
    from verify.reporting import text

    with one_line_errors():
        click.echo(text.problems() if problems else text.ledger(out))


@cli.command()
@click.argument("claim")
def explain(claim: str) -> None:
    """Show a claim: its statement, what it assumes, how it is measured, its sharp instance and its mutants."""
    from verify.reporting import text
    from verify.running.selection import find_claim

    with one_line_errors():
        click.echo(text.explain(find_claim(claim)))


@cli.command()
@click.argument("old", type=click.Path(path_type=Path))
@click.argument("new", type=click.Path(path_type=Path))
@click.option("--tolerance", type=float, default=0.01, show_default=True, help="Relative change of a tightness.")
def compare(old: Path, new: Path, tolerance: float) -> int:
    """Compare two runs: verdicts, vanished checks, tightness. Exit code 1 on a regression."""
    from verify.reporting.compare import compare as compare_runs

    with one_line_errors():
        comparison = compare_runs(old, new, tolerance)
    click.echo(comparison.text())
    return int(comparison.regressed)


cli.add_command(run)
cli.add_command(plan)
for command in (implementation, advise, show, table, report):
    cli.add_command(command)
