"""What the theory recommends: the cheapest schedule that a theorem certifies, and how its cost moves with N."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np

from theory.algorithms import Algorithm
from theory.cheapest import LARGEST_COUNT, cheapest
from theory.complexity import OracleCalls, oracle_calls, theorem
from theory.constants import Schedule
from theory.convergence import Guarantee
from theory.growth import stepsize_cap
from theory.request import Request


@dataclass(frozen=True)
class Plan:
    """A schedule, what the theorem promises for it, what it costs, and how the cost moves with N.

    Attributes
    ----------
    request : what was asked for; `ḡ ≤ request.epsilon` is certified.
    schedule : the schedule of fewest oracle calls (gradients and Hessians, in data points, over the whole run).
    guarantee : the theorem at this schedule; `guarantee.bound ≤ request.epsilon`.
    oracle_calls : of the whole run.
    scaling : (N, oracle calls of the cheapest schedule) at N, 2N, 4N and 8N inner steps with `αN` kept; None where
        they are too many to count, or αN is past the stepsize cap.
    exponent : of N in the cost, fitted to `scaling`; None where fewer than two costs are known.
    """

    request: Request
    schedule: Schedule
    guarantee: Guarantee
    oracle_calls: OracleCalls
    scaling: tuple[tuple[int, int | None], ...]
    exponent: float | None

    def to_dict(self) -> dict[str, Any]:
        """Return the plan as JSON-ready dictionaries; an infinite constant is None."""
        return {
            "case": self.request.case,
            "theorem": self.request.certified_by,
            "epsilon": float(self.request.epsilon),
            "constants": _numbers(asdict(self.request.constants)),
            "schedule": _numbers(asdict(self.schedule)),
            "guarantee": _numbers(asdict(self.guarantee)),
            "oracle_calls": {**_numbers(asdict(self.oracle_calls)), "total": int(self.oracle_calls.total)},
            "scaling": [{"N": N, "oracle_calls": calls} for N, calls in self.scaling],
            "exponent": self.exponent,
        }

    def to_text(self) -> str:
        """Return the plan as a few lines of text."""
        s, request = self.schedule, self.request
        alpha_L = s.alpha * request.constants.L
        whose = "tight" if request.certified_by == "tight" else "paper's"
        lines = [
            f"The {whose} {request.case} theorem certifies ḡ ≤ {self.guarantee.bound:.6g} (asked for: "
            f"{request.epsilon:g}) with",
            f"  inner steps              N     = {int(s.N)}",
            f"  inner stepsize           α     = {s.alpha:.6g}   (αL = {alpha_L:.4g}, cap {request.cap:.6g})",
            f"  meta stepsize 1/(C_β L̂)  C_β   = {s.C_beta:.6g}",
        ]
        lines += [
            f"  {meaning:<24} {symbol:<5} = {int(getattr(s, name)):,}" for name, symbol, meaning in _shown(request.case)
        ]
        calls = self.oracle_calls
        lines += [
            f"in {int(calls.total):,} oracle calls: {int(calls.gradients):,} gradients,"
            f" {int(calls.hessians):,} Hessians.",
            "Least cost by number of inner steps, αN kept:",
        ]
        lines += [f"  N = {N:<6} {'none is certified' if cost is None else f'{cost:,}'}" for N, cost in self.scaling]
        if self.exponent is not None:
            lines.append(f"so the cost grows like N^{self.exponent:.2f}.")
        return "\n".join(lines)


def plan(request: Request) -> Plan:
    """Plan a run: the cheapest α, C_β, batches and K for which the theorem of the request's case certifies its ε.

    Raises ValueError where no schedule meets the request; one line says why.

    Source: own (optimisation over the theorems of Ji, Yang, Liang, 2022).

    >>> from theory.constants import Constants
    >>> c = Constants(L=2.0, rho=1.5, sigma=0.7, b=0.0, b_sq=0.0)
    >>> planned = plan(Request(constants=c, N=5, epsilon=0.1, case="exact", Delta=3.0))
    >>> int(planned.schedule.K), bool(planned.guarantee.bound <= 0.1)
    (1600, True)
    """
    s = cheapest(request)
    if s is None:
        raise ValueError(
            f"epsilon = {request.epsilon:g} is not allowed: epsilon must be larger (a certified run takes more than "
            f"2^53 steps or samples)"
        )
    calls = oracle_calls(s, request.case, request.train_size, request.test_size)
    if calls.total > request.max_oracle_calls:
        raise ValueError(
            f"max_oracle_calls = {request.max_oracle_calls:g} is not allowed: max_oracle_calls must be >= "
            f"{calls.total:.0f}, the cost of the cheapest certified schedule"
        )
    N = request.N
    scaling = ((N, int(calls.total)), *((N * more, _cost_at(request, N * more)) for more in (2, 4, 8) if N > 0))
    return Plan(
        request, s, theorem(request.constants, s, request.case, request.theorems), calls, scaling, _exponent(scaling)
    )


def _cost_at(request: Request, N: int) -> int | None:
    """Cost of the cheapest schedule at another N, with the product αN kept; None where there is no such schedule."""
    alpha = request.least_alpha * request.N / N
    if alpha >= stepsize_cap(request.constants, N):
        return None
    s = cheapest(other := replace(request, N=N, alpha_min=alpha))
    return None if s is None else int(other.cost(s))


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
