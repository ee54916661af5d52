"""`python -m verify run`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from verify.cell import PROFILES
from verify.commands.conventions import cores, fail, integers, one_line_errors, warn
from verify.commands.places import RESULTS, free, latest, out_option

if TYPE_CHECKING:
    from verify.running.records import Record
    from verify.suite import Progress


@click.command()
@click.option(
    "--claim", "claims", metavar="CLAIM", multiple=True, help="Claim, or FILE.py[:NAME]; repeatable. Default: all."
)
@click.option(
    "--problem",
    "problems",
    metavar="PROBLEM",
    multiple=True,
    help="Registered problem, FILE.py:FACTORY or FILE.json; repeatable. Default: those of each claim.",
)
@click.option(
    "--inner-steps",
    metavar="N,N,…",
    callback=integers,
    help="Inner steps N, for instance 1,5,20. Default: those of the profile.",
)
@click.option(
    "--profile", type=click.Choice(list(PROFILES)), default="default", show_default=True, help="How hard to look."
)
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True, help="Of everything random.")
@click.option("--jobs", type=click.IntRange(1, 256), help="Processes. Default: one for each core.")
@click.option("--scheduler", metavar="ADDRESS", help="Address of a Dask scheduler to use in place of local processes.")
@click.option("--cell-timeout", type=click.FloatRange(0, min_open=True), help="Seconds after which a cell is given up.")
@out_option
@click.option("--resume", is_flag=True, help="Go on with a run that was interrupted. Default: the last one.")
@click.option("--overwrite", is_flag=True, help="Replace the records in the results directory.")
@click.option("--mutants", is_flag=True, help="Run wrong formulas, each of which must be refuted.")
def run(
    claims: tuple[str, ...],
    problems: tuple[str, ...],
    inner_steps: tuple[int, ...],
    profile: str,
    seed: int,
    jobs: int | None,
    scheduler: str | None,
    cell_timeout: float | None,
    out: Path | None,
    resume: bool,
    overwrite: bool,
    mutants: bool,
) -> int:
    """Verify claims on problems.

    Exit code: 0 all hold, 1 something is violated, 2 bad usage, 3 inconclusive, errors, or the run could not
    go on, 4 nothing or too little was judged.
    """
    from verify.reporting.display import progress_bar, show
    from verify.running.records import MUTANTS, RECORDS
    from verify.running.selection import Selection
    from verify.suite import verify

    if scheduler is not None and jobs is not None:
        raise click.UsageError("--jobs and --scheduler exclude each other")
    if resume and overwrite:
        raise click.UsageError("--resume and --overwrite exclude each other")
    named = out is not None
    out = out or _place(MUTANTS if mutants else RECORDS, resume, overwrite)
    with one_line_errors(), _kept_at_interrupt(out, "" if named else f"--out {out} ", overwrite):
        selection = Selection(
            claims=claims, problems=problems, inner_steps=inner_steps, profile=profile, seed=seed, mutants=mutants
        )
        with progress_bar() as progress:
            summary = verify(
                selection,
                out,
                jobs=jobs or cores(),
                scheduler=scheduler,
                cell_timeout=cell_timeout,
                resume=resume,
                overwrite=overwrite,
                progress=progress if named else _telling(out, progress),
                warn=warn,
            )
        show(summary, out)
    return summary.exit_code


def _place(records: str, resume: bool, overwrite: bool) -> Path:
    """Where a run goes that names no directory: on with the last one, or to the next that is free."""
    if resume or overwrite:
        return latest(records) if resume else RESULTS
    return free(records)


def _telling(place: Path, progress: Progress) -> Progress:
    """Say as soon as the run has begun that it is not in `results`: until then, bad input is the only line."""
    told = place == RESULTS

    def tell(finished: int, total: int, records: Sequence[Record]) -> None:
        nonlocal told
        if not told:
            click.echo(f"the results of this run are in {place}: {RESULTS} holds another one", err=True)
            told = True
        progress(finished, total, records)

    return tell


@contextmanager
def _kept_at_interrupt(out: Path, place: str, overwrite: bool) -> Iterator[None]:
    """At Ctrl-C, say what is kept and how to go on."""
    try:
        yield
    except KeyboardInterrupt:
        option = f"{place}--resume in place of --overwrite" if overwrite else f"{place}--resume"
        fail(f"interrupted; finished checks are kept in {out}: the same command with {option} goes on", 130)
