"""A bias that the meta-gradient cancels: where Algorithm 1 rests however large its batches of tasks are."""

from __future__ import annotations

import numpy as np

from problems.line_problem import line_problem
from problems.losses.curvature_spline import CurvatureSpline
from problems.probes import probes_around
from problems.problem import Problem
from problems.registry import register


@register("bias-floor", case="resampling", role="sharp")
def bias_floor(N: int, alpha_L: float, *, L: float = 1.7, rho: float = 2.3, bend: float = 0.25) -> Problem:
    """One step on a parabola of `l'`, single data: Algorithm 1 rests where `‖∇L‖` is the bias, however large B is.

    One task, `l' = −(ρ/2)α²σ_g² + h_0x + (ρ/2)x²` from `x = −0.6 L/ρ` to where `l'' = L`, with `ασ_g = L/(2ρ)` and
    `h_0 = bend · L`; `l'' = +L` from there on, and `l''` rises to `+L` on the left. `L`, `ρ` by construction,
    attained; one datum adds `±σ_g w`: `σ_g` is attained everywhere, `σ_H = 0`; `σ = 0`; lower bound: the minimum of l.

    At `N = S = 1`, where `w̃_1 = 0` (the start and the first probe: `w = αl'(w)`), noise leads to `±L/(2ρ)`, so `E
    l'(w_1) = l'(0) + (ρ/2)α²σ_g² = 0`: the mean of Ĝ is zero, and `∇L = −(1 − αl''(w))(ρ/2)α²σ_g²`. Around it the mean
    of Ĝ has the slope `(1 − αl'')² h_0 > 0`, so meta steps lead there, and with B → ∞ they stay. The own theorem
    allows `(ρ/2)qα²σ_g²` as B, T, D_L, B', K → ∞ (`made_for` has batches so large that draws do not matter: take
    expectations): the ratio is `(1 − αl''(w))/q`, about `1 − (1 + bend)αL`.
    """
    edge, alpha = L / rho, alpha_L / L
    sigma_g = edge / (2 * alpha)
    left, right = -0.6 * edge, (1 - bend) * edge
    low = rho * left + bend * L
    loss = CurvatureSpline.draw(
        [left - (L - low) / rho, left, 0.0, right],
        [L, low, bend * L, L],
        anchor=2,
        gradient=-rho / 8 * edge**2,
    )
    # w = αl'(w): the smaller root of (αρ/2)w² + (αh_0 − 1)w − αρ(L/ρ)²/8 = 0
    half = 1 - alpha_L * bend
    sharp = -alpha * rho / 4 * edge**2 / (half + np.sqrt(half**2 + (alpha_L / 2) ** 2))
    many = 10**12
    return line_problem(
        loss,
        L=L,
        rho=rho,
        sigma_g=sigma_g,
        probes=probes_around(sharp, 0.1 * edge),
        start=float(sharp),
        scale=0.1 * edge,
        made_for={"C_beta": 20, "K": many, "B": many, "S": 1, "T": many, "B_prime": many, "D_L": many},
    )
