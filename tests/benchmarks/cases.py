"""Sizes at which the meta-gradient is timed, and the least time that the machine's rates allow for each."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from problems.losses.cosine_loss import RotatedCosine
from problems.losses.linear_model import LinearModel
from problems.robust_regression import GemanMcClure
from tests.benchmarks.rates import Rates, penalty_rate
from theory.loss import Array, Loss

ALPHA = 0.05
POINTS_PER_TASK = 20
PENALTY = GemanMcClure(1.3)


@dataclass(frozen=True)
class Case:
    """R points, each of which meets B tasks in d dimensions, N inner steps."""

    family: str
    R: int
    B: int
    d: int
    N: int

    def __str__(self) -> str:
        return f"{self.family}-R{self.R}-B{self.B}-d{self.d}-N{self.N}"

    def build(self) -> tuple[Loss, Loss, Array]:
        """Inner and outer losses of B tasks, and points (R, 1, d)."""
        rng = np.random.default_rng(81)
        w = rng.normal(size=(self.R, 1, self.d))
        if self.family == "cosine":
            rotation, _ = np.linalg.qr(rng.normal(size=(self.d, self.d)))
            frequency, amplitude = rng.uniform(0.5, 1.5, size=(2, 2, self.d))
            phase = rng.uniform(0, 2 * np.pi, size=(self.B, 2, self.d))
            loss = RotatedCosine(rotation, frequency, amplitude, phase)
            return loss, loss, w
        train, test = (
            LinearModel(
                rng.normal(size=(self.B, POINTS_PER_TASK, self.d)),
                2 * rng.normal(size=(self.B, POINTS_PER_TASK)),
                PENALTY,
            )
            for _ in range(2)
        )
        return train, test, w

    def least_time(self, rates: Rates) -> float:
        """Evaluations of the transcendental (or of the penalty) and flops of the matrix products, at their best rates.

        Cosines: two sines and cosines a coordinate at each of the N + 1 points, and a change of basis in and out.
        Regression: n penalties at each of the N + 1 points; N − 1 products with the Gram matrix (or with A and Aᵀ)
        each way, and six with A or Aᵀ at the ends.

        Calls cost nothing here, although at the smallest sizes they take most of the time.
        """
        R, B, d, N, n = self.R, self.B, self.d, self.N, POINTS_PER_TASK
        if self.family == "cosine":
            return 2 * R * B * d * (N + 1) * rates.sine_cosine + (2 * R * B * d * d + 4 * R * d * d) * rates.flop
        products = 2 * (N - 1) * 2 * min(n * n, 2 * n * d) + 6 * 2 * n * d
        return R * B * (n * (N + 1) * penalty_rate(PENALTY) + products * rates.flop)


COSINE = ((1, 16, 10, 5), (64, 16, 10, 5), (64, 16, 10, 20), (16, 8, 100, 10), (256, 32, 20, 10))
REGRESSION = ((1, 16, 10, 5), (64, 16, 10, 5), (16, 8, 50, 10))
CASES = [Case("cosine", *size) for size in COSINE] + [Case("regression", *size) for size in REGRESSION]
