"""Critical stepsizes of exact MAML with a fixed meta stepsize, decided by iterating it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from problems.problem import Problem
from theory.loss import Array
from theory.maml import Direction, mean_over_tasks, meta_gradient
from theory.norm import norm
from verify.verdict import Values

PARTS, ROUNDS = 256, 3


@dataclass(frozen=True)
class Bracket:
    """A critical value lies in `[low, high]`; `high` is infinite where all values tried were stable."""

    low: float
    high: float


def fixed_steps(
    problem: Problem,
    N: int,
    alpha: Values | float,
    beta: float,
    w: Array,
    steps: int,
    direction: Direction = meta_gradient,
) -> tuple[Array, Array]:
    """Exact MAML with fixed β from `w` (P, d), an inner stepsize for all or (P,) for each: the last two iterates.

    Along another direction where one is given. They may be infinite or NaN where the iterates diverge.
    """
    previous, column = w, alpha[:, None, None] if isinstance(alpha, np.ndarray) else alpha
    with np.errstate(all="ignore"):
        for _ in range(steps):
            gradient = mean_over_tasks(direction(w[:, None], column, N, problem.inner, problem.outer))
            previous, w = w, w - beta * gradient
    return previous, w


def contracts(
    problem: Problem,
    N: int,
    alpha: Values,
    beta: float,
    displacement: float,
    steps: int = 4,
    direction: Direction = meta_gradient,
) -> npt.NDArray[np.bool_]:
    """Whether iterates that start `displacement` from the meta-minimiser 0, in every coordinate, come nearer: (P,)."""
    start = np.full((len(alpha), problem.dim), displacement)
    _, w = fixed_steps(problem, N, alpha, beta, start, steps, direction)
    return norm(w) < norm(start)


def first_failure(stable: Callable[[Values], npt.NDArray[np.bool_]], low: float, high: float) -> Bracket:
    """First value in `[low, high]` at which `stable` (values (P,) ↦ booleans (P,)) fails, to 256^−3 of the interval.

    Bisection, in 256 parts at once. `low` itself comes back where even it is not stable.
    """
    for _ in range(ROUNDS):
        grid = np.linspace(low, high, PARTS + 1)
        fails = ~stable(grid)
        if not fails.any():
            return Bracket(high, np.inf)
        first = int(np.argmax(fails))
        if first == 0:
            return Bracket(low, low)
        low, high = float(grid[first - 1]), float(grid[first])
    return Bracket(low, high)
