"""Noise that makes paths a chain on two points a step: BIAS is attained per task at every N, and nearly over tasks."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from problems.cases import resampling
from problems.losses.curvature_spline import CurvatureSpline
from problems.losses.martingale_noise import MartingaleNoise
from problems.probes import probes_around
from problems.problem import Problem
from problems.registry import register
from problems.tent import concave_path, kinked, tented
from theory.constants import Constants


@register("kinks", case="resampling", role="sharp")
def kinks(
    N: int, alpha_L: float, *, L: float = 1.7, rho: float = 2.3, width: float = 0.001, steepness: float = 1000.0
) -> Problem:
    """Kinks of the Hessian under a large gradient, martingale noise: BIAS per task, its second term, at every N.

    Two tasks `l ± sw` as on `tent-kink`: one path moves left from `w = 0` (the first probe), the other right, and
    `l'' = −L` along both, but to the left `l'' = −L + ρ|x − w̃_j|` and to the right `−L + ρ(δ_j − |x − w̃_j|)` for
    `|x − w̃_j| ≤ δ_j`, `1 ≤ j < N`. `L`, `ρ` are attained; `σ = s` everywhere; lower bound: the mean of the minima.

    Noise (see `MartingaleNoise`): `±σ_g` at `w = 0`, and at each `w̃_j ± δ_j` the two values that lead to `w̃_{j+1} ±
    δ_{j+1}`. The exact step from `w̃_j ± δ_j` ends `D_j = qδ_j − αρδ_j²/2` from `w̃_{j+1}`, on both sides, so these
    are `(±D_j ∓ δ_{j+1})/α`; the first has the chance `½(1 ± D_j/δ_{j+1})`, and then their mean square is `(δ_{j+1}² −
    D_j²)/α² = σ_g²` if `δ_{j+1}² = D_j² + α²σ_g²`, `δ_1 = ασ_g`. So `|w_j − w̃_j| = δ_j` for certain.

    Hence on the left `E Ĝ − ∇L = l'(w̃_N)(q∏(q − αρδ_j) − q^N)`, and the same on the right but for terms of second
    order in `width`: beside `β_1 + β_2‖∇l_i‖` per task, `β_2 = αρq^{2N−1}Σ_{j<N}δ_j`, the ratio tends to 1 for every
    `N ≥ 2` as `width → 0` and `steepness → ∞`. Over tasks both biases have one sign and `∇L ≈ 0`: with LAST GRADIENT
    the ratio is `√((1 − x − x²)/(1 − x))`, `x = NαL`. At S > 1, and for N < 2, the points are ordinary ones.
    """
    q, steps, alpha = 1 + alpha_L, max(N, 2), alpha_L / L
    sigma_g = width * L**2 / (rho * (q**steps - 1))
    delta, drift = _deviations(steps, q, alpha * sigma_g, rho * alpha)
    s = steepness * L * delta[-1] / (alpha * rho * q ** (steps - 1) * delta[:-1].sum())
    left, right = (concave_path(alpha_L, L, rho * delta[:-1] ** 2 * share, s) for share in (1.0, 0.5))
    loss = kinked(left, right, delta[:-1], L, rho, s)
    nodes, up, down, chance = [0.0], [sigma_g], [-sigma_g], [0.5]
    for j in range(1, steps):
        for side in (-left[j], right[j]):
            for sign in (1, -1):
                nodes.append(side + sign * delta[j])
                up.append((sign * drift[j] - delta[j + 1]) / alpha)
                down.append((sign * drift[j] + delta[j + 1]) / alpha)
                chance.append(0.5 * (1 + sign * drift[j] / delta[j + 1]))
    return _problem(loss, MartingaleNoise(loss, nodes, up, down, chance), L, rho, s, 0.0, 0.1 * L / rho)


@register("martingale-tent", case="resampling", role="sharp")
def martingale_tent(N: int, alpha_L: float, *, L: float = 1.7, rho: float = 2.3, loudness: float = 1000.0) -> Problem:
    """The tent with martingale noise: the first term of BIAS per task, with Jensen's `δ_N`, is attained at every N.

    Loss and constants as on `tent`: `l'' = −L` along the path from the first probe to the peak of the tent, `w̃_N =
    0`. Noise as on `kinks`, with `D_j = qδ_j`: so `δ_j = ασ_g √((q^{2j} − 1)/(q² − 1))`, and `|w_N| = δ_N` for
    certain. Hence `E Ĝ − ∇L = −q^N(Lδ_N − L²/(2ρ))`: beside `β_1 = q^N Lδ_N` the ratio is `1 − L/(2ρδ_N)`, which is
    above `1 − 1/(2 loudness)`. Where N > 1, the second term of BIAS is much larger, and not attained here.
    """
    q, steps, alpha = 1 + alpha_L, max(N, 1), alpha_L / L
    sigma_g = loudness * L**2 / (rho * alpha_L)
    loss, sharp, top = tented(steps, alpha_L, L, rho, sigma_g)
    delta, drift = _deviations(steps, q, alpha * sigma_g, 0.0)
    nodes, up, down, chance = [sharp], [sigma_g], [-sigma_g], [0.5]
    for j in range(1, steps):
        for sign in (1, -1):
            nodes.append(top / L - q**j * (top / L - sharp) + sign * delta[j])
            up.append((sign * drift[j] - delta[j + 1]) / alpha)
            down.append((sign * drift[j] + delta[j + 1]) / alpha)
            chance.append(0.5 * (1 + sign * drift[j] / delta[j + 1]))
    return _problem(loss, MartingaleNoise(loss, nodes, up, down, chance), L, rho, 0.0, sharp, alpha * sigma_g)


def _deviations(
    steps: int, q: float, first: float, bend: float
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """`δ_0 … δ_N`, `δ_1 = first`, and `D_0 … D_{N−1}`, `D_j = qδ_j − bend δ_j²/2`."""
    delta, drift = [0.0], []
    for _ in range(steps):
        drift.append(q * delta[-1] - bend * delta[-1] ** 2 / 2)
        delta.append(math.hypot(drift[-1], first))
    return np.array(delta), np.array(drift)


def _problem(
    loss: CurvatureSpline, noise: MartingaleNoise, L: float, rho: float, sigma: float, sharp: float, scale: float
) -> Problem:
    constants = Constants(
        L=L,
        rho=rho,
        sigma=sigma,
        sigma_g=noise.sigma_g,
        sigma_H=noise.sigma_H,
        lower_bound=loss.lower_bound(),
    )
    middles = (noise.nodes[1:] + noise.nodes[:-1]) / 2
    return resampling(
        loss,
        constants,
        noise=noise,
        probes=probes_around(sharp, scale),
        extremes=np.concatenate([loss.extremes()[:, 0], noise.nodes, middles])[:, None],
        start=[sharp],
        scale=scale,
        made_for={"S": 1},
    )
