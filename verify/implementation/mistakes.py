"""The catalogue of known mistakes, each computed by the suite's own code.

What an implementation returns has two parts: a vector for each task (`PER_TASK`), and what is made of these vectors
(`OVER_TASKS`). The first of each is right. Any two of them go together, so that two mistakes at once are known as well.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TypeAlias

from theory.loss import Array
from theory.maml import mean_over_tasks, pull_back
from verify.implementation.cells import Cell

Change: TypeAlias = Callable[[Cell], Cell]


@dataclass(frozen=True)
class PerTask:
    """A vector for each task, (..., tasks, d) at a cell; the mistake's name and what it is, "" where it is none."""

    name: str
    says: str
    vector: Callable[[Cell], Array]


@dataclass(frozen=True)
class OverTasks:
    """One vector (..., d) of those of all tasks; the mistake's name and what it is, "" where it is none."""

    name: str
    says: str
    combine: Callable[[Array], Array]


def test_gradient(cell: Cell) -> Array:
    """`g_N`, the test gradient at `w̃_N`."""
    return cell.test.gradient(cell.path[-1])


def with_hessians_at(points: slice) -> Callable[[Cell], Array]:
    """Pull `g_N` back by the factors at these points of the path, the last one first."""

    def vector(cell: Cell) -> Array:
        chosen = cell.path[points]
        return pull_back(test_gradient(cell), chosen, cell.alpha, [cell.train] * len(chosen))

    return vector


exact = with_hessians_at(slice(-1))
"""`(I − αH_0)⋯(I − αH_{N−1}) g_N`."""


def at_another(name: str, says: str, change: Change) -> PerTask:
    """The right meta-gradient, of other losses, steps or stepsizes than asked for."""
    return PerTask(name, says, lambda cell: exact(change(cell)))


def with_stepsize(factor: Callable[[Cell], float]) -> Change:
    """Scale the inner stepsize."""
    return lambda cell: replace(cell, alpha=cell.alpha * factor(cell))


def reptile(name: str, says: str, divisor: Callable[[Cell], float]) -> PerTask:
    """`(w − w̃_N)/divisor`."""
    return PerTask(name, says, lambda cell: (cell.w - cell.path[-1]) / divisor(cell))


PER_TASK = (
    PerTask("", "", exact),
    PerTask(
        "first-order",
        "the inner gradients are taken for constants, so no Hessian enters (PyTorch: create_graph=True is missing)",
        test_gradient,
    ),
    PerTask(
        "late Hessians",
        "the Hessians are taken one step late, at w̃_1, …, w̃_N in place of w̃_0, …, w̃_{N−1}",
        with_hessians_at(slice(1, None)),
    ),
    PerTask(
        "reversed factors",
        "the factors are in reversed order: I − αH_{N−1} must be applied first, I − αH_0 last",
        with_hessians_at(slice(-2, None, -1)),
    ),
    at_another(
        "training and test swapped",
        "w is adapted to the test losses and judged by the training losses",
        lambda cell: replace(cell, train=cell.test, test=cell.train),
    ),
    at_another(
        "training loss at the end",
        "the adapted point is judged by the training losses",
        lambda cell: replace(cell, test=cell.train),
    ),
    PerTask(
        "gradient before adaptation",
        "this is the test gradient at w itself: the adapted point is not used",
        lambda cell: cell.test.gradient(cell.w),
    ),
    at_another("N + 1 steps", "there is one inner step too many", lambda cell: replace(cell, N=cell.N + 1)),
    at_another("N - 1 steps", "there is one inner step too few", lambda cell: replace(cell, N=cell.N - 1)),
    at_another("alpha times data", "α is multiplied by the number of data", with_stepsize(lambda cell: cell.data)),
    at_another("alpha over data", "α is divided by the number of data", with_stepsize(lambda cell: 1 / cell.data)),
    at_another("alpha times tasks", "α is multiplied by the number of tasks", with_stepsize(lambda cell: cell.tasks)),
    at_another("alpha over tasks", "α is divided by the number of tasks", with_stepsize(lambda cell: 1 / cell.tasks)),
    PerTask(
        "truncated",
        "only the last inner step is differentiated: I − αH_{N−1} is the only factor",
        with_hessians_at(slice(-2, -1)),
    ),
    reptile("Reptile", "this is Reptile's direction w − w̃_N", lambda cell: 1),
    reptile("Reptile over alpha", "this is Reptile's direction (w − w̃_N)/α", lambda cell: cell.alpha),
    reptile("Reptile over N alpha", "this is Reptile's direction (w − w̃_N)/(Nα)", lambda cell: cell.N * cell.alpha),
)

OVER_TASKS = (
    OverTasks("", "", mean_over_tasks),
    OverTasks("sum over tasks", "this is the sum over tasks in place of the mean", lambda each: each.sum(axis=-2)),
    OverTasks("only the last task", "only the last task counts, the others are lost", lambda each: each[..., -1, :]),
    OverTasks("sign", "the sign is wrong", lambda each: -mean_over_tasks(each)),
)
