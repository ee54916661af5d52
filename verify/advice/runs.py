"""Runs of exact MAML at many inner stepsizes at once, and where the first of them diverges."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from problems.problem import Problem
from theory.constants import Schedule
from theory.loss import Array
from theory.maml import adapt, mean_over_tasks, pull_back
from theory.norm import norm
from theory.paper import Paper
from verify.verdict import Values

STABLE = -1
FAR = 10.0
"""A run has diverged where the meta objective is so many times as far above its bound as the loss at the start is."""


@dataclass(frozen=True)
class Rule:
    """The meta stepsize of a run: fixed, or the theorem's `1/(C_β L_w)` with `C_β = 1` where `beta` is None."""

    beta: float | None = None

    def __str__(self) -> str:
        return "the theorem's β" if self.beta is None else f"β = {self.beta:.3g}"


@dataclass(frozen=True)
class Runs:
    """Runs from one start, P of them.

    Attributes
    ----------
    points : (P, K + 1, d) iterates, NaN from the step on after which a run has diverged.
    diverged_at : (P,) the first iterate at which a run has diverged, `STABLE` where it has not. At 0 the inner steps
        alone carry the loss that high.
    """

    points: Array
    diverged_at: npt.NDArray[np.intp]


def run_all(problem: Problem, N: int, alpha: Values, beta: Values, steps: int) -> Runs:
    """Exact MAML from the problem's start, at inner stepsizes `alpha` (P,) and meta stepsizes `beta` (P,).

    A meta stepsize that is NaN is the theorem's, at each step.
    """
    top, column = ceiling(problem), alpha[:, None, None]
    w = np.tile(problem.start, (len(alpha), 1))
    diverged_at, points = np.full(len(alpha), STABLE), [w]
    with np.errstate(all="ignore"):
        for step in range(steps + 1):
            path = adapt(w[:, None], column, [problem.inner] * N)
            objective = problem.outer.value(path[-1]).mean(axis=-1)
            alive = diverged_at == STABLE
            gone = alive & ~(objective <= top)  # NaN is gone
            diverged_at[gone] = step
            if step == steps or not (alive & ~gone).any():
                break
            v = pull_back(problem.outer.gradient(path[-1]), path, column, [problem.inner] * N)
            w = w - _stepsizes(problem, N, alpha, beta, w)[:, None] * mean_over_tasks(v)
            w = np.where((alive & ~gone)[:, None], w, np.nan)
            points.append(w)
    return Runs(np.stack(points, axis=1), diverged_at)


def _stepsizes(problem: Problem, N: int, alpha: Values, beta: Values, w: Array) -> Values:
    """β (P,) at `w` (P, d)."""
    by_theorem = np.isnan(beta)
    if not by_theorem.any():
        return beta
    norms = norm(problem.outer.gradient(w[:, None])).mean(axis=-1)
    L_w = Paper(problem.constants, Schedule(N=N, alpha=alpha)).L_w(np.where(np.isfinite(norms), norms, 0.0))
    return np.where(by_theorem, 1 / np.asarray(L_w), beta)


def ceiling(problem: Problem) -> float:
    """The meta objective above which a run counts as diverged."""
    loss = float(problem.outer.value(problem.start).mean())
    bottom = problem.constants.lower_bound
    gap = loss - bottom if math.isfinite(bottom) else abs(loss)
    return loss + (FAR - 1) * max(gap, float(np.finfo(np.float64).tiny))


@dataclass(frozen=True)
class Critical:
    """The first α at which a run diverged, infinite where none did, and the last before it at which none had, or 0."""

    stable: float
    unstable: float


def critical_of(alpha: Values, diverged: npt.NDArray[np.bool_]) -> Critical:
    """Read from runs at inner stepsizes `alpha` (P,), in any order."""
    order = np.argsort(alpha, kind="stable")
    alpha, diverged = alpha[order], diverged[order]
    if not diverged.any():
        return Critical(float(alpha[-1]), math.inf)
    first = int(diverged.argmax())
    return Critical(float(alpha[first - 1]) if first else 0.0, float(alpha[first]))
