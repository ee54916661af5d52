"""The edge of a well, where the Hessian rises as fast as ρ allows: the bias of one inner step."""

from __future__ import annotations

from problems.line_problem import line_problem
from problems.probes import probes_around
from problems.problem import Problem
from problems.registry import register
from problems.saddle import well


@register("well-edge", case="resampling", role="sharp")
def well_edge(N: int, alpha_L: float, *, L: float = 1.7, rho: float = 2.3, loudness: float = 0.8) -> Problem:
    """One inner step lands on the edge of a well, with two-point noise: the bias `(ρ/2) q α²σ_g²/S` is attained.

    One task, the well of radius `r = 2L/(ρ αL)`, whose edge `[r, r + 2L/ρ]` has `l''' = ρ`; one datum adds `±σ_g w`
    with `ασ_g = loudness · L/ρ`. `L`, `ρ` by construction, attained; `σ = 0`; `σ_g` is attained everywhere, `σ_H = 0`;
    the lower bound is the minimum of the well.

    From `w = (r + L/ρ)/q ≤ r`, the first probe, the step goes to `w̃_1 = q w = r + L/ρ`, the middle of the edge, and
    noise keeps `w_1` on it. There `l'` is a parabola, so `E l'(w_1) − l'(w̃_1) = (ρ/2) E(w_1 − w̃_1)² = (ρ/2) α²σ_g²/S`,
    and `1 − αl''(w) = q`: an equality at `N = 1` for every S. For `N > 1` the point is an ordinary one.
    """
    q, half_edge = 1 + alpha_L, L / rho
    radius = 2 * half_edge / alpha_L
    sharp = (radius + half_edge) / q
    sigma_g = loudness * half_edge * L / alpha_L
    return line_problem(
        well(radius, L, rho),
        L=L,
        rho=rho,
        sigma_g=sigma_g,
        probes=probes_around(sharp, half_edge),
        start=sharp,
        scale=half_edge,
    )
