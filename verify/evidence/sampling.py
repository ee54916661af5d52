"""Sampling until a verdict is clear, and sampled inner paths."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import replace
from functools import partial
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from problems.problem import Problem
from theory.loss import Array
from theory.maml import adapt, pull_back
from verify.cell import Cell
from verify.evidence.intervals import Interval, worst_entry
from verify.shared import shared
from verify.verdict import Finding, Values, judge

Draw: TypeAlias = Callable[[int, np.random.Generator], Values]
"""Number of samples and generator ↦ i.i.d. samples (n, ...)."""

GROWTH = 4
CHUNK = 2000
CHUNK_NUMBERS, ROUND_NUMBERS = 2**20, 2**25
"""Numbers that a chunk of draws, and the samples of a round, may hold at most: memory stays bounded."""
SHARED_NUMBERS = 2**19
"""Samples of a round that are kept for other claims hold no more numbers."""


def sample_until(
    cell: Cell,
    draw: Draw,
    interval: Callable[[Values, float], Interval],
    bound: Values,
    *place: Hashable,
    slack: npt.ArrayLike = 0.0,
    share: int = 1,
) -> tuple[Finding, tuple[int, ...]]:
    """Sample in rounds, each `GROWTH` times as large as the one before, until the verdict on all entries is clear.

    The cell's error probability is split over its `share` calls, the rounds and the entries of `bound`, so all the
    intervals of all the rounds hold together, and it does not matter that the verdict decides when to stop.

    Parameters
    ----------
    draw : samples of one chunk, (n, ...); called with the round's own generator.
    interval : samples and an error probability for each entry ↦ intervals of the entries.
    bound : what the formula under test gives, one entry each.
    place : names what is drawn within the cell; where another call has drawn it already, nothing is drawn again.
    slack : absolute rounding error of the entries.
    share : number of calls that share the cell's error probability.

    Returns
    -------
    The worst entry's finding, and its index.
    """
    delta = cell.delta / (share * cell.effort.rounds * max(bound.size, 1))
    width = cell.problem.number_of_tasks * cell.problem.dim
    chunk = max(1, min(CHUNK, CHUNK_NUMBERS // width))
    for sampling_round in range(cell.effort.rounds):
        rng = cell.rng(*place, sampling_round)
        count = min(cell.effort.samples * GROWTH**sampling_round, ROUND_NUMBERS // width)
        sizes = [chunk] * (count // chunk) + ([count % chunk] if count % chunk else [])
        sample = partial(_concatenated, draw, sizes, rng)
        few = count * width <= SHARED_NUMBERS
        samples = shared(cell, sample, *place, sampling_round, count) if few else sample()
        finding, at = worst_entry(interval(samples, delta), bound, slack)
        finding = replace(finding, method="monte-carlo", samples=count)
        if judge(finding) != "inconclusive":
            break
    return finding, at


def _concatenated(draw: Draw, sizes: list[int], rng: np.random.Generator) -> Values:
    return np.concatenate([draw(size, rng) for size in sizes])


def sample_paths(
    problem: Problem, w: Array, alpha: float, N: int, S: int, count: int, rng: np.random.Generator
) -> list[Array]:
    """`count` independent inner paths for every task from each of `w` (P, d): N + 1 arrays (count, P, tasks, d)."""
    chosen = _all_tasks(problem, count, len(w))
    start = np.broadcast_to(w[:, None], (*chosen.shape, problem.dim))
    return adapt(start, alpha, (problem.minibatch(chosen, S, rng) for _ in range(N)))


def sample_estimator(
    problem: Problem, paths: list[Array], alpha: float, D: int, T: int, rng: np.random.Generator
) -> Array:
    """Fresh Hessian batches of `D` and outer batches of `T` data on sampled paths: `Ĝ_i` (count, P, tasks, d)."""
    chosen = _all_tasks(problem, *paths[0].shape[:2])
    v = problem.minibatch(chosen, T, rng).gradient(paths[-1])
    for point in reversed(paths[:-1]):  # one batch at a time: thousands of them may hold the pieces of long splines
        v = pull_back(v, [point], alpha, [problem.minibatch(chosen, D, rng)])
    return v


def linear_deviation(problem: Problem, paths: list[Array], exact: list[Array], alpha: float) -> Array:
    """`d_N` of `d_{j+1} = (I − α∇²l_i(w̃_j)) d_j + noise_j`, the deviation to first order; its mean is exactly zero.

    `noise_j = w_{j+1} − (w_j − α∇l_i(w_j))` is centred given the path up to j. `paths` and `exact` are N + 1 points.
    """
    d = np.zeros_like(paths[0])
    for w, w_next, w_exact in zip(paths[:-1], paths[1:], exact[:-1], strict=True):
        d = d - alpha * problem.inner.hvp(w_exact, d) + (w_next - (w - alpha * problem.inner.gradient(w)))
    return d


def _all_tasks(problem: Problem, count: int, points: int) -> Array:
    """Every task for each of `count` samples at each of `points` starts: indices (count, points, tasks)."""
    return np.broadcast_to(np.arange(problem.number_of_tasks), (count, points, problem.number_of_tasks))
