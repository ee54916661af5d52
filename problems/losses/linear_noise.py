"""Data that tilt the loss: gradient noise that is the same everywhere, and no Hessian noise."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Self

import numpy as np
import numpy.typing as npt

from problems.noise import FiniteNoise
from theory.loss import Array, Loss, TaskIndex
from theory.norm import inner_product


@dataclass(frozen=True)
class Tilted(Loss):
    """`l_i(w) + ⟨slope_i, w⟩`, with `slope` (..., d) over the batch of `loss`."""

    loss: Loss
    slope: npt.NDArray[np.float64]

    def value(self, w: Array) -> Array:
        """Loss at `w` (..., d): shape (...)."""
        return self.loss.value(w) + inner_product(self.slope, w)

    def gradient(self, w: Array) -> Array:
        """Gradient at `w`, (..., d)."""
        return self.loss.gradient(w) + self.slope

    def hvp(self, w: Array, v: Array) -> Array:
        """Hessian-vector product, which the tilt leaves alone."""
        return self.loss.hvp(w, v)

    def linearize(self, w: Array) -> tuple[Array, Callable[[Array], Array]]:
        """Gradient and Hessian at `w`, sharing what the loss shares."""
        gradient, hessian = self.loss.linearize(w)
        return gradient + self.slope, hessian

    def take(self, tasks: TaskIndex) -> Self:
        """Losses of the tasks in `tasks`."""
        return replace(self, loss=self.loss.take(tasks), slope=self.slope[tasks])


class LinearNoise(FiniteNoise):
    """One datum adds `⟨slope_a, w⟩` to the loss of its task, with probability `probabilities[a]`.

    With slopes of mean zero, `∇l_i(w;τ) − ∇l_i(w) = slope_a` for every `w` and task: `σ_g² = Σ_a p_a ‖slope_a‖²`
    exactly, and `σ_H = 0`.

    Parameters
    ----------
    population : losses of all tasks, batch shape (tasks,).
    slopes : (atoms, d), mean zero, or (tasks, atoms, d) where every task has data of its own.
    probabilities : (atoms,), positive, sum 1.

    Source: own.
    """

    hessian_sup = 0.0

    def __init__(self, population: Loss, slopes: npt.ArrayLike, probabilities: npt.ArrayLike) -> None:
        self.population = population
        self.slopes = np.asarray(slopes, dtype=np.float64)
        self.probabilities = np.asarray(probabilities, dtype=np.float64)
        self.gradient_sup = float(np.linalg.norm(self.slopes, axis=-1).max())

    def weighted(self, tasks: TaskIndex, weights: npt.NDArray[np.float64]) -> Loss:
        """Mean loss with `weights` (..., atoms): the population loss, tilted by the mean slope."""
        own = self.slopes.ndim == 3
        slope = np.einsum("...a,...ad->...d", weights, self.slopes[tasks]) if own else weights @ self.slopes
        return Tilted(self.population.take(tasks), slope)


def two_point_noise(population: Loss, sigma_g: float) -> LinearNoise:
    """One-dimensional gradient noise `±σ_g`, each with probability ½."""
    return LinearNoise(population, [[sigma_g], [-sigma_g]], [0.5, 0.5])
