"""The top of a well, `l'' = −L`: there the inner path grows as fast as L-smooth losses allow."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt

from problems.line_problem import line_problem
from problems.losses.curvature_spline import CurvatureSpline
from problems.probes import probes_around
from problems.problem import Problem
from problems.registry import register


def well(radius: float, L: float, rho: float, slopes: npt.ArrayLike = 0.0) -> CurvatureSpline:
    """Losses `h(w) + slope_i w`, with h even: `h'' = −L` on `|w| ≤ radius`, rising with slope ρ to `+L`, `+L` beyond.

    So `h` is L-smooth with ρ-Lipschitz Hessian and bounded below; `slopes` is a number or (tasks,).
    """
    edge = radius + 2 * L / rho
    return CurvatureSpline.draw([-edge, -radius, 0, radius, edge], [L, -L, -L, -L, L], anchor=2, gradient=slopes)


@register("saddle", case="resampling", role="sharp")
def saddle(N: int, alpha_L: float, *, L: float = 1.7, rho: float = 2.3) -> Problem:
    """The top of a well, no noise: PATH, GRADIENT GROWTH and the first term of the meta smoothness are attained.

    One task, `l = h`, the well of radius `q^N L/ρ` and a little more. By construction `|l''| ≤ L` and `|l'''| ≤ ρ`,
    both attained; one task without noise: `σ = σ_g = σ_H = 0`; the lower bound is the minimum of `h`.

    For `|w| ≤ L/ρ` the path is `w̃_j = q^j w`, inside the well, so there PATH and both forms of GRADIENT GROWTH are
    equalities for every j ≤ N. At `w = 0`, `∇l = 0` and `∇²L = −q^{2N}L`: SMOOTHNESS is an equality there.
    """
    return _saddle(N, alpha_L, L, rho, reach=L / rho)


@register("saddle-noise", case="resampling", role="sharp")
def saddle_noise(N: int, alpha_L: float, *, L: float = 1.7, rho: float = 2.3, sigma_g: float = 0.9) -> Problem:
    """The top of a well with two-point gradient noise: SGD DEVIATION is attained in mean square.

    As `saddle`, and one datum adds `±σ_g w`: `σ_g` is attained everywhere and `σ_H = 0`. A path from `|w| ≤
    100σ_g/L` stays where `l'' = −L`, whatever the noise, because the radius leaves room for `(q^N − 1)σ_g/L` more.
    There `w_j − w̃_j` is a sum of independent terms `q^{j−1−n} α ξ_n`, so the second moment of SGD DEVIATION is an
    equality, at every S and j; the first moment is one at `S = j = 1`. SECOND MOMENT per task is attained at `w =
    0` for `N = 1`, and within 2 % for every N at `|w| = 100σ_g/L`.
    """
    return _saddle(N, alpha_L, L, rho, reach=100 * sigma_g / L, sigma_g=sigma_g)


@register("saddle-hessian-noise", case="resampling", role="sharp")
def saddle_hessian_noise(
    N: int, alpha_L: float, *, L: float = 1.7, rho: float = 2.3, sigma_g: float = 0.9, sigma_H: float = 17.0
) -> Problem:
    """The top of a well with noise in gradient and Hessian: the factor V of SECOND MOMENT is attained.

    As `saddle`, and one datum adds a wave with `σ_g` and `σ_H` exact at every point (see `WaveNoise`). Where the
    whole path has `l'' = −L`, `E(1 − αĤ)² = q² + α²σ_H²/D` exactly and the factors are independent, so `E‖Ĝ‖² = V
    (q^{2N} l'(w)² + L² E|w_N − w̃_N|² + σ_g²/T)`. With SGD DEVIATION in mean square, an equality here, SECOND
    MOMENT per task is attained at `w = 0` for `N = 1`, and within 2 % for every N at `|w| = 100σ_g/L`.
    """
    return _saddle(N, alpha_L, L, rho, 100 * sigma_g / L, sigma_g, sigma_H)


def _saddle(
    N: int, alpha_L: float, L: float, rho: float, reach: float, sigma_g: float = 0.0, sigma_H: float = 0.0
) -> Problem:
    """Build the well in which no path from `|w| ≤ reach` leaves the part where `l'' = −L`."""
    growth = (1 + alpha_L) ** N
    loudest = sigma_g * (np.sqrt(2) if sigma_H else 1)
    return line_problem(
        well(1.01 * (growth * reach + (growth - 1) * loudest / L), L, rho),
        L=L,
        rho=rho,
        sigma_g=sigma_g,
        sigma_H=sigma_H,
        probes=probes_around([0.0, reach, -reach / 2], reach / 4),
        start=reach / 2,
        scale=reach,
    )


@register("saddle-pair", case="resampling", role="sharp")
def saddle_pair(N: int, alpha_L: float, *, L: float = 1.7, rho: float = 2.3, sigma: float = 0.9) -> Problem:
    """Two wells that are tilted either way: the spread in SECOND MOMENT over tasks is attained, `E‖∇L_i‖² = Q²σ²`.

    `l_± = h ± σw`, h the well of radius `q^N(L/ρ + σ/L)`. `L`, `ρ` by construction, attained; the task gradients differ
    from their mean by `±σ` at every w; no noise: `σ_g = σ_H = 0`; lower bound: the mean of the minima.

    From `w = 0`, the first probe, the paths stay where `l'' = −L`: `∇L_± = ±q^{2N}σ`, and `∇L = 0`.
    """
    radius = (1 + alpha_L) ** N * (L / rho + sigma / L)
    return line_problem(
        well(radius, L, rho, [sigma, -sigma]),
        L=L,
        rho=rho,
        sigma=sigma,
        probes=probes_around(0.0, L / rho),
        start=0.0,
        scale=L / rho,
    )


@register("saddle-pair-finite-sum", case="finite-sum", role="sharp")
def saddle_pair_finite_sum(N: int, alpha_L: float, *, L: float = 1.7, rho: float = 2.3, sigma: float = 0.9) -> Problem:
    """The saddle pair with equal training and test losses, `b = 0`: the same is attained in the finite-sum case."""
    return replace(saddle_pair(N, alpha_L, L=L, rho=rho, sigma=sigma), case="finite-sum")
