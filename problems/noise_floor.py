"""The noise floor: a convex quadratic on which only the draws keep MAML from converging."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from problems.cases import finite_sum, resampling
from problems.convex_quadratic import IsotropicQuadratic
from problems.losses.linear_noise import LinearNoise
from problems.probes import gaussian_probes
from problems.problem import Problem
from problems.registry import register
from theory.constants import Constants

DIM, WIDE = 4, 64
LONG = 20_000
"""Meta steps after which the beginning of a run no longer counts."""


def both_ways(length: float, dim: int) -> npt.NDArray[np.float64]:
    """Vectors `±length · e_j`, (2d, d): mean zero, mean square `length²`, and no direction preferred."""
    return length * np.concatenate([np.eye(dim), -np.eye(dim)])


@register("noise-floor", case="finite-sum", role="sharp")
def noise_floor(
    N: int, alpha_L: float, *, L: float = 1.3, sigma: float = 0.9, dim: int = DIM, steps: int = 60
) -> Problem:
    """Convex quadratic tasks around centres `±r e_j`: the draw of tasks alone sets how small Algorithm 2 gets `‖∇L‖`.

    `l_i(w) = (L/2)‖w − c_i‖²` for training and test, so `ρ = b = 0`, and `σ = L r` exactly at every w. With
    `h = (1 − αL)^{2N} L`, `L_i(w) = (h/2)‖w − c_i‖²` and `∇L_i(w) = h(w − c_i)`; the meta objective is least at 0, with
    `h r²/2`, which is less than at any smaller N or α. A step is `w ← (1 − βh)w + βh c̄`, c̄ the mean of the B centres
    drawn. For `βh ≤ 1` it stays in the ball of radius r, where `‖∇l_i‖ ≤ 2σ`, the bound of a run's gradients. It
    settles at `E‖∇L‖² = βh/(2 − βh) · h²r²/B`, the square of half of what the theorem allows for `αL → 0`.
    """
    radius = sigma / L
    loss = IsotropicQuadratic(np.full(2 * dim, L), both_ways(radius, dim))
    least = 0.5 * (1 - alpha_L) ** (2 * N) * L * radius**2
    return finite_sum(
        loss,
        loss,
        Constants(L=L, rho=0.0, sigma=sigma, lower_bound=least),
        probes=gaussian_probes(dim, radius),
        start=np.zeros(dim),
        gradient_bound=2 * sigma,
        gradient_radius=radius,
        extremes=both_ways(radius, dim),
        analytic=True,
        scale=radius,
        made_for={"C_beta": 8, "B": 16, "K": steps},
    )


@register("noise-floor-data", case="resampling", role="sharp")
def noise_floor_data(
    N: int, alpha_L: float, *, L: float = 1.3, sigma_g: float = 0.9, dim: int = DIM, steps: int = 100
) -> Problem:
    """One convex quadratic whose data tilt it by `±σ_g e_j`: the data alone set how small Algorithm 1 gets `‖∇L‖`.

    `l(w) = (L/2)‖w‖²`, one task, so `ρ = σ = σ_H = 0`, σ_g is exact at every w, and 0 is the minimum. A meta step is
    `w ← (1 − βh)w + β(1 − αL)^N ξ`, `h = (1 − αL)^{2N} L`, ξ the mean over the B tasks of the outer noise less
    `αL(1 − αL)^{N−1−j}` times the noise of each step j: `‖ξ‖ ≤ (2 − (1 − αL)^N) σ_g`. So a run with `βh ≤ 1` from
    the ball `‖w‖ ≤ (2(1 − αL)^{−N} − 1) σ_g/L` stays in it, which bounds its gradients. As `αL → 0` it settles at
    `E‖∇L‖² = βL/(2 − βL) · σ_g²/(TB)`, near the square of half of what the theorem allows.
    """
    loss = IsotropicQuadratic(np.array([L]), np.zeros((1, dim)))
    noise = LinearNoise(loss, both_ways(sigma_g, dim), np.full(2 * dim, 0.5 / dim))
    largest = (2 / (1 - alpha_L) ** N - 1) * sigma_g
    return resampling(
        loss,
        Constants(L=L, rho=0.0, sigma_g=sigma_g, sigma_H=0.0, lower_bound=0.0),
        noise=noise,
        probes=gaussian_probes(dim, sigma_g / L),
        start=np.zeros(dim),
        gradient_bound=largest,
        gradient_radius=largest / L,
        extremes=both_ways(largest / L, dim),
        analytic=True,
        scale=sigma_g / L,
        made_for={"C_beta": 20, "B": 8, "K": steps},
    )


@register("noise-floor-wide", case="finite-sum", role="sharp")
def noise_floor_wide(N: int, alpha_L: float, *, L: float = 1.3, sigma: float = 0.9) -> Problem:
    """The noise floor in 64 dimensions, where the mean of ‖∇L‖ is nearly its root mean square, which is attained.

    As `αL → 0` and K → ∞, `E‖∇L‖² = σ²/(2C_βB(1 − 1/(2C_β)))` is the square of the own bound of Algorithm 2.
    """
    return noise_floor(N, alpha_L, L=L, sigma=sigma, dim=WIDE, steps=LONG)


@register("noise-floor-data-wide", case="resampling", role="sharp")
def noise_floor_data_wide(N: int, alpha_L: float, *, L: float = 1.3, sigma_g: float = 0.9) -> Problem:
    """The noise floor of data in 64 dimensions: the variance term of the own theorem for Algorithm 1 is attained.

    As `αL → 0` and K → ∞, `E‖∇L‖² = σ_g²/(2C_βTB(1 − 1/(2C_β)))` is the square of the own bound.
    """
    return noise_floor_data(N, alpha_L, L=L, sigma_g=sigma_g, dim=WIDE, steps=LONG)
