"""What the claims about expectations share: where they look, with which batches, and how far float64 carries them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from problems.problem import Problem
from theory.constants import Schedule
from theory.loss import Array
from verify.claim import Cell
from verify.evidence.enumeration import InnerPaths, Values
from verify.evidence.rounding import extent, meta_gradient_error
from verify.verdict import EPS

BATCH_SIZES = (1, 4)
POINTS = 3
SAMPLED_SIZE, SAMPLED_POINTS = 1, 1
"""Where there is sampling: the ranges, and so the intervals, are the narrowest beside the bounds for the smallest S."""


def norm(v: Array) -> Values:
    """Euclidean norm over the last axis."""
    return np.asarray(np.linalg.norm(v, axis=-1))


def witness(w: Array, at: tuple[int, ...], **fields: int) -> dict[str, object]:
    """Where a finding was made: the point `w[at[0]]`, the task `at[1]` where there is one, and the batch sizes."""
    task = {"task": at[1]} if len(at) > 1 else {}
    return {"w": w[at[0]].tolist(), **task, **fields}


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


def enumeration_error(paths: InnerPaths, values: Values) -> Values:
    """Rounding of the weighted sums over the tree, level by level, and of the multinomial probabilities."""
    return 2 * EPS * len(paths.points) * (len(paths.probabilities) + 64) * np.abs(values)
