"""What a problem's constants bound, measured: each function gives measured value, declared bound and rounding slack.

Points are (P, 1, d) and meet all tasks, as in every attack. The declared constant comes from the cell's formula, so
that a wrong one can be put in its place.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Self

import numpy as np

from problems.noise import DataNoise
from problems.problem import Problem
from theory.loss import Array, Loss
from theory.norm import inner_product, norm
from verify.cell import Cell
from verify.evidence.intervals import mean_interval
from verify.evidence.quantities import meta_objectives
from verify.evidence.rounding import extent, meta_objective_error, unit
from verify.verdict import Measured, Values

POWER_ITERATIONS = 4
TRUNCATION = 4
"""Sampled squares of noise are cut off at so many times their declared mean: the mean of the rest is no larger."""

TINY = float(np.finfo(np.float64).tiny)


def steepest(apply: Callable[[Array], Array], v: Array) -> Array:
    """Unit vectors near the top eigenvectors of symmetric matrices, by power iteration from `v`."""
    for _ in range(POWER_ITERATIONS if v.shape[-1] > 1 else 0):
        v = apply(v)
        v = v / np.maximum(norm(v)[..., None], TINY)
    return v


def declared(cell: Cell, name: str) -> Values:
    """The constant `name` as the cell's formula has it."""
    return np.asarray(cell.formula(cell.constants, name))


def smoothness(cell: Cell, w: Array, u: Array) -> Measured:
    """`‖∇l(w) − ∇l(w + hv)‖ ≤ L h` for training and test losses, `h = ‖w − u‖` and v where they are steepest."""
    problem, L = cell.problem, cell.constants.L
    size = extent(problem, w)
    h = norm(u - w)[..., None]
    first = np.broadcast_to((u - w) / np.maximum(h, TINY), (*size.shape, problem.dim))
    measured = []
    for loss in (problem.inner,) if problem.inner is problem.outer else (problem.inner, problem.outer):
        v = steepest(partial(loss.hvp, w), first)
        measured.append(norm(loss.gradient(w + h * v) - loss.gradient(w)))
    slack = 2 * unit(problem) * L * (size + h[..., 0])
    return Measured(np.max(measured, axis=0), declared(cell, "L") * h[..., 0], slack)


def hessian_smoothness(cell: Cell, w: Array, u: Array) -> Measured:
    """`‖∇²l(w) − ∇²l(w + hv)‖ ≤ ρ h` for training losses, `h = ‖w − u‖`, v where they turn fast."""
    problem, c = cell.problem, cell.constants
    size = extent(problem, w)
    distance = norm(u - w)
    h = distance[..., None]
    first = np.broadcast_to((u - w) / np.maximum(h, TINY), (*size.shape, problem.dim))
    fast = steepest(lambda v: problem.inner.hvp(w + h * v, v) - problem.inner.hvp(w, v), first)

    def change(v: Array) -> Array:
        return problem.inner.hvp(w + h * fast, v) - problem.inner.hvp(w, v)

    v = steepest(change, fast)
    slack = 2 * unit(problem) * (c.L + c.rho * size)
    return Measured(norm(change(v)), declared(cell, "rho") * distance, slack)


def spread(cell: Cell, w: Array) -> Measured:
    """`E_i ‖∇l_{T_i}(w) − ∇l_T(w)‖² ≤ σ²`, as root mean squares."""
    gradient = cell.problem.outer.gradient(w)
    deviation = gradient - gradient.mean(axis=1, keepdims=True)
    slack = 2 * unit(cell.problem) * cell.constants.L * extent(cell.problem, w).max(axis=1)
    return Measured(np.sqrt(inner_product(deviation, deviation).mean(axis=1)), declared(cell, "sigma"), slack)


def mismatches(problem: Problem, w: Array) -> Array:
    """`‖∇l_{S_i}(w_i) − ∇l_{T_i}(w_i)‖` at points (P, tasks, d), one a task, or (P, 1, d): (P, tasks)."""
    return norm(problem.inner.gradient(w) - problem.outer.gradient(w))


def mismatch(cell: Cell, w: Array, name: str) -> Measured:
    """`E_i sup_w ‖∇l_{S_i}(w) − ∇l_{T_i}(w)‖^p`, p = 1 for `b` and 2 for `b_sq`; points (P, tasks, d), one a task."""
    power = 2 if name == "b_sq" else 1
    found = mismatches(cell.problem, w)
    error = 2 * unit(cell.problem) * cell.constants.L * extent(cell.problem, w)
    slack = (error * power * np.maximum(found, error) ** (power - 1)).mean(axis=1)
    return Measured((found**power).mean(axis=1), declared(cell, name), slack)


def gradient_bound(cell: Cell, w: Array) -> Measured:
    """`‖∇l(w)‖ ≤ gradient_bound` for training and test losses, at points brought into the ball where it is said."""
    problem = cell.problem
    w = w * np.minimum(1.0, problem.gradient_radius / np.maximum(norm(w), TINY))[..., None]
    largest = np.maximum(*(norm(loss.gradient(w)).max(axis=-1) for loss in (problem.inner, problem.outer)))
    slack = unit(problem) * cell.constants.L * extent(problem, w).max(axis=-1)
    return Measured(largest, np.full(largest.shape, cell.formula(problem, "gradient_bound")), slack)


def height(cell: Cell, w: Array) -> Measured:
    """`L(w_0) − L(w) ≤ L(w_0) − L*`: how far the meta objective falls below its value at the start."""
    problem, s = cell.problem, cell.schedule()
    value, first = (meta_objectives(cell, x) for x in (w, problem.start[None]))
    slack = 2 * meta_objective_error(problem, s, extent(problem, w), np.maximum(np.abs(value), np.abs(first)))
    gap = first.mean() - declared(cell, "lower_bound")
    return Measured(first.mean() - value.mean(axis=1), gap, slack.max(axis=1))


@dataclass(frozen=True)
class NoiseMoments:
    """Root mean square of gradient and Hessian noise, in norm and spectral norm, of the worst task.

    Attributes
    ----------
    data : losses of single data, batch shape (data, 1, tasks).
    probabilities : (data,) of each, or None where they are a sample; then a lower confidence limit is measured, so the
        audit may miss a wrong constant but accuses no right one, at error probability `delta`.
    """

    data: Loss
    probabilities: Array | None
    delta: float

    @classmethod
    def of(cls, problem: Problem, noise: DataNoise, samples: int, delta: float, rng: np.random.Generator) -> Self:
        """The noise's own quadrature where it knows one, else a sample."""
        tasks, exact = np.arange(problem.number_of_tasks), noise.quadrature()
        if exact is None:
            return cls(noise.minibatch(np.tile(tasks, (samples, 1, 1)), 1, rng), None, delta)
        atoms = len(exact.probabilities)
        index = np.broadcast_to(tasks, (atoms, 1, len(tasks)))
        one_each = np.broadcast_to(np.eye(atoms)[:, None, None], (atoms, 1, len(tasks), atoms))
        return cls(exact.weighted(index, one_each), exact.probabilities, delta)

    def gradient(self, cell: Cell, w: Array) -> Measured:
        """`E_τ ‖∇l_i(w;τ) − ∇l_i(w)‖² ≤ σ_g²`, as root mean squares."""
        noise = self.data.gradient(w) - cell.problem.inner.gradient(w)
        scale = cell.constants.L * extent(cell.problem, w).max(axis=1) + cell.constants.sigma_g
        return self._measure(cell, "sigma_g", inner_product(noise, noise), 2 * unit(cell.problem) * scale)

    def hessian(self, cell: Cell, w: Array) -> Measured:
        """`E_τ ‖∇²l_i(w;τ) − ∇²l_i(w)‖² ≤ σ_H²`, as root mean squares."""
        problem, c = cell.problem, cell.constants

        def noise(v: Array) -> Array:
            return self.data.hvp(w, v) - problem.inner.hvp(w, v)

        v = cell.rng("direction").normal(size=problem.dim)
        found = noise(steepest(noise, v / np.linalg.norm(v)))
        scale = np.full(len(w), c.L + c.sigma_H)
        return self._measure(cell, "sigma_H", inner_product(found, found), 2 * unit(problem) * scale)

    def _measure(self, cell: Cell, name: str, squares: Array, slack: Array) -> Measured:
        """From squared norms (data, P, tasks)."""
        if self.probabilities is not None:
            mean = np.tensordot(self.probabilities, squares, axes=1)
        else:
            top = TRUNCATION * float(getattr(cell.constants, name) ** 2 + slack.max() ** 2)
            delta = self.delta / squares[0].size
            mean = mean_interval(np.minimum(squares, top), delta, 0.0, top).lower
        return Measured(np.sqrt(mean.max(axis=1)), declared(cell, name), slack)
