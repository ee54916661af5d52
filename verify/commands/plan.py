"""`python -m verify plan`."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from typing import Any, get_args

import click

from theory.algorithms import Algorithm
from theory.constants import Constants
from verify.commands.conventions import one_line_errors

CONSTANTS = {
    "L": "smoothness of the task losses",
    "rho": "Lipschitz constant ρ of the Hessians of the inner losses",
    "sigma": "task spread σ",
    "sigma_g": "gradient noise σ_g of one datum (resampling)",
    "sigma_H": "Hessian noise σ_H of one datum (resampling)",
    "b": "mean mismatch b of training and test gradients (finite-sum; 0 for the exact case without such sets)",
    "b_sq": "mean square mismatch (finite-sum)",
}


def constant_options(command: Callable[..., int]) -> Callable[..., int]:
    """Add an option for each constant of the assumptions; one that is left out is infinite."""
    for name, meaning in reversed(CONSTANTS.items()):
        option = click.option(f"--{name.replace('_', '-')}", name, type=float, required=name == "L", help=meaning)
        command = option(command)
    return command


@click.command()
@constant_options
@click.option("--delta", "Delta", type=float, required=True, help="initial gap Δ = L(w_0) − L* of the meta objective")
@click.option("-N", "--inner-steps", "N", type=int, required=True, help="inner steps N")
@click.option("--eps", "epsilon", type=float, required=True, help="accuracy: the mean norm of the meta-gradient")
@click.option(
    "--case", type=click.Choice(get_args(Algorithm)), default="resampling", show_default=True, help="which theorem"
)
@click.option("--train-size", type=int, default=1, show_default=True, help="data per training set (finite-sum)")
@click.option("--test-size", type=int, default=1, show_default=True, help="data per test set (finite-sum)")
@click.option("--alpha-min", type=float, help="least inner stepsize; default 1/(8NL)")
@click.option("--tasks", "number_of_tasks", type=int, default=1, show_default=True, help="number of tasks (exact)")
@click.option("--max-oracle-calls", type=float, default=math.inf, help="the most that the run may cost")
@click.option("--json", "as_json", is_flag=True, help="print JSON")
def plan(as_json: bool, **fields: Any) -> int:
    """Plan a run: the cheapest stepsizes, batches and number of steps that a theorem certifies."""
    from theory.planner import plan as cheapest_plan
    from theory.request import Request

    given = {name: value for name in CONSTANTS if (value := fields.pop(name)) is not None}
    with one_line_errors():
        planned = cheapest_plan(Request(constants=Constants(**given), **fields))
    click.echo(json.dumps(planned.to_dict(), indent=1) if as_json else planned.to_text())
    return 0
