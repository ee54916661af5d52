"""Expectations over noisy inner paths on the line that meet again and again, as chains on few points do."""

from __future__ import annotations

import numpy as np

from problems.noise import FiniteNoise
from problems.problem import Problem
from theory.loss import Array

SAME = 1e-9
"""Relative distance of points that are one."""


def mean_estimator(problem: Problem, alpha: float, N: int, w: float, task: int) -> tuple[float, list[Array]]:
    """`E Ĝ_i` at `w` for single data (S = 1), and the points that the path may be at after each step."""
    assert isinstance(problem.noise, FiniteNoise)
    atoms = len(problem.noise.probabilities)
    data = problem.noise.weighted(np.full(atoms, task), np.eye(atoms))
    loss = problem.inner.take(np.array(task))
    levels, follow = [np.array([w])], []
    for _ in range(N):
        x = levels[-1][:, None, None]
        reached = (x - alpha * data.gradient(x))[..., 0]
        scale = np.abs(reached).max() + abs(w)
        _, first, which = np.unique((reached / (SAME * scale)).round(), return_index=True, return_inverse=True)
        levels.append(reached.ravel()[first])
        follow.append(which.reshape(reached.shape))
    value = loss.gradient(levels[-1][:, None])[:, 0]
    for x, which in zip(reversed(levels[:-1]), reversed(follow), strict=True):
        factor = 1 - alpha * loss.hvp(x[:, None], np.ones(1))[:, 0]
        value = factor * (value[which] @ problem.noise.probabilities)
    return float(value[0]), levels
