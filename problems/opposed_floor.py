"""Opposed curvature for most tasks and a tilt for a few: the variance term of the finite-sum theorem is attained."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Self

import numpy as np
import numpy.typing as npt

from problems.cases import finite_sum
from problems.losses.curvature_spline import CurvatureSpline
from problems.noise_floor import both_ways
from problems.probes import gaussian_probes
from problems.problem import Problem
from problems.registry import register
from problems.saddle import well
from theory.constants import Constants
from theory.loss import Array, Loss, TaskIndex
from theory.norm import inner_product, norm

C_BETA = 20.0


@dataclass(frozen=True)
class Radial(Loss):
    """`l_i(w) = F(‖w‖) + H_i(‖w‖) + ⟨slope_i, w⟩`, `H_i' = 2L min(t, radius_i)`.

    Attributes
    ----------
    profile : F, even, batch shape ().
    L : of H.
    radius : (...), zero where there is no H.
    slope : (..., d).
    """

    profile: CurvatureSpline
    L: float
    radius: npt.NDArray[np.float64]
    slope: npt.NDArray[np.float64]

    def value(self, w: Array) -> Array:
        """Loss at `w`."""
        t = norm(w)
        near = np.minimum(t, self.radius)
        radial = self.profile.value(t[..., None]) + self.L * near * (2 * t - near)
        return np.asarray(radial + inner_product(self.slope, w))

    def gradient(self, w: Array) -> Array:
        """Gradient at `w`."""
        return self.linearize(w)[0]

    def hvp(self, w: Array, v: Array) -> Array:
        """Hessian at `w` times `v`."""
        return self.linearize(w)[1](v)

    def take(self, tasks: TaskIndex) -> Self:
        """Losses of the tasks in `tasks`."""
        return replace(self, radius=self.radius[tasks], slope=self.slope[tasks])

    def linearize(self, w: Array) -> tuple[Array, Callable[[Array], Array]]:
        """Gradient and Hessian at `w`: with u the direction of w, `g''uuᵀ + (g'/t)(I − uuᵀ)`, g the radial part."""
        t = norm(w)
        size = np.maximum(t, np.finfo(np.float64).tiny)
        first, second = self.profile.linearize(t[..., None])
        near = np.minimum(t, self.radius)
        radial = second(np.ones(1))[..., 0] + 2 * self.L * (t < self.radius)
        # At 0 both F'/t and H'/t are their second derivatives.
        across = np.where(t > 0, (first[..., 0] + 2 * self.L * near) / size, radial)
        u = w / size[..., None]

        def hessian(v: Array) -> Array:
            along = ((radial - across) * inner_product(u, v))[..., None]
            return np.asarray(across[..., None] * v + along * u)

        return np.asarray(across[..., None] * w + self.slope), hessian


@register("opposed-floor", case="finite-sum", role="sharp")
def opposed_floor(
    N: int,
    alpha_L: float,
    *,
    L: float = 1.7,
    rho: float = 2.3,
    tasks_per_step: int = 20_000,
    dim: int = 8,
    ordinary: int = 384,
) -> Problem:
    """Opposed curvature for most tasks, tilts for a rare few: the variance of the finite-sum theorem, at every α.

    `l_S = F(‖w‖) + ⟨slope, w⟩`, F the well of radius `R = 32q^N s/L`, `s = L²/(2ρ)`. A share π of the tasks, 2d of
    them, has slopes `±s e_j` and `l_T = l_S`; the `ordinary` others have no slope and `∇l_T = ∇l_S + 2L min(t, r)u`,
    `w = tu`, that is `Lw` for `t ≤ r`. `r = 2q^N s√(π/((2C_β − 1)B))/L`, with `C_β = 20` and B = `tasks_per_step`.

    - L: F'' and `F'/t` lie in [−L, L]. Along u, `l_T` has curvature `F'' + 2L = L` for `t ≤ r`, else F''; across it
      `F'/t + 2L min(1, r/t)`, which is L for `t ≤ r`, and at most L beyond, as `F' ≤ Lt − 2LR` past the well's edge.
    - ρ, of `l_S` only: for a unit v with `⟨u, v⟩ = c` the third derivative is `F'''c³ + 3kc(1 − c²)`,
      `k = (F'' − F'/t)/t ≤ 2L/R = ρ/(8q^N)`: largest at `c = 1`, where `F''' = ρ`, and below ρ elsewhere. Attained.
    - With `m = min(t, r)` the mean square deviation of task gradients is `πs² + 4π(1 − π)L²m²` (tilts come in pairs):
      `σ² = π(s² + 4(1 − π)L²r²)`, and `b_i = 2Lr` for the ordinary tasks: attained from r on.
    - Lower bound: the mean of the minima of `F − s|x|` and of F, as the rest of `l_T` is positive.

    For `‖w‖ ≤ rq^{−N}` the ordinary tasks have `∇L_i = QLw` (they expand, and end where `l_T` is convex), and the
    tilted ones, whose paths stay in the well, `∇L_i = Q(±s e_j − Lw)`. So a meta step of Algorithm 2 is `w ← w − βQ[(1
    − 2π̂)Lw + noise]`, π̂ the share drawn, with noise of mean square `πs²/B`: as on an isotropic quadratic of
    curvature `(1 − 2π)QL` and variance `Q²σ²`, whose stationary `E‖∇L‖²` is the square of the own bound (K → ∞) as
    `C_βB → ∞` and `π → 0`; the mean norm is `1 − 1/(4d)` of its root. A run leaves the ball with a probability of
    about 1e-6 in 3·10⁴ steps. The initial gap is of the order of LR², so the bound speaks at `K ≳ 10¹⁸` only: beside
    it stands the mean over a stationary run. The ratio is 0.99 for d = 64, π = 0.004, B = 20 000, and about 0.92 for
    the defaults.
    """
    q, tilt = 1 + alpha_L, L**2 / (2 * rho)
    share = 2 * dim / (2 * dim + ordinary)
    slope = np.concatenate([both_ways(tilt, dim), np.zeros((ordinary, dim))])
    r = 2 * q**N * tilt / L * math.sqrt(share / ((2 * C_BETA - 1) * tasks_per_step))
    reach = 32 * q**N * tilt / L
    train = Radial(well(reach, L, rho).take(np.array(0)), L, np.zeros(len(slope)), slope)
    test = replace(train, radius=np.where(np.arange(len(slope)) < 2 * dim, 0.0, r))
    b = (1 - share) * 2 * L * r
    tilted, level = well(reach, L, rho, -tilt).lower_bound(), well(reach, L, rho).lower_bound()
    at = np.array([0.5 * r, 2 * r, reach, reach + L / rho, reach + 3 * L / rho])
    return finite_sum(
        train,
        test,
        Constants(
            L=L,
            rho=rho,
            sigma=math.sqrt(share * (tilt**2 + 4 * (1 - share) * (L * r) ** 2)),
            b=b,
            b_sq=b * 2 * L * r,
            lower_bound=share * tilted + (1 - share) * level,
        ),
        probes=gaussian_probes(dim, r / math.sqrt(dim)),
        extremes=at[:, None] * np.eye(dim)[0],
        start=np.zeros(dim),
        scale=r,
        made_for={"C_beta": C_BETA, "B": tasks_per_step, "B_prime": 10**12, "K": 10**18},
    )
