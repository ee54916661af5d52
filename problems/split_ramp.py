"""A ramp on which the tasks pull to either side: the spread σ in the convergence theorems is attained."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Self

import numpy as np
import numpy.typing as npt

from problems.cases import resampling
from problems.losses.curvature_spline import CurvatureSpline
from problems.probes import gaussian_probes
from problems.problem import Problem
from problems.ramp import MADE_FOR, bend
from problems.registry import register
from theory.constants import Constants, Schedule
from theory.loss import Array, Loss, TaskIndex
from theory.paper import Paper
from theory.validation import Float64Error


@dataclass(frozen=True)
class Valley(Loss):
    """`l_i(w) = r(w_1) + (L/2)(w_2 − c_i)²` in the plane: `floor` r, batch shape (), and `center` c (...)."""

    floor: CurvatureSpline
    L: float
    center: npt.NDArray[np.float64]

    def value(self, w: Array) -> Array:
        """Loss at `w` (..., 2): shape (...)."""
        return np.asarray(self.floor.value(w[..., :1]) + self.L / 2 * (w[..., 1] - self.center) ** 2)

    def gradient(self, w: Array) -> Array:
        """Gradient at `w`, (..., 2)."""
        return self.linearize(w)[0]

    def hvp(self, w: Array, v: Array) -> Array:
        """Hessian, which is diagonal, at `w` times `v`."""
        return self.linearize(w)[1](v)

    def take(self, tasks: TaskIndex) -> Self:
        """Losses of the tasks in `tasks`."""
        return replace(self, center=self.center[tasks])

    def linearize(self, w: Array) -> tuple[Array, Callable[[Array], Array]]:
        """Gradient and Hessian at `w`, from one search for the segment."""
        along, second = self.floor.linearize(w[..., :1])
        across = self.L * (w[..., 1] - self.center)
        gradient, curvature = np.empty((*across.shape, 2)), np.empty((*along.shape[:-1], 2))
        gradient[..., :1], gradient[..., 1] = along, across
        curvature[..., :1], curvature[..., 1] = second(np.ones(1)), self.L
        return gradient, lambda v: np.broadcast_arrays(curvature * v, gradient)[0]


@register("split-ramp", case="resampling", role="sharp")
def split_ramp(
    N: int, alpha_L: float, *, L: float = 1.3, rho: float = 1.6, slope: float = 1.0, pull: float = 0.5
) -> Problem:
    """A ramp in a valley with two tasks that pull to either side: a third of what `L_w` may be is due to σ.

    `l_±(w) = r(w_1) + (L/2)(w_2 ∓ s/L)²`, r as on `ramp`, `s = pull · a/C_L` (`pull · L²/ρ` where `C_L = 0`).

    - The Hessian is `diag(r'', L)`: L is attained, `|r''| < L`; ρ is that of r, attained.
    - The gradients differ from their mean by `±s` in the second coordinate, at every w: `σ = s`. No noise.
    - A step of the inner path moves the second coordinate by `−αL(w_2 ∓ s/L)`, so `L = E r(w̃_{N,1}) + (L/2)(1 −
      αL)^{2N}(w_2² + s²/L²)`, whose infimum is `−gh/ρ + (1 − αL)^{2N} s²/(2L)`, attained: the lower bound.

    From `w_2 = 0` the meta-gradient is that of `ramp`, as the pulls cancel, but `L_w = a + C_L√(g² + s²)`: with `s ≫ g`
    that is `a + C_Lσ + C_L‖∇L‖` up to `C_L g`, what LINK allows as `αL → 0`. So the theorems are attained there, and
    `pull/(1 + pull)` of `L_w` is due to σ.
    """
    r, flat, scale = bend(L, rho, slope)
    p = Paper(Constants(L=L, rho=rho, b=0.0, b_sq=0.0), Schedule(N=N, alpha=alpha_L / L))
    s = pull * float(p.a / p.C_L if p.C_L > 0 else L**2 / rho)
    if not s < math.inf:
        raise Float64Error("its pull is beyond the range")
    steps = int(MADE_FOR["K"])
    meta_step = slope / (MADE_FOR["C_beta"] * float(p.L_w(math.hypot(slope, s))))
    return resampling(
        Valley(r.take(np.array(0)), L, np.array([s, -s]) / L),
        Constants(L=L, rho=rho, sigma=s, lower_bound=flat + (1 - alpha_L) ** (2 * N) * s**2 / (2 * L)),
        probes=gaussian_probes(2, 4 * scale),
        start=[-(steps - 1) * meta_step - N * alpha_L / L * slope, 0.0],
        extremes=np.stack([np.linspace(0, 2 * scale, 9), np.zeros(9)], axis=1),
        scale=scale,
        made_for=MADE_FOR,
    )
