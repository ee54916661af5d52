"""Isotropic quadratics, and the one on which LINK is nearly attained."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Self

import numpy as np
import numpy.typing as npt

from problems.cases import resampling
from problems.probes import gaussian_probes
from problems.problem import Problem
from problems.registry import register
from theory.constants import Constants
from theory.loss import Array, Loss, TaskIndex
from theory.norm import inner_product


@dataclass(frozen=True)
class IsotropicQuadratic(Loss):
    """`l_i(w) = (h_i/2) ‖w − c_i‖²`: curvatures `h` (...) of either sign, centres `c` (..., d); accepts complex `w`."""

    curvature: npt.NDArray[np.float64]
    center: npt.NDArray[np.float64]

    def value(self, w: Array) -> Array:
        """Loss at `w` (..., d): shape (...)."""
        away = w - self.center
        return 0.5 * self.curvature * inner_product(away, away)

    def gradient(self, w: Array) -> Array:
        """Gradient `h (w − c)`, (..., d)."""
        return self.curvature[..., None] * (w - self.center)

    def hvp(self, w: Array, v: Array) -> Array:
        """Hessian `h I` times `v`, (..., d)."""
        return self.curvature[..., None] * np.broadcast_arrays(v, w)[0]

    def take(self, tasks: TaskIndex) -> Self:
        """Losses of the tasks in `tasks`."""
        return replace(self, curvature=self.curvature[tasks], center=self.center[tasks])


@register("convex-quadratic", case="resampling", role="sharp")
def convex_quadratic(*, L: float = 1.3) -> Problem:
    """One convex quadratic with curvature L in every direction: `∇L(w) = (1 − αL)^{2N} ∇l(w)`.

    `l(w) = (L/2)‖w − c‖²`, so the Hessian is `L I` everywhere: `ρ = 0`; one task without noise: `σ = σ_g = σ_H = 0`.
    LINK is attained as `αL → 0`; its form with the sharper constant μ is attained while `μ = (1 − αL)^{2N}`.
    """
    center = np.array([[0.4, -0.9]])
    loss = IsotropicQuadratic(np.array([L]), center)
    return resampling(
        loss,
        Constants(L=L, rho=0.0, lower_bound=0.0),
        probes=gaussian_probes(2, 2.0),
        start=[1.5, 0.7],
        analytic=True,
    )
