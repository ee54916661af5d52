"""The command line: which figures, from what, to where."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path

import click

from figures.drawing import FORMATS, save
from figures.figure import Figure, named, registry
from figures.generation import generate
from figures.table import Table
from verify.commands.conventions import Command, cores, fail, one_line_errors
from verify.reporting.progress import meter
from verify.running.execution import open_workers

OUT = Path("results/figures")


def formats_of(context: click.Context, option: click.Parameter, value: str) -> tuple[str, ...]:
    """Read file formats separated by commas, each once."""
    formats = tuple(dict.fromkeys(value.split(",")))
    for kind in formats:
        if kind not in FORMATS:
            message = f"{kind!r} is not allowed: it must be one of {', '.join(FORMATS)}"
            raise click.BadParameter(message, context, option)
    return formats


@click.command(cls=Command, context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("names", nargs=-1, metavar="[NAME]...")
@click.option(
    "--format",
    "formats",
    metavar="FORMAT,…",
    callback=formats_of,
    default="pdf,png",
    show_default=True,
    help="pdf, png, svg.",
)
@click.option(
    "--out", type=click.Path(path_type=Path, file_okay=False), default=OUT, show_default=True, help="Where files go."
)
@click.option("--from-data", is_flag=True, help="Draw again from the saved data, without computing.")
@click.option("--list", "list_", is_flag=True, help="List the figures and what they answer.")
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True, help="Of everything random.")
@click.option("--jobs", type=click.IntRange(1, 256), help="Processes. Default: one for each core.")
@click.option("--scheduler", metavar="ADDRESS", help="Address of a Dask scheduler to use in place of local processes.")
def cli(
    names: tuple[str, ...],
    formats: tuple[str, ...],
    out: Path,
    from_data: bool,
    list_: bool,
    seed: int,
    jobs: int | None,
    scheduler: str | None,
) -> None:
    """Make the figures NAME..., or all of them: each a picture, its data (CSV) and its caption (Markdown)."""
    if scheduler is not None and jobs is not None:
        raise click.UsageError("--jobs and --scheduler exclude each other")
    with one_line_errors():
        chosen = [named(name) for name in dict.fromkeys(names or registry())]
        if list_:
            for figure in chosen:
                click.echo(f"{figure.name:<14} {figure.question}")
            return
        try:
            written = (
                draw_saved(chosen, out, formats) if from_data else make(chosen, out, formats, seed, jobs, scheduler)
            )
        except OSError as error:
            fail(f"cannot write to {out}: {error.strerror}", 2)
        for path in written:
            click.echo(path)


def make(
    chosen: Sequence[Figure], out: Path, formats: tuple[str, ...], seed: int, jobs: int | None, scheduler: str | None
) -> list[Path]:
    """Compute figures, save their data, and draw them; returns the paths written."""
    _make_writable(out)
    written = []
    parts = sum(len(figure.parts) for figure in chosen)
    with open_workers(min(jobs or cores(), parts), scheduler) as workers, meter("parts") as tell:
        for figure, table in generate(chosen, seed, workers, tell):
            data = out / f"{figure.name}.csv"
            table.write(data)
            written += [data, *save(figure, Table.read(data), out, formats)]
    return written


def draw_saved(chosen: Sequence[Figure], out: Path, formats: tuple[str, ...]) -> list[Path]:
    """Draw figures from the data in `out`; returns the paths written."""
    tables = [Table.read(out / f"{figure.name}.csv") for figure in chosen]
    _make_writable(out)
    written = []
    for figure, table in zip(chosen, tables, strict=True):
        try:
            written += save(figure, table, out, formats)
        except (KeyError, ValueError) as error:
            raise ValueError(f"{out / figure.name}.csv is not the data of this figure: make it anew") from error
    return written


def _make_writable(out: Path) -> None:
    """Create the directory; raises OSError now and not after the computation where it cannot be written to."""
    out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryFile(dir=out):
        pass
