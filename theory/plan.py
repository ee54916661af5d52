"""What the theory recommends: the cheapest schedule that a theorem certifies, and how its cost moves with N."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, replace
from typing import Any, get_args

import numpy as np

from theory.algorithms import Algorithm
from theory.cheapest import LARGEST_COUNT, Request, cheapest
from theory.complexity import OracleCalls, oracle_calls, theorem
from theory.constants import Constants, Schedule
from theory.convergence import Guarantee
from theory.growth import recommended_stepsize, stepsize_cap
from theory.validation import integer, one_of, real


@dataclass(frozen=True)
class Plan:
    """A schedule, what the theorem promises for it, what it costs, and how the cost moves with N.

    Attributes
    ----------
    constants, case, epsilon : the request; `ḡ ≤ epsilon` is certified.
    schedule : the schedule of fewest oracle calls (gradients and Hessians, in data points, over the whole run).
    guarantee : the theorem at this schedule; `guarantee.bound ≤ epsilon`.
    oracle_calls : of the whole run.
    scaling : (N, oracle calls of the cheapest schedule) at N, 2N, 4N and 8N inner steps with `αN` kept; None in place
        of calls that are too many to count.
    exponent : of N in the cost, fitted to `scaling`; None where fewer than two costs are known.
    """

    constants: Constants
    case: Algorithm
    epsilon: float
    schedule: Schedule
    guarantee: Guarantee
    oracle_calls: OracleCalls
    scaling: tuple[tuple[int, int | None], ...]
    exponent: float | None

    def to_dict(self) -> dict[str, Any]:
        """Return the plan as JSON-ready dictionaries; an infinite constant is None."""
        return {
            "case": self.case,
            "epsilon": self.epsilon,
            "constants": _numbers(asdict(self.constants)),
            "schedule": _numbers(asdict(self.schedule)),
            "guarantee": _numbers(asdict(self.guarantee)),
            "oracle_calls": {**_numbers(asdict(self.oracle_calls)), "total": int(self.oracle_calls.total)},
            "scaling": [{"N": N, "oracle_calls": calls} for N, calls in self.scaling],
            "exponent": self.exponent,
        }

    def to_text(self) -> str:
        """Return the plan as a few lines of text."""
        s, c = self.schedule, self.constants
        cap = float(stepsize_cap(c, s.N))
        lines = [
            f"The {self.case} theorem certifies ḡ ≤ {self.guarantee.bound:.6g} (asked for: {self.epsilon:g}) with",
            f"  inner steps              N     = {int(s.N)}",
            f"  inner stepsize           α     = {s.alpha:.6g}   (αL = {s.alpha * c.L:.4g}, cap {cap:.6g})",
            f"  meta stepsize 1/(C_β L̂)  C_β   = {s.C_beta:.6g}",
        ]
        lines += [
            f"  {meaning:<24} {symbol:<5} = {int(getattr(s, name)):,}" for name, symbol, meaning in _shown(self.case)
        ]
        calls = self.oracle_calls
        lines += [
            f"in {int(calls.total):,} oracle calls: {int(calls.gradients):,} gradients,"
            f" {int(calls.hessians):,} Hessians.",
            "Least cost by number of inner steps, αN kept:",
        ]
        lines += [
            f"  N = {N:<6} {'more than can be counted' if cost is None else f'{cost:,}'}" for N, cost in self.scaling
        ]
        if self.exponent is not None:
            lines.append(f"so the cost grows like N^{self.exponent:.2f}.")
        return "\n".join(lines)


def plan(
    c: Constants,
    N: int,
    epsilon: float,
    case: Algorithm,
    Delta: float,
    train_size: int = 1,
    test_size: int = 1,
    *,
    alpha_min: float | None = None,
    number_of_tasks: int = 1,
    max_oracle_calls: float = math.inf,
) -> Plan:
    """Plan a run: the cheapest α, C_β, batches and K for which the theorem of `case` certifies `ḡ ≤ epsilon`.

    The constants of the theorems rise with α, so the cheapest certified α would be none at all (and the meta
    objective the mean loss, not adapted). A plan is therefore told how little adaptation is enough: `alpha_min`.

    Parameters
    ----------
    c : constants of the problem. The resampling case does not read `b` and `b_sq`; the finite-sum case and exact MAML
        do not read `sigma_g` and `sigma_H`.
    N : inner steps.
    epsilon : accuracy of the mean over the meta steps of `E‖∇L(w_k)‖`.
    case : "resampling" (Algorithm 1), "finite-sum" (Algorithm 2) or "exact".
    Delta : `Δ = L(w_0) − L*`, the gap at the start at the planned α, or an upper bound of it.
    train_size, test_size : data per task, |S_i| and |T_i|; not read in the resampling case.
    alpha_min : least inner stepsize; default the paper's 1/(8NL).
    number_of_tasks : tasks that exact MAML goes through in each step; read in that case only.
    max_oracle_calls : the most that the run may cost.

    Raises
    ------
    ValueError : a bad argument, or a request that no schedule meets; one line says what makes it so.

    Source: own (optimisation over the theorems of Ji, Yang, Liang, 2022).

    >>> c = Constants(L=2.0, rho=1.5, sigma=0.7, b=0.0, b_sq=0.0)
    >>> planned = plan(c, N=5, epsilon=0.1, case="exact", Delta=3.0)
    >>> int(planned.schedule.K), bool(planned.guarantee.bound <= 0.1)
    (1619, True)
    """
    request = _request(c, N, epsilon, case, Delta, train_size, test_size, alpha_min, number_of_tasks)
    real("max_oracle_calls", max_oracle_calls, open_low=True, infinite=True)
    s = cheapest(request)
    if s is None:
        raise ValueError(
            f"epsilon = {epsilon:g} is not allowed: epsilon must be larger (a certified run takes more than 2^53 steps "
            f"or samples)"
        )
    cost = request.cost(s)
    if cost > max_oracle_calls:
        raise ValueError(
            f"max_oracle_calls = {max_oracle_calls:g} is not allowed: max_oracle_calls must be >= {cost:.0f}, "
            f"the cost of the cheapest certified schedule"
        )
    calls = oracle_calls(s, case, train_size, test_size)
    scaling = ((N, int(cost)), *(_cost_at(request, N * factor) for factor in (2, 4, 8) if N > 0))
    return Plan(request.c, case, float(epsilon), s, theorem(request.c, s, case), calls, scaling, _exponent(scaling))


def _request(
    c: Constants,
    N: int,
    epsilon: float,
    case: Algorithm,
    Delta: float,
    train_size: int,
    test_size: int,
    alpha_min: float | None,
    number_of_tasks: int,
) -> Request:
    """Validate a request; an infinite constant that the theorem needs makes it infeasible."""
    one_of("case", case, get_args(Algorithm))
    for name, value, low in (
        ("N", N, 0),
        ("train_size", train_size, 1),
        ("test_size", test_size, 1),
        ("number_of_tasks", number_of_tasks, 1),
    ):
        integer(name, value, low=low)
    real("epsilon", epsilon, open_low=True)
    real("Delta", Delta, infinite=True)
    if math.isinf(Delta):
        raise ValueError("Delta = inf is not allowed: Delta must be finite (the losses need a lower bound)")
    c = replace(c, b=0.0, b_sq=0.0) if case == "resampling" else replace(c, sigma_g=0.0, sigma_H=0.0)
    without_steps = {"resampling": ("sigma", "sigma_g"), "finite-sum": ("sigma",), "exact": ("sigma",)}[case]
    with_steps = {"resampling": ("rho", "sigma_H"), "finite-sum": ("rho", "b", "b_sq"), "exact": ("rho", "b")}[case]
    for name in without_steps + (with_steps if N > 0 else ()):
        if math.isinf(getattr(c, name)):
            raise ValueError(f"{name} = inf is not allowed: {name} must be finite (the {case} theorem needs it)")
    lowest = float(recommended_stepsize(c, N)) if alpha_min is None else alpha_min
    real("alpha_min", lowest, open_low=True)
    if lowest >= stepsize_cap(c, N):
        cap = stepsize_cap(c, N)
        raise ValueError(f"alpha_min = {lowest:g} is not allowed: alpha_min must be < {cap:g}, the cap at N = {N}")
    tasks = number_of_tasks if case == "exact" else 1
    return Request(c, N, epsilon, case, Delta, lowest, train_size, test_size, tasks)


def _cost_at(request: Request, N: int) -> tuple[int, int | None]:
    """Cost of the cheapest schedule at another N, with the product αN kept."""
    s = cheapest(other := replace(request, N=N, alpha_min=request.alpha_min * request.N / N))
    return N, None if s is None else int(other.cost(s))


def _exponent(scaling: tuple[tuple[int, int | None], ...]) -> float | None:
    """Slope of log cost in log N."""
    known = [(N, cost) for N, cost in scaling if cost is not None]
    if len(known) < 2:
        return None
    N, cost = np.log(np.array(known, dtype=np.float64)).T
    return float(np.polyfit(N, cost, 1)[0])


def _shown(case: Algorithm) -> list[tuple[str, str, str]]:
    """Fields of a schedule that a case reads: name, symbol, meaning."""
    counts = [
        ("B", "B", "tasks per meta step"),
        ("S", "S", "data per inner gradient"),
        ("D", "D", "data per Hessian"),
        ("T", "T", "data per outer gradient"),
        ("B_prime", "B'", "tasks for L̂"),
        ("D_L", "D_L", "data per task for L̂"),
    ]
    read = {"exact": ("B",), "finite-sum": ("B", "B_prime"), "resampling": ("B", "S", "D", "T", "B_prime", "D_L")}[case]
    return [row for row in counts if row[0] in read] + [("K", "K", "meta steps")]


def _numbers(values: dict[str, Any]) -> dict[str, Any]:
    """Plain numbers: whole ones as int, infinite ones as None."""
    plain = {name: float(value) for name, value in values.items()}
    return {
        name: None
        if math.isinf(value)
        else int(value)
        if value == int(value) and abs(value) <= LARGEST_COUNT
        else value
        for name, value in plain.items()
    }
