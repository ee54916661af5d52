"""Robust regression with few data a task: linear models under penalties that forgive outliers."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from problems.cases import finite_sum
from problems.losses.linear_model import LinearModel
from problems.losses.linear_model_constants import linear_model_constants
from problems.losses.namespace import namespace
from problems.losses.penalty import Penalty
from problems.losses.scalars import scalars
from problems.probes import gaussian_probes
from problems.problem import Problem
from problems.registry import register
from theory.loss import Array

ONE, FOUR, MINUS_TWO, MINUS_THREE = scalars(1.0, 4.0, -2.0, -3.0)
TASKS, TRAIN, TEST = 4, 3, 5
TRUTH = np.array([1.0, -0.6, 0.4, 0.8])


@dataclass(frozen=True)
class GemanMcClure(Penalty):
    """`φ(r) = ½ r²/(1 + u²)`, `u = r/c`.

    - `ψ′ = u/(1 + u²)²` is largest at `u² = ⅓`: `3√3/16`;
    - `ψ″ = (1 − 3u²)/(1 + u²)³` is 1 at 0, and its minimum is −¼ at `u² = 1`;
    - `ψ‴ = 12u(u² − 1)/(1 + u²)⁴` is extreme where `5u⁴ − 10u² + 1 = 0`, and `u² = 1 − 2/√5` gives the larger, 2.33.
    """

    _at = 1 - 2 / math.sqrt(5)
    slope_range = (-3 * math.sqrt(3) / 16, 3 * math.sqrt(3) / 16)
    curvature_sup = 1.0
    third_sup = 12 * math.sqrt(_at) * (1 - _at) / (1 + _at) ** 4

    def profile(self, u: Array) -> Array:
        """ψ(u)."""
        square: Array = u**2
        half: Array = 0.5 * square / (1 + square)
        return half

    def slope(self, u: Array, out: Array, kept: Array) -> None:
        """ψ′(u); keeps `1 + u²`."""
        np.square(u, out=kept)
        np.add(kept, ONE, out=kept)
        np.square(kept, out=out)
        np.divide(u, out, out=out)

    def curvature(self, kept: Array, scratch: Array) -> None:
        """`ψ″ = (4 − 3k)/k³` of k = 1 + u²."""
        np.square(kept, out=scratch)
        np.multiply(scratch, kept, out=scratch)
        np.multiply(kept, MINUS_THREE, out=kept)
        np.add(kept, FOUR, out=kept)
        np.divide(kept, scratch, out=kept)


@dataclass(frozen=True)
class Welsch(Penalty):
    """`φ(r) = ½ c² (1 − e^{−u²})`, `u = r/c`.

    - `ψ′ = u e^{−u²}` is largest at `u² = ½`: `1/√(2e)`;
    - `ψ″ = (1 − 2u²) e^{−u²}` is 1 at 0, and its minimum is `−2e^{−3/2}` at `u² = 3/2`;
    - `ψ‴ = (4u³ − 6u) e^{−u²}` is extreme where `4u⁴ − 12u² + 3 = 0`, and `u² = (3 − √6)/2` gives the larger, 1.95.
    """

    _at = (3 - math.sqrt(6)) / 2
    slope_range = (-1 / math.sqrt(2 * math.e), 1 / math.sqrt(2 * math.e))
    curvature_sup = 1.0
    third_sup = math.sqrt(_at) * (6 - 4 * _at) * math.exp(-_at)

    def profile(self, u: Array) -> Array:
        """ψ(u)."""
        gain: Array = namespace(u).expm1(-(u**2))
        return -0.5 * gain

    def slope(self, u: Array, out: Array, kept: Array) -> None:
        """ψ′(u); keeps u²."""
        np.square(u, out=kept)
        np.negative(kept, out=out)
        np.exp(out, out=out)
        out *= u

    def curvature(self, kept: Array, scratch: Array) -> None:
        """`ψ″ = (1 − 2k) e^{−k}` of k = u²."""
        np.negative(kept, out=scratch)
        np.exp(scratch, out=scratch)
        np.multiply(kept, MINUS_TWO, out=kept)
        np.add(kept, ONE, out=kept)
        np.multiply(kept, scratch, out=kept)


def _tasks(seed: int, penalty: Penalty) -> tuple[LinearModel, LinearModel]:
    """Training and test sets: unlike true weights and scales, noisy targets, one gross outlier in each set."""
    rng = np.random.default_rng(seed)
    truth = TRUTH + 0.4 * rng.normal(size=(TASKS, len(TRUTH)))
    scale = np.linspace(0.7, 1.1, TASKS)[:, None, None]

    def data(size: int) -> LinearModel:
        design = scale * rng.normal(size=(TASKS, size, len(TRUTH)))
        target = (design @ truth[..., None])[..., 0] + 0.2 * rng.normal(size=(TASKS, size))
        target[:, 0] += 4 * penalty.c
        return LinearModel(design, target, penalty)

    return data(TRAIN), data(TEST)


def _problem(seed: int, penalty: Penalty) -> Problem:
    train, test = _tasks(seed, penalty)
    constants, gradient_bound = linear_model_constants(train, test)
    return finite_sum(
        train,
        test,
        constants,
        train_size=TRAIN,
        test_size=TEST,
        probes=gaussian_probes(len(TRUTH), 1.5),
        start=[0.3, 0.5, -0.4, 0.2],
        gradient_bound=gradient_bound,
        extremes=(np.linalg.pinv(train.design) @ train.target[..., None])[..., 0],  # all residuals of a set are 0
        analytic=True,
    )


@register("geman-mcclure", case="finite-sum")
def geman_mcclure() -> Problem:
    """Few-shot linear regression with outliers under the Geman–McClure penalty.

    Constants: see `GemanMcClure` and `linear_model_constants`. The training sets have fewer data than dimensions, so
    all residuals can be 0 together: the smoothness of each training loss is attained.
    """
    return _problem(21, GemanMcClure(1.3))


@register("welsch", case="finite-sum")
def welsch() -> Problem:
    """Few-shot linear regression with outliers under the Welsch penalty.

    Constants: see `Welsch` and `linear_model_constants`; as in `geman_mcclure`, training sets are smaller than d.
    """
    return _problem(22, Welsch(0.9))
