"""Expectations: enumerated where the draws are few, else sampled, at a few points and with a few batch sizes."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, ClassVar, TypeAlias

import numpy as np

from problems.problem import Problem
from theory.constants import Schedule
from theory.loss import Array
from theory.norm import norm
from verify.cell import Cell
from verify.claim import Way
from verify.evidence.intervals import Interval, exactly, worst_entry
from verify.evidence.quantities import meta_gradients
from verify.evidence.ranges import AlmostSure
from verify.evidence.rounding import extent, meta_gradient_error
from verify.evidence.sampling import Draw, sample_until
from verify.verdict import Finding, Measured, Values

Bound: TypeAlias = Callable[..., Any]
"""What the measured quantity says the bound depends on ↦ the bound."""
Sizes: TypeAlias = Mapping[str, int]
"""Batch sizes, by the names that a schedule has for them."""

POINTS, SAMPLED_POINTS = 3, 1


@dataclass(frozen=True)
class Enumerated:
    """An exact expectation beside its bound, an entry for each point, and for each task where it is of one."""

    measured: Measured
    label: str
    samples: int


@dataclass(frozen=True)
class Sampled:
    """How an expectation is sampled.

    Attributes
    ----------
    draw, interval : samples of one chunk, and their intervals.
    bound, slack : of each entry, as in `Enumerated`.
    place : names what is drawn, among all that claims draw in the cell.
    share : number of such samplings in a cell.
    """

    draw: Draw
    interval: Callable[[Values, float], Interval]
    bound: Values
    slack: Values
    label: str
    place: tuple[Hashable, ...]
    share: int = 1


class Expectation(Way, ABC):
    """A mean over draws of data or tasks; the decorated function takes the paper and what the bound depends on."""

    @abstractmethod
    def sizes(self, cell: Cell) -> Sequence[Sizes]:
        """Batch sizes that are examined."""

    @abstractmethod
    def enumerated(self, cell: Cell, sizes: Sizes, bound: Bound) -> Enumerated | None:
        """Return the exact mean; None where there are too many draws."""

    @abstractmethod
    def sampled(self, cell: Cell, sizes: Sizes, bound: Bound) -> Sampled | None:
        """Return how the mean is sampled; None where nothing is known of its range, or it would show too little."""

    def witness(self, cell: Cell, at: tuple[int, ...]) -> dict[str, object]:
        """Where an entry is: the point, and the task where there is one."""
        point, *task = at
        return {"w": few_points(cell)[point].tolist(), **({"task": task[0]} if task else {})}

    def findings(self, cell: Cell, bound: Callable[..., Any]) -> Iterator[Finding]:
        """One finding, at the worst entry, for each of the batch sizes; claims of one cell share points and draws."""
        cell = cell.common
        for sizes in self.sizes(cell):
            limit = partial(bound, cell.paper_at(cell.schedule(**sizes)))
            if exact := self.enumerated(cell, sizes, limit):
                value, limits, slack = map(np.asarray, exact.measured)
                finding, at = worst_entry(exactly(value), limits, slack)
                finding = replace(finding, method="enumeration", samples=exact.samples, label=exact.label)
            elif mean := self.sampled(cell, sizes, limit):
                finding, at = sample_until(
                    cell, mean.draw, mean.interval, mean.bound, *mean.place, slack=mean.slack, share=mean.share
                )
                finding = replace(finding, label=mean.label)
            else:
                continue
            yield replace(finding, witness={**self.witness(cell, at), **sizes})


class PathExpectation(Expectation):
    """A mean over the minibatches of an inner path, of S data each: nothing is random at N = 0."""

    SIZES: ClassVar[Sequence[Sizes]] = ({"S": 1}, {"S": 4})
    least_N = 1

    def sizes(self, cell: Cell) -> Sequence[Sizes]:
        """Sizes of the minibatches."""
        return self.SIZES

    def ranges(self, cell: Cell, sizes: Sizes) -> AlmostSure | None:
        """Ranges on which sampling rests; None where they are not known, or a smaller S has narrower intervals."""
        ranges = AlmostSure.of(cell.problem, cell.alpha, cell.N)
        return ranges if sizes["S"] == 1 and ranges.bounded else None


@dataclass(frozen=True)
class EstimatorExpectation(PathExpectation):
    """A mean over the stochastic meta-gradients `Ĝ_i` of Algorithm 1, of each task or of all tasks.

    The bound depends on the size of the gradient: on `‖∇l_i(w)‖` of the task, or on `‖∇L(w)‖` of all.
    """

    over_tasks: bool = False

    def mean(self, values: Array, task_axis: int = -1) -> Values:
        """Mean over tasks, or the values of each of them."""
        return values.mean(axis=task_axis) if self.over_tasks else values

    def size(self, cell: Cell, w: Array) -> Values:
        """What the bound depends on: (P,) or (P, tasks)."""
        point = w[:, None]
        gradient = meta_gradients(cell, point).mean(axis=1) if self.over_tasks else cell.problem.inner.gradient(point)
        return norm(gradient)


def few_points(cell: Cell, count: int = POINTS) -> Array:
    """The problem's own starting point, then its random probes: (count, d)."""
    start = cell.problem.start[None]
    return start if count == 1 else np.concatenate([start, cell.problem.probes(count - 1, cell.rng("probes"))])


def noisy_extent(problem: Problem, w: Array) -> Array:
    """Extent of `w` (P, d) for the rounding of noisy paths, per task (P, tasks): with the noise of one gradient."""
    noise = 0.0 if np.isinf(problem.noise.gradient_sup) else problem.noise.gradient_sup
    return extent(problem, w[:, None]) + noise / problem.constants.L


def estimator_error(problem: Problem, s: Schedule, w: Array) -> Array:
    """Rounding error of `Ĝ_i`, hence of its mean: that of a meta-gradient with noisy factors."""
    c = problem.constants
    known = c if np.isfinite(c.rho) else replace(c, rho=c.L / problem.scale)
    noise = 0.0 if np.isinf(problem.noise.hessian_sup) else problem.noise.hessian_sup
    factors = (1 + s.alpha * noise / (1 + s.alpha * c.L)) ** s.N
    return factors * meta_gradient_error(replace(problem, constants=known), s, noisy_extent(problem, w))
