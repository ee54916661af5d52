"""How large the noise of one datum is, estimated from samples of each task."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

from problems.user.climbing import Objective, State, climb, normalised
from problems.user.loss import FunctionNoise
from problems.user.objectives import curvature
from problems.user.region import Region
from theory.loss import Array, Loss

DRAWS, NUMERICAL_DRAWS = 128, 32
"""Samples per task; fewer where their derivatives are numerical, and therefore dear."""
PROBES, ROUNDS = 8, 8

Sizes: TypeAlias = Callable[[Loss, Loss, float], Objective]
"""A task (1,), samples of it (draws,) and a distance for differences ↦ sizes (n, draws) of their noise."""


def gradient_noise(task: Loss, samples: Loss, h: float) -> Objective:
    """‖∇l(w;τ) − ∇l(w)‖ for each sample τ; the slope is that of the mean square."""

    def noise(w: Array) -> Array:
        return samples.gradient(w[:, None]) - task.gradient(w[:, None])

    def slope(w: Array, state: State) -> Array:
        off = noise(w)
        return (samples.hvp(w[:, None], off) - task.hvp(w[:, None], off)).mean(axis=1)

    return Objective(lambda w, state: (np.linalg.norm(noise(w), axis=-1), state), slope)


def hessian_noise(task: Loss, samples: Loss, h: float) -> Objective:
    """Spectral norm of ∇²l(w;τ) − ∇²l(w) for each sample τ; the state is a unit vector for each."""
    each = curvature(lambda w, v: samples.hvp(w, v) - task.hvp(w, v), h)

    def value(w: Array, v: State) -> tuple[Array, State]:
        return each.value(np.broadcast_to(w[:, None], v.shape), v)

    return Objective(value, lambda w, v: each.slope(w[:, None], v).mean(axis=1))


@dataclass(frozen=True)
class NoiseLevels:
    """The largest root mean square over points and tasks, three standard errors added, and the largest size met."""

    root_mean_square: float
    sup: float


def noise_levels(
    noise: FunctionNoise, population: Loss, tasks: int, sizes: Sizes, region: Region, h: float, seed: int
) -> NoiseLevels:
    """Look at a few points of the region for each task, and climb from the worst; the same draws for every `sizes`."""
    square, sups = 0.0, [0.0]
    for number in range(tasks):
        one = noise.minibatch(np.array([number]), 1, np.random.default_rng(seed))
        draws = NUMERICAL_DRAWS if one.differentiated else DRAWS
        samples = noise.minibatch(np.full(draws, number), 1, np.random.default_rng(seed))
        each = sizes(population.take(np.array([number])), samples, h)

        def upper(w: Array, state: State, each: Objective = each) -> tuple[Array, State]:
            size, state = each.value(w, state)
            if not np.isfinite(size).all():
                raise ValueError("not finite in the region")
            sups.append(float(size.max()))
            squares = size**2
            return squares.mean(axis=1) + 3 * squares.std(axis=1) / math.sqrt(squares.shape[1]), state

        rng = np.random.default_rng(seed)
        w = region.points(PROBES, rng)
        state = normalised(rng.normal(size=(PROBES, draws, w.shape[1])))
        found, state = upper(w, state)
        best = [int(found.argmax())]
        _, top = climb(Objective(upper, each.slope), w[best], state[best], region.reach / 4, ROUNDS, region.nearest)
        square = max(square, float(top.max()))
    return NoiseLevels(math.sqrt(square), max(sups))
