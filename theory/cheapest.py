"""Search for the cheapest schedule that a theorem certifies: a smooth relaxed problem, then whole numbers."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import lru_cache
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from theory.complexity import steps_to_accuracy
from theory.constants import Schedule
from theory.convergence import Theorem
from theory.request import Request

Point: TypeAlias = npt.NDArray[np.float64]
Bounds: TypeAlias = list[tuple[float, float]]

LARGEST_COUNT = 2.0**53
"""Beyond it a float64 does not tell a count from the next."""

_SHIFTS = (0.3, 0.1, 0.03, 0.01, 3e-3, 1e-3, 1e-4)
_DIFFERENCE = 1e-6
_COARSE = 20.0


def cheapest(request: Request) -> Schedule | None:
    """Schedule of fewest oracle calls that the theorem of the request's case certifies; deterministic.

    None where that takes more than `LARGEST_COUNT` of something.

    Source: own. For given α the relaxed problem is a geometric program, so convex in logarithms.
    """
    bounds = _bounds(request)
    solutions = [_relax(request, start, bounds) for start in _starts(request, bounds)]
    certified = [z for z in solutions if z is not None and np.exp(z[2:]).max() < LARGEST_COUNT]
    if not certified:
        return None
    z = min(certified, key=lambda z: float(request.cost(_at(request, z))))
    return _polish(request, _round_up(request, _round_small_counts(request, z, bounds)))


def _choices(request: Request) -> tuple[str, ...]:
    """All that is chosen but K: the stepsizes, then the counts."""
    return ("alpha", "C_beta", *request.counts)


def _largest_alpha(request: Request) -> float:
    """Largest α of the search, more than a rounding error below the cap; at N = 0, where α plays no part, the least."""
    return request.least_alpha if request.N == 0 else max(request.cap * (1 - 1e-9), request.least_alpha)


def _at(request: Request, z: Point) -> Theorem:
    """Theorem at the logarithms `z` of the choices and of K, one column a schedule."""
    values = dict(zip((*_choices(request), "K"), np.exp(z), strict=True))
    values["alpha"] = np.minimum(values["alpha"], _largest_alpha(request))
    return request.theorem(**values)


def _bounds(request: Request) -> Bounds:
    """Logarithmic bounds of the choices and of K."""
    counts = [(0.0, np.log(1e30))] * (len(request.counts) + 1)
    alpha = (np.log(request.least_alpha), np.log(_largest_alpha(request)))
    return [alpha, (np.log(0.5 + 1e-9), np.log(1e12)), *counts]


def _starts(request: Request, bounds: Bounds) -> Iterator[Point]:
    """Certified points, one a stepsize: all batches equal, of the size 2^i that costs least; none of infinite cost."""
    (lowest, highest), *_ = bounds
    for share in (0.0, 0.5):
        batch = 2.0 ** np.arange(100)
        alpha, C_beta = np.full(100, np.exp(lowest + share * (highest - lowest))), np.full(100, 100.0)
        choices = {"alpha": alpha, "C_beta": C_beta, **dict.fromkeys(request.counts, batch)}
        K = np.maximum(request.theorem(**choices).steps_needed(request.epsilon), 1.0)
        cost = np.broadcast_to(request.cost(request.theorem(**choices, K=K)), (100,))
        best = int(np.argmin(cost))
        if np.isfinite(cost[best]):
            yield np.log([alpha[best], 100.0, *[batch[best]] * len(request.counts), K[best]])


def _relax(request: Request, start: Point, bounds: Bounds) -> Point | None:
    """Minimise the logarithm of the cost over real-valued schedules, subject to the theorem's margin.

    Returns the cheapest certified point that it met (to a tolerance, which `_round_up` settles), None if it met none.
    """
    from scipy.optimize import minimize

    offsets = _DIFFERENCE * np.hstack([np.zeros((len(start), 1)), np.eye(len(start)), -np.eye(len(start))])
    met: list[tuple[float, Point]] = []

    @lru_cache(maxsize=1)
    def evaluate(*place: float) -> tuple[Point, Point]:
        """Margin and log cost at a point, and at its neighbours a difference ahead and behind: one batched call."""
        z = np.array(place)
        p = _at(request, z[:, None] + offsets)
        certified, log_cost = np.asarray(p.margin(request.epsilon)), np.log(request.cost(p))
        if certified[0] > -1e-6:
            met.append((float(log_cost[0]), z))
        return certified, log_cost

    def value(which: int) -> Callable[[Point], float]:
        return lambda z: float(evaluate(*z)[which][0])

    def slope(which: int) -> Callable[[Point], Point]:
        def central(z: Point) -> Point:
            ahead, behind = np.split(evaluate(*z)[which][1:], 2)
            return (ahead - behind) / (2 * _DIFFERENCE)

        return central

    minimize(
        value(1),
        start,
        jac=slope(1),
        bounds=bounds,
        constraints={"type": "ineq", "fun": value(0), "jac": slope(0)},
        method="SLSQP",
        options={"maxiter": 60, "ftol": 1e-6},
    )
    return min(met, key=lambda point: point[0])[1] if met else None


def _round_small_counts(request: Request, z: Point, bounds: Bounds) -> Point:
    """Round the counts below `_COARSE`, least first, to the cheaper neighbour once all else is optimised again."""
    bounds = list(bounds)
    places = range(2, len(_choices(request)))
    while unsettled := [i for i in places if bounds[i][0] < bounds[i][1] and z[i] < np.log(_COARSE)]:
        i = min(unsettled, key=lambda i: float(z[i]))
        count = np.exp(z[i])
        candidates = [z] if abs(count - np.round(count)) < 1e-6 else []
        for whole in () if candidates else (np.floor(count), np.ceil(count)):
            bounds[i] = (np.log(whole), np.log(whole))
            candidate = _relax(request, np.where(np.arange(len(z)) == i, bounds[i][0], z), bounds)
            if candidate is not None:
                candidates.append(candidate)
        z = min(candidates, key=lambda z: float(request.cost(_at(request, z))))
        bounds[i] = (z[i], z[i])
    return z


def _round_up(request: Request, z: Point) -> Schedule:
    """Whole counts, none below those of `z`, and the least K that the theorem certifies with them."""
    values = dict(zip(_choices(request), np.exp(z), strict=False))
    values["alpha"] = min(max(values["alpha"], request.least_alpha), _largest_alpha(request))
    values["C_beta"] = float(f"{values['C_beta']:.4g}")  # the cost is flat in C_β there: spare the reader the digits
    values |= {name: np.ceil(values[name] - 1e-6) for name in request.counts}
    while np.isinf(
        K := steps_to_accuracy(
            request.constants, s := request.schedule(**values), request.epsilon, request.case, request.theorems
        )
    ):
        # `z` was certified to a tolerance only, and K cannot make up for noise.
        values["C_beta"] *= 1.01
        values |= {name: np.ceil(1.01 * values[name]) for name in request.counts}
    return replace(s, K=K)


def _polish(request: Request, s: Schedule) -> Schedule:
    """Descend over the neighbours that change one choice, K following, until none is cheaper by 1e-4 of the cost."""
    for _ in range(100):
        neighbours = _neighbours(request, s)
        K = np.asarray(
            steps_to_accuracy(request.constants, neighbours, request.epsilon, request.case, request.theorems)
        )
        certified = np.isfinite(K)
        costs = np.where(certified, request.cost(replace(neighbours, K=np.where(certified, K, 1.0))), np.inf)
        best = int(np.argmin(costs))
        if not costs[best] < request.cost(s) * (1 - 1e-4):
            break
        s = replace(s, **{name: np.asarray(getattr(neighbours, name))[best] for name in _choices(request)}, K=K[best])
    return s


def _neighbours(request: Request, s: Schedule) -> Schedule:
    """Schedules that differ from `s` in one choice, as one schedule of arrays."""
    values = {name: float(getattr(s, name)) for name in _choices(request)}
    columns: list[dict[str, float]] = []
    for name, value in values.items():
        for factor in (1 + sign * shift for shift in _SHIFTS for sign in (-1, 1)):
            other = value * factor
            if name in request.counts:
                other = max(np.floor(other) if factor < 1 else np.ceil(other), 1.0)
            elif name == "alpha":
                other = min(max(other, request.least_alpha), _largest_alpha(request))
            columns.append({**values, name: other})
    return replace(s, **{name: np.array([column[name] for column in columns]) for name in values})
