"""How curved the losses are along the paths that a run takes."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from problems.problem import Problem
from problems.user.climbing import Objective, normalised
from problems.user.objectives import curvature, third_derivative
from theory.loss import Array
from theory.maml import adapt

ITERATES = 8
"""So many iterates of a run are looked at, from the first to the last."""
REPETITIONS = 3
DIFFERENCE = 5e-3
"""Distance of differences of Hessian-vector products, in units of the problem's scale."""


class OnPaths(NamedTuple):
    """The largest spectral norm of a Hessian, and of a third derivative, that was met."""

    L: float
    rho: float


def on_paths(problem: Problem, N: int, alpha: float, points: Array) -> OnPaths:
    """Look at the inner paths of every task from some of the iterates `points` (K + 1, d).

    The Hessians of training losses count along the path, those of test losses at its end: as in the meta-gradient.
    Power iterations from random vectors: values come from below.
    """
    some = points[np.unique(np.linspace(0, len(points) - 1, ITERATES).round().astype(int))]
    some = some[np.isfinite(some).all(axis=1)]
    start = np.broadcast_to(some[:, None], (len(some), problem.number_of_tasks, problem.dim))
    path = adapt(start, alpha, [problem.inner] * N)
    train = np.stack(path[: N or 1]).reshape(-1, problem.dim)
    test = path[-1].reshape(-1, problem.dim)
    h = DIFFERENCE * problem.scale
    tasks = np.arange(problem.number_of_tasks)
    inner = problem.inner.take(np.resize(tasks, len(train)))
    outer = problem.outer.take(np.resize(tasks, len(test)))
    L = max(_largest(curvature(inner.hvp, h), train, 1), _largest(curvature(outer.hvp, h), test, 1))
    return OnPaths(L, _largest(third_derivative(inner.hvp, h), train, 2))


def _largest(objective: Objective, w: Array, directions: int) -> float:
    states = normalised(np.random.default_rng(0).normal(size=(len(w), directions, w.shape[1])))
    state = states[:, 0] if directions == 1 else states
    with np.errstate(all="ignore"):
        for _ in range(REPETITIONS):
            value, state = objective.value(w, state)
    return float(np.nanmax(value))
