"""`python -m verify implementation`."""

from __future__ import annotations

import json

import click

from theory.validation import one_line
from verify.commands.conventions import fail, one_line_errors
from verify.implementation.frameworks import FRAMEWORKS


@click.command(short_help="Examine your own MAML.")
@click.argument("function", metavar="FILE.py:FUNCTION")
@click.option("--framework", type=click.Choice(FRAMEWORKS), help="Array library. Default: as w is annotated.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def implementation(function: str, framework: str | None, as_json: bool) -> int:
    """Examine your own MAML: is what it returns the meta-gradient, and if not, which known mistake is it?

    FUNCTION takes (tasks, w, alpha, N) and returns the meta-gradient at w, averaged over the tasks; task.train(w) and
    task.test(w) are scalar losses. Exit code: 0 exact, 1 another vector, 2 it cannot be examined, 3 internal failure.
    """
    from verify.implementation.check import check
    from verify.implementation.loading import load
    from verify.implementation.report import text, to_dict

    try:
        with one_line_errors():
            result = check(load(function), framework, function)
        click.echo(json.dumps(to_dict(result), indent=1) if as_json else text(result))
    except Exception as error:
        fail(f"internal failure: {one_line(error)}", 3)
    return int(not result.diagnosis.is_exact)
