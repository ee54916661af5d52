"""One tooth of the curvature beside a regularised minimum: SMOOTHNESS of iMAML is attained in full."""

from __future__ import annotations

import numpy as np

from problems.line_problem import line_problem
from problems.losses.joined import bumps, joined, tails
from problems.probes import probes_around
from problems.problem import Problem
from problems.registry import register


@register("tooth", case="resampling", role="sharp")
def tooth(N: int, alpha_L: float, *, L: float = 1.7, rho: float = 2.3, steepness: float = 20.0) -> Problem:
    """A tooth of `l''` right of where iMAML's inner problem has its minimum: all terms of its smoothness add up.

    One task without noise, `σ = σ_g = σ_H = 0`. `l'' = −L` around `w = 0` and far to the left, but for a tooth `l'' =
    −L + ρs` at the distance s right of φ, up to `s = t` and down again; `+L` far out. `L` and `ρ` are attained; the
    lower bound is the minimum of `l`.

    With `h = αL = L/λ < 1` and `Q = 1/(1 − h)`, from `l'(0) = g = steepness · L²/ρ` the minimum is `φ = −α l'(φ)` with
    `l'(φ) = Q(g − ρt²)`. Moving w to the right by δ moves φ by `Qδ`, up the flank: `J = 1/(1 + αl''(φ))` falls from Q
    by `αρQ³δ`, and `l'(φ)` by `LQδ`: together `(Q²L + αρQ⁴g)δ`, up to the area `ρt²` beside g.
    """
    h, slope = min(alpha_L, 0.9), steepness * L**2 / rho
    stretch = 1 / (1 - h)
    flank = min(0.001 * L / rho, h / L * slope / 8)
    phi = -h / L * stretch * (slope - rho * flank**2)
    loss = joined(
        tails(phi - L / rho, L / rho, L, rho, -L),
        [bumps([phi], flank * np.arange(3), [-L, -L + rho * flank, -L])],
        gradient=slope,
    )
    reach = flank / stretch
    return line_problem(loss, L=L, rho=rho, probes=probes_around(0.0, reach), start=0.0, scale=reach)
