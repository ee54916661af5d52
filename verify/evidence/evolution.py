"""Differential evolution of a whole population at once."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from theory.loss import Array

CROSSOVER, LEAST_SCALE, LARGEST_SCALE = 0.7, 0.5, 1.0


def evolve(
    objective: Callable[[Array], Array],
    population: Array,
    box: tuple[Array, Array],
    generations: int,
    rng: np.random.Generator,
) -> None:
    """Minimise `objective`, which remembers what it is asked, until `generations` are over or all members are equal.

    In every generation each member meets a rival: the best member plus a multiple of the difference of two others,
    crossed with the member, and coordinates outside the box drawn anew. The better of the two lives on.

    The draws, and so the points to the last digit, are those of `scipy.optimize.differential_evolution` with
    `init=population, updating="deferred", vectorized=True, tol=0, polish=False`, whose Python for each member costs as
    much as cheap objectives do.

    Parameters
    ----------
    objective : points (P, n) ↦ values (P,), finite.
    population : (P, n), P ≥ 5, clipped to the box.
    box : lowest and highest coordinates, (n,) each.

    Source: Storn and Price, J. Global Optim. 11 (1997), strategy best/1/bin.
    """
    middle, width = 0.5 * (box[0] + box[1]), box[1] - box[0]
    members = np.clip((population - middle) * (1 / np.where(width > 0, width, 1)) + 0.5, 0, 1)
    values = objective(middle + (members - 0.5) * width)
    order = np.arange(len(members))
    _best_first(members, values)
    for _ in range(generations):
        rivals, order = _rivals(members, order, rng)
        rival_values = objective(middle + (rivals - 0.5) * width)
        better = rival_values <= values
        members[better], values[better] = rivals[better], rival_values[better]
        _best_first(members, values)
        if (values == values[0]).all() and np.std(values) == 0:  # the second alone says it, and costs ten times more
            break


def _rivals(members: Array, order: Array, rng: np.random.Generator) -> tuple[Array, Array]:
    """The rival of every member, of whom the first is the best, in a box of side 1; and the next order."""
    P, n = members.shape
    itself = np.arange(P)
    scale = rng.uniform(LEAST_SCALE, LARGEST_SCALE)
    (one, other), order = _two_others(order, itself, rng)
    mutant = members[0] + scale * (members[one] - members[other])
    crossed_surely = rng.integers(n, size=P)
    crossed = rng.random((P, n)) < CROSSOVER
    crossed[itself, crossed_surely] = True
    rivals = np.where(crossed, mutant, members)
    outside = (rivals < 0) | (rivals > 1)
    if outside.any():
        rivals[outside] = rng.random(np.count_nonzero(outside))
    return rivals, order


def _two_others(order: Array, itself: Array, rng: np.random.Generator) -> tuple[tuple[Array, Array], Array]:
    """For every member, two more at random, out of an order that is shuffled once a member; and the last order."""
    P = len(order)
    orders = rng.permuted(itself[None].repeat(P, axis=0), axis=1)
    before, row = 1, P * itself[:, None]
    while before < P:  # row k holds what k and the shuffles before it, twice as many each time, do together
        orders[before:] = orders.reshape(-1)[orders[before:] + row[:-before]]
        before *= 2
    orders = order[orders]
    first, second, third = orders[:, :3].T
    one = np.where(first == itself, second, first)
    other = np.where((first == itself) | (second == itself), third, second)
    return (one, other), orders[-1]


def _best_first(members: Array, values: Array) -> None:
    """Let the best member and the first change places."""
    best = int(np.argmin(values))
    members[[0, best]], values[[0, best]] = members[[best, 0]], values[[best, 0]]
