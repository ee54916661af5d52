"""Quadratic tasks: one Hessian for all, every task its own centre. Everything is in closed form, and ρ = 0."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Self

import numpy as np
import numpy.typing as npt

from problems.cases import finite_sum, resampling
from problems.losses.linear_noise import LinearNoise
from problems.probes import gaussian_probes
from problems.problem import Problem
from problems.registry import register
from theory.constants import Constants
from theory.loss import Array, Loss, TaskIndex
from theory.norm import inner_product

SPECTRUM = np.array([1.7, 0.9, 0.2])
TASKS = 5


@dataclass(frozen=True)
class Quadratic(Loss):
    """`½ wᵀHw − ⟨h, w⟩ + offset`: `hessian` (d, d), `linear` h (..., d), `offset` (...)."""

    hessian: Array
    linear: Array
    offset: Array

    def value(self, w: Array) -> Array:
        """Loss at `w`."""
        return inner_product(0.5 * (w @ self.hessian) - self.linear, w) + self.offset

    def gradient(self, w: Array) -> Array:
        """Gradient at `w`."""
        return w @ self.hessian - self.linear

    def hvp(self, w: Array, v: Array) -> Array:
        """Hessian times `v`, the same at every `w`."""
        return np.broadcast_to(v @ self.hessian, np.broadcast_shapes(w.shape, v.shape, self.linear.shape))

    def take(self, tasks: TaskIndex) -> Self:
        """Losses of the tasks in `tasks`."""
        return type(self)(self.hessian, self.linear[tasks], self.offset[tasks])


def _hessian(rng: np.random.Generator) -> npt.NDArray[np.float64]:
    rotation, _ = np.linalg.qr(rng.normal(size=(len(SPECTRUM), len(SPECTRUM))))
    return (rotation * SPECTRUM) @ rotation.T


def _centred(
    hessian: npt.NDArray[np.float64], centres: npt.NDArray[np.float64], spread: npt.NDArray[np.float64] | float = 0.0
) -> Quadratic:
    """`½ (w − c_i)ᵀH(w − c_i) + spread_i`, one task for each of `centres` (tasks, d)."""
    linear = centres @ hessian
    return Quadratic(hessian, linear, 0.5 * (linear * centres).sum(axis=1) + spread)


def _spread(gradients: npt.NDArray[np.float64]) -> float:
    """σ of tasks whose gradients (tasks, d) differ by the same vectors everywhere."""
    return math.sqrt(((gradients - gradients.mean(axis=0)) ** 2).sum(axis=1).mean())


@register("quadratic", case="resampling")
def quadratic() -> Problem:
    """Convex quadratic tasks with one Hessian, and three-point noise on the slope.

    `l_i(w) = ½ (w − c_i)ᵀH(w − c_i)` and `l_i(w; τ) = l_i(w) + ⟨s_τ, w⟩` with `E s_τ = 0`. So

    - `L = λ_max(H)`, `ρ = 0`, the losses and the meta objective are ≥ 0;
    - `∇l_i − ∇l = −H(c_i − c̄)` at every w, so `σ² = E_i ‖H(c_i − c̄)‖²` exactly;
    - `σ_g² = E‖s_τ‖²` exactly, `σ_H = 0`.
    """
    rng = np.random.default_rng(17)
    hessian = _hessian(rng)
    centres = rng.normal(size=(TASKS, len(SPECTRUM)))
    population = _centred(hessian, centres)
    probabilities = np.array([0.5, 0.3, 0.2])
    slopes = 0.7 * rng.normal(size=(3, len(SPECTRUM)))
    slopes -= probabilities @ slopes
    return resampling(
        population,
        Constants(
            L=float(SPECTRUM.max()),
            rho=0.0,
            sigma=_spread(population.linear),
            sigma_g=math.sqrt(probabilities @ (slopes**2).sum(axis=1)),
            sigma_H=0.0,
            lower_bound=0.0,
        ),
        noise=LinearNoise(population, slopes, probabilities),
        probes=gaussian_probes(len(SPECTRUM), 2.0),
        start=[1.5, -0.8, 2.1],
        analytic=True,
    )


@register("quadratic-finite-sum", case="finite-sum")
def quadratic_finite_sum() -> Problem:
    """Convex quadratic tasks whose centres are means of a few training and test points.

    A datum x costs `½ (w − x)ᵀH(w − x)`, so the mean over a set of mean x̄ is `½ (w − x̄)ᵀH(w − x̄)` plus the constant
    `½ E (x − x̄)ᵀH(x − x̄)`. So

    - `L = λ_max(H)`, `ρ = 0`, and the meta objective is at least the mean of the test constants;
    - `∇l_{T_i} − ∇l_T = −H(t̄_i − t̄)` at every w gives `σ` exactly, and `b_i = ‖H(s̄_i − t̄_i)‖` exactly;
    - no data noise: `σ_g = σ_H = 0`.
    """
    rng = np.random.default_rng(18)
    hessian = _hessian(rng)
    means = rng.normal(size=(TASKS, 1, len(SPECTRUM)))
    train_points = means + 0.5 * rng.normal(size=(TASKS, 4, len(SPECTRUM)))
    test_points = means + 0.5 * rng.normal(size=(TASKS, 7, len(SPECTRUM)))

    def mean_loss(points: npt.NDArray[np.float64]) -> tuple[Quadratic, npt.NDArray[np.float64]]:
        centres = points.mean(axis=1)
        deviation = points - centres[:, None]
        constant = 0.5 * ((deviation @ hessian) * deviation).sum(axis=-1).mean(axis=1)
        return _centred(hessian, centres, constant), constant

    (train, _), (test, constant) = mean_loss(train_points), mean_loss(test_points)
    mismatch = np.linalg.norm(train.linear - test.linear, axis=1)
    return finite_sum(
        train,
        test,
        Constants(
            L=float(SPECTRUM.max()),
            rho=0.0,
            sigma=_spread(test.linear),
            b=float(mismatch.mean()),
            b_sq=float((mismatch**2).mean()),
            lower_bound=float(constant.mean()),
        ),
        train_size=train_points.shape[1],
        test_size=test_points.shape[1],
        probes=gaussian_probes(len(SPECTRUM), 2.0),
        start=[1.5, -0.8, 2.1],
        analytic=True,
    )
