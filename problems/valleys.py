"""Valleys of the curvature at the points of a path: differences of gradients see their flanks, Hessians do not."""

from __future__ import annotations

import numpy as np

from problems.line_problem import line_problem
from problems.losses.joined import bumps, joined, path, tails
from problems.probes import probes_around
from problems.problem import Problem
from problems.registry import register


@register("valleys", case="resampling", role="sharp")
def valleys(N: int, alpha_L: float, *, L: float = 1.7, rho: float = 2.3, steepness: float = 20.0) -> Problem:
    """`l''` rises to both sides of every point of the inner path: HF ERROR is attained, forward, central and raw.

    One task without noise: `σ = σ_g = σ_H = 0`. Around each of `w̃_0 … w̃_{N−1}`, at the distance x, `l'' = −L + ρ|x|`
    up to `|x| = t` and down again; elsewhere along the path `l'' = −L`, and `+L` far out. `L` and `ρ` are attained; the
    lower bound is the minimum of `l`. Each side of a valley has the area `ρt²`, so from `l'(0) = g = steepness · L²/ρ`
    the slopes are `g_{j+1} = q g_j − 2ρt²`, and `q g_j − ρt²` in the last step.

    A difference of gradients over a step `δ ≤ t` from `w̃_j`, or to both sides, sees the mean curvature `−L + ρδ/2`
    where the Hessian is `−L`. So Hessian-free MAML has `(q − αρδ/2)^N g_N` where `∇L = q^N g_N`: `(N/2)αρδ q^{N−1} g_N`
    apart, to first order in ρδ/L. A raw step is `δv_{j+1}` long, and `v_{j+1} = q^{N−1−j} g_N` to first order.
    """
    steps, slope = max(N, 1), steepness * L**2 / rho
    flank = min(0.01 * L / rho, alpha_L / L * slope / 8)
    points = -path(steps, alpha_L, L, slope, 2 * rho * flank**2)
    top = -L + rho * flank
    valley = bumps(points[:N], flank * np.arange(-2, 3), [-L, top, -L, top, -L])
    outline = tails(points[-1] - L / rho, 2 * flank + L / rho, L, rho, -L)
    reach = flank / (1 + alpha_L) ** N
    return line_problem(
        joined(outline, [valley], gradient=slope),
        L=L,
        rho=rho,
        probes=probes_around(0.0, reach),
        start=0.0,
        scale=reach,
    )
