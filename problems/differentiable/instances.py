"""Four small instances of linear models, each with unequal tasks and with training sets unlike the test sets.

Training data, test data, tasks and dimensions differ in number, so that no count passes for another.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from problems.differentiable.penalties import Cosine, Square
from problems.losses.linear_model import LinearModel
from problems.losses.penalty import Penalty
from problems.robust_regression import GemanMcClure
from problems.sigmoid_classification import Sigmoid
from theory.loss import Array

TASKS, TRAIN, TEST = 4, 5, 7
START = np.array([0.9, -0.5, 0.7])


@dataclass(frozen=True, eq=False)
class Instance:
    """Training and test losses of all tasks, batch shape (tasks,), and a point `start` (d,)."""

    name: str
    train: LinearModel
    test: LinearModel
    start: Array

    @property
    def smoothness(self) -> float:
        """L of the training losses: `sup|φ″| λ_max((1/n) Σ_k a_k a_kᵀ)` of the task where that is largest."""
        singular = np.linalg.norm(self.train.design, ord=2, axis=(-2, -1))
        return float(self.train.penalty.curvature_sup * (singular**2).max() / self.train.design.shape[-2])


def _regression(rng: np.random.Generator, size: int, truth: Array) -> tuple[Array, Array]:
    """Rows (tasks, size, d) of unequal scale, and noisy targets (tasks, size) of unequal true weights."""
    scale = np.linspace(0.6, 1.2, TASKS)[:, None, None]
    design = scale * rng.normal(size=(TASKS, size, len(START)))
    target = (design @ truth[..., None])[..., 0] + 0.3 * rng.normal(size=(TASKS, size))
    return design, target


def _instance(name: str, seed: int, penalty: Penalty, *, classify: bool = False) -> Instance:
    rng = np.random.default_rng(seed)
    truth = rng.normal(size=(TASKS, len(START)))

    def data(size: int) -> LinearModel:
        design, target = _regression(rng, size, truth)
        if classify:  # the margin of a datum is ⟨label · row, w⟩
            design, target = np.sign(target)[..., None] * design, np.zeros_like(target)
        return LinearModel(design, target, penalty)

    return Instance(name, data(TRAIN), data(TEST), START)


def instances() -> tuple[Instance, ...]:
    """Least squares, cosines, robust regression and classification, in d = 3. Source: own."""
    return (
        _instance("quadratic", 31, Square()),
        _instance("cosine", 32, Cosine(0.8)),
        _instance("robust regression", 33, GemanMcClure(1.3)),
        _instance("classification", 34, Sigmoid(), classify=True),
    )
