"""Data that add a wave to a one-dimensional loss: noise in the gradient and in the Hessian, the same at every point."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Self

import numpy as np
import numpy.typing as npt

from problems.noise import FiniteNoise
from theory.loss import Array, Loss, TaskIndex


@dataclass(frozen=True)
class Waved(Loss):
    """`l_i(w) + cosine_i cos(kw) + sine_i sin(kw)` on the line; amplitudes (...) over the batch of `loss`."""

    loss: Loss
    frequency: float
    cosine: npt.NDArray[np.float64]
    sine: npt.NDArray[np.float64]

    def value(self, w: Array) -> Array:
        """Loss at `w` (..., 1): shape (...)."""
        x = self.frequency * w[..., 0]
        return self.loss.value(w) + self.cosine * np.cos(x) + self.sine * np.sin(x)

    def gradient(self, w: Array) -> Array:
        """Gradient at `w`, (..., 1)."""
        x = self.frequency * w[..., 0]
        wave = self.frequency * (self.sine * np.cos(x) - self.cosine * np.sin(x))
        return self.loss.gradient(w) + wave[..., None]

    def hvp(self, w: Array, v: Array) -> Array:
        """Second derivative at `w` times `v`, (..., 1)."""
        x = self.frequency * w[..., 0]
        wave = -(self.frequency**2) * (self.cosine * np.cos(x) + self.sine * np.sin(x))
        return self.loss.hvp(w, v) + wave[..., None] * v

    def take(self, tasks: TaskIndex) -> Self:
        """Losses of the tasks in `tasks`."""
        return replace(self, loss=self.loss.take(tasks), cosine=self.cosine[tasks], sine=self.sine[tasks])


class WaveNoise(FiniteNoise):
    """One datum adds `s cos(kw + θ)`, with θ uniform on `phases` ≥ 3 equally spaced angles.

    Over such angles `E sin²(x + θ) = E cos²(x + θ) = ½` and `E sin(x + θ) = E cos(x + θ) = 0` for every x, so at every
    `w` the noise is centred, `σ_g² = ½s²k²` and `σ_H² = ½s²k⁴`. Hence `k = σ_H/σ_g` and `s = √2 σ_g/k`.

    Parameters
    ----------
    population : losses of all tasks on the line, batch shape (tasks,).
    sigma_g, sigma_H : root mean square of gradient and Hessian noise, positive.
    phases : number of atoms.

    Raises
    ------
    ValueError : fewer than three phases.

    Source: own.
    """

    def __init__(self, population: Loss, sigma_g: float, sigma_H: float, phases: int = 3) -> None:
        if phases < 3:
            raise ValueError(f"phases = {phases} is not allowed: phases must be an integer >= 3")
        self.population = population
        self.frequency = sigma_H / sigma_g
        self.amplitude = math.sqrt(2) * sigma_g / self.frequency
        self.angles = 2 * np.pi * np.arange(phases) / phases
        self.probabilities = np.full(phases, 1 / phases)
        self.gradient_sup = self.amplitude * self.frequency
        self.hessian_sup = self.amplitude * self.frequency**2

    def weighted(self, tasks: TaskIndex, weights: npt.NDArray[np.float64]) -> Loss:
        """Mean loss with `weights` (..., atoms): the population loss and one wave, the mean of the atoms' waves."""
        cosine = self.amplitude * (weights @ np.cos(self.angles))
        sine = -self.amplitude * (weights @ np.sin(self.angles))
        return Waved(self.population.take(tasks), self.frequency, cosine, sine)
