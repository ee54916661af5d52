"""The command line. What is slow to import is imported where it is used."""

from __future__ import annotations

from pathlib import Path

import click

from verify.commands.advise import advise
from verify.commands.conventions import Cli, one_line_errors
from verify.commands.implementation import implementation
from verify.commands.places import latest
from verify.commands.plan import plan
from verify.commands.results import report, show, table
from verify.commands.run import run
from verify.commands.search import search
from verify.running.environment import own_version


@click.group(cls=Cli, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(own_version(), prog_name="maml-theory-verification")
def cli() -> None:
    """Verify the convergence theory of multi-step MAML. Without a command: `run`, whose options it takes."""


@cli.command("list", short_help="Show the ledger, and what the last run says of it.")
@click.option("--problems", is_flag=True, help="List the problems instead.")
@click.option("--claim", "claims", multiple=True, metavar="FILE.py", help="List its claims too; repeatable.")
@click.option(
    "--out", type=click.Path(path_type=Path, file_okay=False), help="Results. Default: those of the last run."
)
def list_(problems: bool, claims: tuple[str, ...], out: Path | None) -> None:
    """Show the ledger: each statement, its claims, and what the results say of them."""
    from verify.reporting import text
    from verify.running.selection import find_claims

    with one_line_errors():
        for spec in claims:
            find_claims(spec)
        click.echo(text.problems() if problems else text.ledger(out or latest()))


@cli.command(short_help="Show a claim or a problem, and where its proof is.")
@click.argument("name", metavar="CLAIM|PROBLEM")
def explain(name: str) -> None:
    """Show a claim (what it says, assumes and measures, where it is sharp, its mutants) or a problem.

    Of a problem (a registered name, or FILE.py:FACTORY): constants, their proof, what it attains, and a sketch. Of
    FILE.py, each claim that it makes.
    """
    from verify.reporting import explanation

    with one_line_errors():
        click.echo(explanation.explain(name))


@cli.command(short_help="Compare two runs; exit code 1 on a regression.")
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
for command in (implementation, advise, search, show, table, report):
    cli.add_command(command)
