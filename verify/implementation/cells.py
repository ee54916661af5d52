"""Where an implementation is examined: a problem, a number of inner steps, an inner stepsize."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from itertools import product

import numpy as np

from problems.differentiable.instances import instances
from problems.losses.linear_model import LinearModel
from theory.loss import Array
from theory.maml import adapt

ALPHA_L = (0.1, 0.5)
"""Dimensionless stepsizes αL: a usual one, and one at which terms of second order are large."""
INNER_STEPS = (1, 2, 5)
REPLICAS = 16
"""Starts in single precision that show how far rounding carries."""


@dataclass(frozen=True, eq=False)
class Cell:
    """One problem with `N` inner steps of stepsize `alpha` from `w`.

    Attributes
    ----------
    problem : its name.
    train, test : losses of all tasks, batch shape (tasks,).
    w : (..., 1, d) the point, which meets all tasks.
    """

    problem: str
    train: LinearModel
    test: LinearModel
    w: Array
    N: int
    alpha: float

    def __str__(self) -> str:
        return f"problem {self.problem}, N = {self.N}, alpha = {self.alpha:.4g}"

    @property
    def tasks(self) -> int:
        """Number of tasks."""
        return len(self.train.design)

    @property
    def data(self) -> int:
        """Number of data in a training set."""
        return int(self.train.design.shape[-2])

    @cached_property
    def path(self) -> list[Array]:
        """The N + 1 points of the inner path, (..., tasks, d) but the first, which is `w`."""
        return adapt(self.w, self.alpha, [self.train] * self.N)

    def in_single_precision(self) -> Cell:
        """Return the same in float32, from starts (replicas, 1, d) that differ from `w` by rounding."""
        rng = np.random.default_rng(0)
        shift = np.finfo(np.float32).eps * rng.uniform(-1, 1, size=(REPLICAS, *self.w.shape))
        w = (self.w * (1 + shift)).astype(np.float32)
        return replace(self, train=_single(self.train), test=_single(self.test), w=w)


def _single(model: LinearModel) -> LinearModel:
    return replace(model, design=model.design.astype(np.float32), target=model.target.astype(np.float32))


def cells() -> list[Cell]:
    """All cells: every problem, stepsize and number of inner steps."""
    return [
        Cell(instance.name, instance.train, instance.test, instance.start[None], N, alpha_L / instance.smoothness)
        for instance, alpha_L, N in product(instances(), ALPHA_L, INNER_STEPS)
    ]
