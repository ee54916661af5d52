"""`python -m verify search`."""

from __future__ import annotations

import importlib
import json
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

import click

from theory.validation import one_line
from verify.cell import StepsizeRule
from verify.commands.conventions import cores, fail, one_line_errors

if TYPE_CHECKING:
    from verify.reporting.progress import Meter
    from verify.search.adversary import Target
    from verify.search.searching import Found

DRAWING = "figures.found"
"""Imported by its name: the command line stands above all packages, the package that it lies in does not."""
BUDGET = 1_000_000


@click.command(short_help="Search the loss that comes nearest to violating a claim.")
@click.argument("claim")
@click.option(
    "-N", "--inner-steps", "N", type=click.IntRange(0, 20), help="Inner steps. Default: 1; for mutants theirs, 1 or 2."
)
@click.option(
    "--stepsize", type=click.Choice(get_args(StepsizeRule)), help="Stepsize rule. Default: the claim's first."
)
@click.option(
    "--gradient", type=click.FloatRange(0, 1e6), default=0.0, help="Least |∇l(w)|, in L²/ρ: so terms in it count."
)
@click.option("--mutants", is_flag=True, help="Search losses that refute the claim's mutants.")
@click.option(
    "--budget",
    type=click.IntRange(1),
    default=BUDGET,
    show_default=True,
    help="Losses that are tried, for each search.",
)
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True, help="Of everything random.")
@click.option("--jobs", type=click.IntRange(1, 256), help="Processes. Default: one for each core.")
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), help="Write the worst loss: FILE.json.")
@click.option("--figure", type=click.Path(path_type=Path, dir_okay=False), help="Draw l'': FILE.png, pdf or svg.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def search(
    claim: str,
    N: int | None,
    stepsize: StepsizeRule | None,
    gradient: float,
    mutants: bool,
    budget: int,
    seed: int,
    jobs: int | None,
    out: Path | None,
    figure: Path | None,
    as_json: bool,
) -> int:
    """Search the loss on which CLAIM, of the ledger or FILE.py:NAME, is nearest to being violated.

    Losses on the line, one task or two, with l'' linear between knots, |l''| ≤ L and |l'''| ≤ ρ. Exit code: 0 not
    refuted (with --mutants: all are), 1 refuted (a mutant is not), 2 bad usage, 3 a failure.
    """
    from verify.own_bound import FormulaError
    from verify.running.selection import find_claims
    from verify.search.report import exit_code, text
    from verify.search.searching import targets

    with one_line_errors():
        _require_writable("out", out, (".json",))
        draw = None if figure is None else _drawing(figure)
        names = find_claims(claim)
        if len(names) > 1:
            raise ValueError(f"claim = {claim!r} is not allowed: name one of {', '.join(names)}")
        try:
            wanted = targets(names[0], N, stepsize, gradient=gradient, seed=seed, mutants=mutants)
            found = _search(wanted, budget, jobs or cores(), (lambda each: None) if as_json else _print)
        except FormulaError as error:
            fail(one_line(error), 3)
        worst = max(found, key=lambda each: each.ratio)
        if as_json:
            click.echo(json.dumps([each.to_dict() for each in found], indent=1, ensure_ascii=False))
        else:
            click.echo(text(found, out))
        if out is not None:
            _write(worst, out)
        if draw is not None and figure is not None:
            draw(worst, figure)
    return exit_code(found)


def _search(wanted: Sequence[Target], budget: int, jobs: int, show: Callable[[Found], None]) -> list[Found]:
    """Search one target after the other, and show each as it is found."""
    from verify.reporting.progress import meter
    from verify.running.execution import open_workers
    from verify.search.searching import search

    found = []
    with open_workers(jobs) as workers, meter("restarts") as tell:
        for at, target in enumerate(wanted, start=1):
            more = f"search {at} of {len(wanted)}, best"
            found.append(search(target, workers, budget, partial(_tell, tell, more)))
            show(found[-1])
    return found


def _print(found: Found) -> None:
    from verify.search.report import line

    click.echo(line(found))


def _tell(tell: Meter, more: str, done: int, of: int, best: float) -> None:
    tell(done, of, (), f"{more} {best:.5f}")


def _write(found: Found, out: Path) -> None:
    try:
        found.write(out)
    except OSError as error:
        raise ValueError(f"cannot write {out}: {error.strerror}") from error


def _require_writable(name: str, path: Path | None, suffixes: tuple[str, ...]) -> None:
    """Raise ValueError, before anything is computed, where a file cannot be written."""
    if path is None:
        return
    if path.suffix not in suffixes:
        raise ValueError(f"{name} = {path} is not allowed: it must end in {', '.join(suffixes)}")
    if not path.parent.is_dir():
        raise ValueError(f"{name} = {path} is not allowed: there is no directory {path.parent}")


def _drawing(path: Path) -> Callable[[Any, Path], None]:
    drawing = importlib.import_module(DRAWING)
    _require_writable("figure", path, tuple(f".{form}" for form in drawing.FORMATS))
    save: Callable[[Any, Path], None] = drawing.save
    return save
