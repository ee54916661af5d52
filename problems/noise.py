"""Data noise of the resampling case: what one datum adds to the loss of its task."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from theory.loss import Loss, TaskIndex


class DataNoise(ABC):
    """How a task draws its data. `gradient_sup` and `hessian_sup` bound the noise of one datum almost surely.

    They bound ‖∇l_i(w;τ) − ∇l_i(w)‖ and the spectral norm of the Hessian noise for every w, i, τ, and are infinite
    where the noise is unbounded; Monte-Carlo confidence intervals rest on them.
    """

    gradient_sup: float = math.inf
    hessian_sup: float = math.inf

    @abstractmethod
    def minibatch(self, tasks: TaskIndex, size: int, rng: np.random.Generator) -> Loss:
        """Mean loss of `size` fresh data for each entry of `tasks`; batch shape `tasks.shape`."""

    def quadrature(self) -> FiniteNoise | None:
        """Finitely many data with the same `E‖·‖²` of gradient and Hessian noise at every point; None if unknown."""
        return None


class FiniteNoise(DataNoise):
    """Data with finitely many values (atoms), the same probabilities for every task.

    A minibatch of any size is then a weighted mean over the atoms, so it costs the same at every size, and
    expectations over inner paths can be enumerated.
    """

    probabilities: npt.NDArray[np.float64]  # (atoms,), sums to 1

    @abstractmethod
    def weighted(self, tasks: TaskIndex, weights: npt.NDArray[np.float64]) -> Loss:
        """Mean loss with `weights` (..., atoms) on the atoms, rows summing to 1; leading axes match `tasks`."""

    def minibatch(self, tasks: TaskIndex, size: int, rng: np.random.Generator) -> Loss:
        """Draw the atom counts of each minibatch from a multinomial law."""
        counts = rng.multinomial(size, self.probabilities, size=tasks.shape)
        return self.weighted(tasks, counts / size)

    def quadrature(self) -> FiniteNoise:
        """The noise itself."""
        return self


class NoNoise(FiniteNoise):
    """Every datum is the whole of its task's data, so `σ_g = σ_H = 0`."""

    gradient_sup = 0.0
    hessian_sup = 0.0

    def __init__(self, population: Loss) -> None:
        self.population, self.probabilities = population, np.ones(1)

    def weighted(self, tasks: TaskIndex, weights: npt.NDArray[np.float64]) -> Loss:
        """The losses of `tasks`, whatever the weights."""
        return self.population.take(tasks)

    def minibatch(self, tasks: TaskIndex, size: int, rng: np.random.Generator) -> Loss:
        """The losses of `tasks`: nothing is drawn."""
        return self.population.take(tasks)


@dataclass(frozen=True)
class BatchSupport:
    """All minibatches of one size: `weights` (M, atoms) on the atoms, and their `probabilities` (M,)."""

    weights: npt.NDArray[np.float64]
    probabilities: npt.NDArray[np.float64]


def batch_support(noise: FiniteNoise, size: int) -> BatchSupport:
    """Enumerate the minibatches of `size` data as atom counts with their multinomial probabilities.

    Their number is `C(size + atoms − 1, size)`.
    """
    return multinomial_support(noise.probabilities, size)


def multinomial_support(probabilities: npt.NDArray[np.float64], size: int) -> BatchSupport:
    """Frequencies of `size` i.i.d. draws from finitely many values, and their multinomial probabilities."""
    counts = _compositions(size, len(probabilities))
    log_factorial = np.array([math.lgamma(n + 1) for n in range(size + 1)])
    log_probability = log_factorial[size] - log_factorial[counts].sum(axis=1) + counts @ np.log(probabilities)
    return BatchSupport(counts / size, np.exp(log_probability))


@lru_cache(maxsize=64)
def _compositions(total: int, parts: int) -> npt.NDArray[np.intp]:
    """All ways to write `total` as an ordered sum of `parts` non-negative integers, one a row."""
    if parts == 1:
        return np.array([[total]], dtype=np.intp)
    blocks = []
    for first in range(total, -1, -1):
        rest = _compositions(total - first, parts - 1)
        blocks.append(np.column_stack([np.full(len(rest), first), rest]))
    return np.concatenate(blocks)
