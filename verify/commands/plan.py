"""`python -m verify plan`."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any, get_args

import click

from theory.algorithms import Algorithm
from theory.constants import Constants
from theory.validation import integer, real
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

CUSTOMARY_STEPS = 60_000
"""Of the trainings of Finn, Abbeel, Levine (2017), Model-agnostic meta-learning, on images."""
FAR, ASTRONOMICALLY_FAR = 100.0, 1e5


def constant_options(command: Callable[..., int]) -> Callable[..., int]:
    """Add an option for each constant of the assumptions; one that is left out is infinite."""
    for name, meaning in reversed(CONSTANTS.items()):
        option = click.option(f"--{name.replace('_', '-')}", name, type=float, help=meaning)
        command = option(command)
    return command


@click.command(short_help="Plan a run that a theorem certifies.")
@constant_options
@click.option(
    "--problem",
    metavar="PROBLEM",
    help="FILE.py:FACTORY or a registered name: gives case, constants, sizes and gap that are left out",
)
@click.option("--delta", "Delta", type=float, help="initial gap Δ = L(w_0) − L* of the meta objective")
@click.option("-N", "--inner-steps", "N", type=int, required=True, help="inner steps N")
@click.option("--eps", "epsilon", type=float, required=True, help="accuracy: the mean norm of the meta-gradient")
@click.option(
    "--case", type=click.Choice(get_args(Algorithm)), help="which theorem  [default: the problem's, or resampling]"
)
@click.option("--train-size", type=int, help="data per training set (finite-sum)  [default: 1]")
@click.option("--test-size", type=int, help="data per test set (finite-sum)  [default: 1]")
@click.option("--alpha-min", type=float, help="least inner stepsize; default 1/(8NL)")
@click.option("--tasks", "number_of_tasks", type=int, help="number of tasks (exact)  [default: 1]")
@click.option(
    "--theorem",
    "certified_by",
    type=click.Choice(["tight", "paper"]),
    default="tight",
    show_default=True,
    help="which theorem certifies: the own one, which is the sharpest, or the paper's",
)
@click.option("--max-oracle-calls", type=float, default=math.inf, help="the most that the run may cost")
@click.option("--json", "as_json", is_flag=True, help="print JSON")
def plan(as_json: bool, problem: str | None, **fields: Any) -> int:
    """Plan a run: the cheapest stepsizes, batches and number of steps that a theorem certifies."""
    from theory.planner import plan as cheapest_plan
    from theory.request import Request

    given = {name: value for name, value in fields.items() if value is not None}
    with one_line_errors():
        integer("N", fields["N"], low=0)
        known = {"case": "resampling"} if problem is None else _of_problem(problem, given)
        both = known | given
        if missing := [name for name in _required(both) if math.isinf(both.get(name, math.inf))]:
            raise click.UsageError(_ask_for(missing, both["case"], problem))
        constants = Constants(**{name: both.pop(name) for name in list(both) if name in CONSTANTS})
        planned = cheapest_plan(Request(constants=constants, **both))
    click.echo(json.dumps(planned.to_dict(), indent=1) if as_json else planned.to_text())
    if not as_json and (far := far_from_practice(float(planned.schedule.K))):
        click.echo(far)
    return 0


def _required(given: Mapping[str, Any]) -> tuple[str, ...]:
    """What a plan needs, each a finite number."""
    from theory.request import needed

    return ("L", "Delta", *needed(given["case"], given["N"]))


def _ask_for(missing: Sequence[str], case: str, problem: str | None) -> str:
    """One line that names the options."""
    options = ", ".join(f"--{name.replace('_', '-')}" for name in missing).replace("--Delta", "--delta")
    how = "give them, or --problem" if problem is None else f"{problem} does not know them"
    return f"missing: {options}, which the {case} theorem needs as finite numbers; {how}"


def _of_problem(spec: str, given: Mapping[str, Any]) -> dict[str, Any]:
    """What a problem says of a request: case, constants, sizes, and the gap at the start at the least stepsize."""
    from verify.cell import alpha_L
    from verify.running.loading import load_problem

    N = given["N"]
    built = load_problem(spec, N, alpha_L("recommended", N))
    alpha = given.get("alpha_min", alpha_L("recommended", N) / built.constants.L)
    real("alpha_min", alpha, open_low=True)
    return {
        **{name: getattr(built.constants, name) for name in CONSTANTS},
        "case": "finite-sum" if built.case == "finite-sum" else "resampling",
        "Delta": built.initial_gap(alpha, N),
        "train_size": built.train_size,
        "test_size": built.test_size,
        "number_of_tasks": built.number_of_tasks,
    }


def far_from_practice(K: float) -> str:
    """One line where `K` meta steps are far more than anyone takes, or "".

    >>> far_from_practice(100_000)
    ''
    >>> far_from_practice(6e6)
    'This is far from practice: 100 times the 60,000 meta steps of a customary training.'
    >>> far_from_practice(3e15)
    'This is astronomically far from practice: 5e+10 times the 60,000 meta steps of a customary training.'
    """
    times = K / CUSTOMARY_STEPS
    if times < FAR:
        return ""
    how = "astronomically far" if times >= ASTRONOMICALLY_FAR else "far"
    return f"This is {how} from practice: {times:.3g} times the {CUSTOMARY_STEPS:,} meta steps of a customary training."
