"""`python -m verify advise`."""

from __future__ import annotations

import importlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from verify.commands.conventions import integers, one_line_errors

DRAWING = "figures.advice"
"""Imported by its name: the command line stands above all packages, the package that it lies in does not."""


@click.command(short_help="Advise on inner stepsizes for a problem.")
@click.argument("problem")
@click.option(
    "-N",
    "--inner-steps",
    "N",
    metavar="N,N,…",
    callback=integers,
    default="1,5,10",
    show_default=True,
    help="Inner steps N.",
)
@click.option("--alpha", type=float, multiple=True, help="Inner stepsize to judge; repeatable. Default: 0.01 and 0.1.")
@click.option("--beta", type=float, help="Fixed meta stepsize of the runs. Default: 1/L.")
@click.option("--steps", type=int, default=30, show_default=True, help="Meta steps of each run.")
@click.option(
    "--figure", type=click.Path(path_type=Path, dir_okay=False), help="Draw it: a file that ends in png, pdf or svg."
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def advise(
    problem: str,
    N: tuple[int, ...],
    alpha: tuple[float, ...],
    beta: float | None,
    steps: int,
    figure: Path | None,
    as_json: bool,
) -> int:
    """Advise on inner stepsizes for PROBLEM: FILE.py:FACTORY, package.module:FACTORY or a registered name.

    For each N: what is certified, where runs of exact MAML diverge, and how curved the losses are on their paths.
    """
    from verify.advice import advise as advice_on
    from verify.advice.advising import CUSTOMARY
    from verify.cell import alpha_L
    from verify.running.loading import load_problem
    from verify.running.spec import Spec

    if 0 in N:
        raise click.UsageError("inner steps N = 0 is not allowed: N must be an integer >= 1")
    with one_line_errors():
        draw = None if figure is None else _drawing(figure)
        built = load_problem(problem, max(N[0], 1), alpha_L("recommended", N[0]))
        shown = Spec.parse(problem).shown
        advice = advice_on(built, N, alpha=alpha or CUSTOMARY, beta=beta, steps=steps, name=shown)
        click.echo(json.dumps(advice.to_dict(), indent=1, ensure_ascii=False) if as_json else str(advice))
        if draw is not None and figure is not None:
            draw(advice, figure)
            click.echo(f"drawn in {figure}", err=True)
    return 0


def _drawing(path: Path) -> Callable[[Any, Path], None]:
    """What draws advice; ValueError, before anything is computed, where the file cannot be written."""
    drawing = importlib.import_module(DRAWING)
    if path.suffix.removeprefix(".") not in drawing.FORMATS:
        raise ValueError(f"figure = {path} is not allowed: it must end in {', '.join(drawing.FORMATS)}")
    if not path.parent.is_dir():
        raise ValueError(f"figure = {path} is not allowed: there is no directory {path.parent}")
    save: Callable[[Any, Path], None] = drawing.save
    return save
