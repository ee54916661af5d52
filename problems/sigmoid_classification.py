"""Classification of real data under the sigmoid loss, the smooth and nonconvex stand-in for the error rate."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from problems.cases import finite_sum
from problems.data import breast_cancer
from problems.losses.linear_model import LinearModel
from problems.losses.linear_model_constants import linear_model_constants
from problems.losses.namespace import namespace
from problems.losses.penalty import Penalty
from problems.losses.scalars import scalars
from problems.probes import gaussian_probes
from problems.problem import Problem
from problems.registry import register
from theory.loss import Array

ONE, HALF, QUARTER = scalars(1.0, 0.5, 0.25)
TASKS, TRAIN, TEST, COMPONENTS = 4, 16, 24, 3
TEXTURE = 1
"""Column of the data set that tells the tasks apart (mean texture)."""


@dataclass(frozen=True)
class Sigmoid(Penalty):
    """`φ(r) = 1/(1 + e^r) = ½ (1 − t)`, `t = tanh(r/2)`, of the margin r.

    - `φ′ = −¼ (1 − t²)`, in `[−¼, 0)`;
    - `φ″ = ¼ t (1 − t²)` is extreme at `t² = ⅓`: `1/(6√3)`;
    - `φ‴ = ⅛ (1 − t²)(1 − 3t²)` is ⅛ at r = 0, and its minimum is −1/24 at `t² = ⅔`.
    """

    slope_range = (-1 / 4, 0.0)
    curvature_sup = 1 / (6 * math.sqrt(3))
    third_sup = 1 / 8
    c: float = 1.0

    def profile(self, u: Array) -> Array:
        """φ(u)."""
        t: Array = namespace(u).tanh(0.5 * u)
        return 0.5 - 0.5 * t

    def slope(self, u: Array, out: Array, kept: Array) -> None:
        """φ′(u); keeps t."""
        np.multiply(u, HALF, out=out)
        np.tanh(out, out=kept)
        np.square(kept, out=out)
        np.subtract(out, ONE, out=out)
        np.multiply(out, QUARTER, out=out)

    def curvature(self, kept: Array, scratch: Array) -> None:
        """`φ″ = ¼ t (1 − t²)`."""
        np.square(kept, out=scratch)
        np.subtract(ONE, scratch, out=scratch)
        np.multiply(kept, QUARTER, out=kept)
        np.multiply(kept, scratch, out=kept)


def _tasks() -> tuple[LinearModel, LinearModel]:
    """Standardised features, their first principal components and an intercept; a task is a range of one feature."""
    features, malignant = breast_cancer()
    features = (features - features.mean(axis=0)) / features.std(axis=0)
    left, singular, right = np.linalg.svd(features, full_matrices=False)
    leading = left[:, :COMPONENTS] * np.sign(right[:COMPONENTS].sum(axis=1)) * math.sqrt(len(left))
    leading *= singular[:COMPONENTS] / singular[0]
    design = np.column_stack([leading, np.ones(len(leading))]) * np.where(malignant, -1, 1)[:, None]
    groups = np.array_split(np.argsort(features[:, TEXTURE], kind="stable"), TASKS)
    rng = np.random.default_rng(23)
    chosen = np.stack([rng.choice(group, TRAIN + TEST, replace=False) for group in groups])
    rows = design[chosen]

    def data(part: Array) -> LinearModel:
        return LinearModel(part, np.zeros(part.shape[:2]), Sigmoid())

    return data(rows[:, :TRAIN]), data(rows[:, TRAIN:])


@register("sigmoid-classification", case="finite-sum")
def sigmoid_classification() -> Problem:
    """Breast cancer data (`problems.data`), classified under the sigmoid loss; tasks are ranges of one feature.

    `l(w) = (1/n) Σ_k φ(y_k⟨a_k, w⟩)`: a linear model with rows `y_k a_k` and targets 0. Constants: see `Sigmoid` and
    `linear_model_constants`; with many data they are upper bounds that no point attains.
    """
    train, test = _tasks()
    constants, gradient_bound = linear_model_constants(train, test)
    return finite_sum(
        train,
        test,
        constants,
        train_size=TRAIN,
        test_size=TEST,
        probes=gaussian_probes(COMPONENTS + 1, 3.0),
        start=[0.8, -0.5, 0.6, 0.3],
        gradient_bound=gradient_bound,
        analytic=True,
        scale=2.0,
    )
