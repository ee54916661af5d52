"""A slope that flattens so slowly that exact MAML needs almost `K ~ ε^{−2}` meta steps."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Self

import numpy as np
import numpy.typing as npt

from problems.cases import resampling
from problems.problem import Problem
from problems.registry import register
from theory.constants import Constants
from theory.loss import Array, Loss, TaskIndex

POWER = 0.15
"""How fast the slope flattens, p: `l(w) ~ |w|^{−p}` far out."""


@dataclass(frozen=True)
class SlowSlope(Loss):
    """`l_i(w) = (1 + w²)^{−p_i/2}` on the line, `power` p (...); accepts complex `w`."""

    power: npt.NDArray[np.float64]

    def value(self, w: Array) -> Array:
        """Loss at `w` (..., 1): shape (...)."""
        return (1 + w[..., 0] ** 2) ** (-self.power / 2)

    def gradient(self, w: Array) -> Array:
        """Gradient `−p w (1 + w²)^{−p/2 − 1}`, (..., 1)."""
        p = self.power[..., None]
        return -p * w * (1 + w * w) ** (-p / 2 - 1)

    def hvp(self, w: Array, v: Array) -> Array:
        """Second derivative `−p (1 + w²)^{−p/2 − 2}(1 − (p + 1)w²)` times `v`, (..., 1)."""
        return self.linearize(w)[1](v)

    def linearize(self, w: Array) -> tuple[Array, Callable[[Array], Array]]:
        """Gradient and Hessian at `w`, from the same power."""
        p, square = self.power[..., None], w * w
        slope = -p * (1 + square) ** (-p / 2 - 1)
        curvature = slope * (1 - (p + 1) * square) / (1 + square)
        return np.asarray(slope * w), lambda v: np.asarray(curvature * v)

    def take(self, tasks: TaskIndex) -> Self:
        """Losses of the tasks in `tasks`."""
        return replace(self, power=self.power[tasks])


@register("slow-slope", case="resampling", role="sharp")
def slow_slope(*, power: float = POWER) -> Problem:
    """A slope on which exact MAML needs `K(ε) ~ ε^{−(2 + p)/(1 + p)}` meta steps, almost the theorems' `ε^{−2}`.

    `l(w) = (1 + w²)^{−p/2}`. One task without noise, `σ = σ_g = σ_H = 0`; the loss is positive, and 0 is its
    infimum. With `u = 1 + w²`,

    - `l'' = −p u^{−p/2 − 2}(1 − (p + 1)w²)`, so `|l''| ≤ p` where it is negative, with equality at 0, and
      `l'' ≤ p(p + 1) w² u^{−2} ≤ p(p + 1)/4 ≤ p` where it is positive, for `p ≤ 3`: `L = p`;
    - `l''' = p(p + 2) w u^{−p/2 − 3}(3 − (p + 1)w²)` vanishes at 0 and at infinity and is stationary where
      `3 − 6(p + 3)w² + (p + 1)(p + 3)w⁴ = 0`: ρ is the larger of its sizes at the two roots;
    - `|l'|` vanishes at 0 and at infinity and is stationary where `w² = 1/(p + 1)`.

    Far out the meta stepsize tends to `1/(C_β a)` and `l' ~ −p w^{−1−p}`, so `w_k ~ k^{1/(2+p)}` and
    `‖∇L(w_k)‖ ~ k^{−(1+p)/(2+p)}`: as `p → 0` this is the `K^{−1/2}` of the theorems.
    """
    p = power
    centre, spread = 3 / (p + 1), math.sqrt(9 / (p + 1) ** 2 - 3 / ((p + 1) * (p + 3)))
    steepest = 1 / (p + 1)
    loss = SlowSlope(np.array([p]))
    return resampling(
        loss,
        Constants(
            L=p,
            rho=max(_third_derivative(p, square) for square in (centre - spread, centre + spread)),
            lower_bound=0.0,
        ),
        probes=lambda count, rng: rng.standard_cauchy(size=(count, 1)),
        start=[0.5],
        gradient_bound=p * math.sqrt(steepest) * (1 + steepest) ** (-p / 2 - 1),
        extremes=np.sqrt([0.0, steepest, centre - spread, centre + spread])[:, None],
        analytic=True,
        made_for={"C_beta": 20.0, "K": 2000},
    )


def _third_derivative(p: float, square: float) -> float:
    """`|l'''|` where `w² = square`."""
    size = p * (p + 2) * math.sqrt(square) * abs(3 - (p + 1) * square)
    return float(size * (1 + square) ** (-p / 2 - 3))
