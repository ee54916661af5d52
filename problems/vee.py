"""Gradients in the shape of a V, which noise cannot average out: SECOND MOMENT with its cross term."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Self

import numpy as np
import numpy.typing as npt

from problems.cases import resampling
from problems.losses.curvature_spline import CurvatureSpline
from problems.losses.linear_noise import LinearNoise
from problems.probes import probes_around
from problems.problem import Problem
from problems.registry import register
from theory.constants import Constants
from theory.loss import Array, Loss, TaskIndex
from theory.norm import inner_product, total


def vee_spline(reach: float, L: float, rho: float, gradient: float) -> CurvatureSpline:
    """One loss with `l' = gradient` at 0, `l'' = −L` from `−reach` to 0, rising with slope ρ to `+L` on both sides."""
    knots = [-reach - 2 * L / rho, -reach, 0.0, 2 * L / rho]
    return CurvatureSpline.draw(knots, [L, -L, -L, L], anchor=2, gradient=gradient)


@register("vee", case="resampling", role="sharp")
def vee(
    N: int,
    alpha_L: float,
    *,
    L: float = 1.7,
    rho: float = 2.3,
    steepness: float = 10_000.0,
    loudness: float = 1.5,
) -> Problem:
    """One task with a V-shaped gradient and skew two-point noise: SECOND MOMENT per task is attained at `N = S = 1`.

    `l' = g + L|x|` but for a kink of width `2L/ρ` right of 0, `g = steepness · L²/(ραL)`; `l''` rises to `+L` far
    left. `L`, `ρ` by construction, attained; `σ = 0`; lower bound: the minimum of l. One datum adds `ξw`, with `ξ ∈ {c
    − g, −c − g}`, `c = √(g² + σ_g²)`, `P(ξ = c − g) = ½(1 + g/c)`: mean 0, mean square `c² − g² = σ_g²` at every w,
    `σ_g = loudness · g`, and `σ_H = 0`.

    At `w = 0`, the first probe, `|g + ξ| = c`: `w_1 = ±αc`, and there `l' = g + αLc` on both sides, up to `2L²/ρ`. As
    `1 − αl''(0) = q`, `E‖Ĝ‖² = q²[(g + αL√(g² + σ_g²))² + σ_g²/T]`: an equality for all g, σ_g and T. For N > 1 the
    point is an ordinary one.
    """
    gradient = steepness * L**2 / (rho * alpha_L) if alpha_L else steepness * L**2 / rho
    sigma_g = loudness * gradient
    c = math.hypot(gradient, sigma_g)
    loss = vee_spline(2 * (1 + alpha_L) ** (N + 1) * c / L, L, rho, gradient)
    noise = LinearNoise(loss, [[c - gradient], [-c - gradient]], [0.5 * (1 + gradient / c), 0.5 * (1 - gradient / c)])
    return resampling(
        loss,
        Constants(L=L, rho=rho, sigma_g=sigma_g, sigma_H=0.0, lower_bound=loss.lower_bound()),
        noise=noise,
        probes=probes_around(0.0, L / rho),
        extremes=loss.extremes(),
        start=[0.0],
        scale=L / rho,
        made_for={"S": 1, "T": 10**9},
    )


@dataclass(frozen=True)
class Separable(Loss):
    """`l_i(w) = Σ_k v(w_k) + ⟨slope_i, w⟩`: one `shape` v on the line, batch shape (), and `slope` (..., d)."""

    shape: CurvatureSpline
    slope: npt.NDArray[np.float64]

    def value(self, w: Array) -> Array:
        """Loss at `w`."""
        return total(self.shape.value(w[..., None])) + inner_product(self.slope, w)

    def gradient(self, w: Array) -> Array:
        """Gradient at `w`."""
        return self.shape.gradient(w[..., None])[..., 0] + self.slope

    def hvp(self, w: Array, v: Array) -> Array:
        """Hessian, which is diagonal, at `w` times `v`."""
        return self.linearize(w)[1](v)

    def take(self, tasks: TaskIndex) -> Self:
        """Losses of the tasks in `tasks`."""
        return replace(self, slope=self.slope[tasks])

    def linearize(self, w: Array) -> tuple[Array, Callable[[Array], Array]]:
        """Gradient and Hessian at `w`, from one search for the segments."""
        gradient, second = self.shape.linearize(w[..., None])
        curvature = second(np.ones(1))[..., 0]
        return np.asarray(gradient[..., 0] + self.slope), lambda v: np.broadcast_arrays(curvature * v, self.slope)[0]


@register("coordinate-vee", case="resampling", role="sharp")
def coordinate_vee(
    N: int,
    alpha_L: float,
    *,
    L: float = 1.7,
    rho: float = 2.3,
    steepness: float = 1000.0,
    quietness: float = 1.0,
    dim: int = 32,
) -> Problem:
    """As many tasks as coordinates, each with a V of its own: SECOND MOMENT over tasks is nearly attained at `N = 1`.

    `l_i = Σ_k v(x_k) + s x_i − (s/d)Σ_k x_k`, `v' = L|x|` but for a kink of width `2L/ρ` right of 0; `v''` rises to
    `+L` far left; one datum of task i adds `±σ_g x_i`; `σ_g = steepness · L²/(ρ(αL)²)`, `s = quietness · αLσ_g`.

    - The Hessian is diagonal with entries `v''(x_k)`: `L`, `ρ` by construction, attained.
    - `∇l_i − ∇l = s(e_i − 1/d)` at every w: `σ² = s²(1 − 1/d)`. `σ_g` is attained everywhere, `σ_H = 0`.
    - The lower bound is the mean of the minima, a sum of those of `v + s(1 − 1/d)x` and of `d − 1` times `v − (s/d)x`.

    At `w = 0`, the first probe, `∇l = 0`, and the noisy step leads to `±αLσ_g − …` in coordinate i, where `v'` is
    `αL|s(1 − 1/d) ± σ_g|` either way: with `s' = s(1 − 1/d) ≤ σ_g` and S = 1,

        E‖Ĝ_i‖² = q²[(s' + αLσ_g)² + (αLs')² + (1 − αL)²(d − 1)(s/d)² + σ_g²/T],

    beside `q²[(σ + αL√(σ² + σ_g²))² + σ_g²/T]`: the ratio tends to 1 as d grows and `σ/σ_g` falls (at αL =
    0.01 it is 0.984 for d = 16, 0.996 for d = 64). With
    `quietness = 1` and T large it is that of the paper's form too, whose factors 2 are attained at `σ = αLσ_g`.
    """
    small = alpha_L or 1.0
    sigma_g = steepness * L**2 / (rho * small**2)
    s = quietness * small * sigma_g
    shape = vee_spline(4 * (1 + alpha_L) ** (N + 1) * (sigma_g + s) / L, L, rho, 0.0)
    slope = s * (np.eye(dim) - 1 / dim)
    least = [vee_spline(-float(shape.knots[0, 1]), L, rho, c).lower_bound() for c in (s * (1 - 1 / dim), -s / dim)]
    population = Separable(shape.take(np.array(0)), slope)
    datum = sigma_g * np.eye(dim)
    return resampling(
        population,
        Constants(
            L=L,
            rho=rho,
            sigma=s * math.sqrt(1 - 1 / dim),
            sigma_g=sigma_g,
            sigma_H=0.0,
            lower_bound=least[0] + (dim - 1) * least[1],
        ),
        noise=LinearNoise(population, np.stack([datum, -datum], axis=1), [0.5, 0.5]),
        probes=_around_origin(dim, L / rho),
        extremes=shape.extremes() * np.ones(dim),
        start=np.zeros(dim),
        scale=L / rho,
        made_for={"S": 1, "T": 10**9},
    )


def _around_origin(dim: int, scale: float) -> Callable[[int, np.random.Generator], Array]:
    """The origin, then points around it."""

    def probes(count: int, rng: np.random.Generator) -> Array:
        return scale * rng.normal(size=(count, dim)) * (np.arange(count) > 0)[:, None]

    return probes
