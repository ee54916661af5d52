"""Cusps of the gradient, and a mismatch, that hide task gradients from the meta-gradient: LINK."""

from __future__ import annotations

from problems.cases import finite_sum
from problems.line_problem import line_problem
from problems.losses.curvature_spline import CurvatureSpline
from problems.probes import probes_around
from problems.problem import Problem
from problems.registry import register
from theory.constants import Constants


@register("cusp", case="resampling", role="sharp")
def cusp(N: int, alpha_L: float, *, L: float = 1.7, rho: float = 2.3, steepness: float = 10_000.0) -> Problem:
    """Two tasks, one in the convex and one in the concave half of a cusp: LINK is attained as `αL → 0`.

    `l_±' = x ± s` at `w = 0`, `s = steepness · L²/ρ`; for `l_+`, `l''` falls from `+L` at 0 to `−L` at `2L/ρ`, for
    `l_−` from `+L` at `−2L/ρ` to `−L` at 0, each with slope `−ρ`; both rise to `+L` far right. So the two share the
    cusp `l' ≈ x − L|w|` up to a shift, and at 0 itself one has curvature `+L` and the other `−L`.

    - `L`, `ρ` by construction, attained; no noise: `σ_g = σ_H = 0`; lower bound: the mean of the minima of both
      tasks.
    - `½(l_+' − l_−')` is `s` at 0, `s + L²/ρ` from `2L/ρ` on and `s − L²/ρ` up to `−2L/ρ`, monotone between: `σ = s
      + L²/ρ`.

    LINK, first point (`w = 0`): the path of `l_+` moves left with curvature `L` only, that of `l_−` right with `−L`
    only, so `∇L = ½(p(x + s) − q^{2N}(s − x))`, `p = (1 − αL)^{2N}`. With `x = s(q^{2N} − p)/(q^{2N} + p)` it
    vanishes, while `∇l = x`: the ratio in LINK is `(C_1/C_2)(q^{2N} − p)/(q^{2N} + p) · s/σ`, which tends to 1 as
    `αL → 0` and `ρ → ∞`.

    SECOND MOMENT, second point (where `l_±' = ±σ`, both paths in the concave half): `∇L = 0` and `E‖∇L_i‖² =
    q^{4N}σ²`, half of the term with σ² but for `2C_2²/C_1²`.
    """
    s = steepness * L**2 / rho
    sigma = s + L**2 / rho
    convex, concave = (1 - alpha_L) ** (2 * N), (1 + alpha_L) ** (2 * N)
    x = s * (concave - convex) / (concave + convex)
    balanced = x / L + L / rho
    end = balanced + ((1 + alpha_L) ** N - 1) * sigma / L + 2 * L / rho
    loss = CurvatureSpline.draw(
        [-2 * L / rho, 0, 2 * L / rho, end, end + 2 * L / rho],
        [[L, L, -L, -L, L], [L, -L, -L, -L, L]],
        anchor=1,
        gradient=[x + s, x - s],
    )
    return line_problem(
        loss,
        L=L,
        rho=rho,
        sigma=sigma,
        probes=probes_around([0.0, balanced], L / rho),
        start=0.0,
        scale=L / rho,
    )


@register("cusp-mismatch", case="finite-sum", role="sharp")
def cusp_mismatch(N: int, alpha_L: float, *, L: float = 1.7, mismatch: float = 2.9) -> Problem:
    """A convex quadratic, tilted in training: the mismatch term of LINK is attained as `αL → 0`.

    One task, `l_T = (L/2)w²` and `l_S = l_T + bw`: `L` is attained, `ρ = 0`, `σ = 0`, `b` is the mismatch
    everywhere, `b_sq = b²`; the meta objective is at least 0 = inf l_T, attained.

    With `p = (1 − αL)^N`, `∇L = p(p l_T' − (1 − p)b)`. It vanishes at `l_T' = (1 − p)b/p`, the first probe, where
    LINK reads `(1 − p)b/p ≤ m/C_1`: the ratio `C_1(1 − p)/(p q^N(q^N − 1))` tends to 1 as `αL → 0`. (The concave
    quadratic has the ratio `C_1/q^{2N}`, which is less.)
    """
    train = CurvatureSpline.draw([0.0], [L], anchor=0, gradient=mismatch)
    test = CurvatureSpline.draw([0.0], [L], anchor=0)
    shrink = (1 - alpha_L) ** N
    sharp = (1 - shrink) * mismatch / (shrink * L)
    return finite_sum(
        train,
        test,
        Constants(L=L, rho=0.0, b=mismatch, lower_bound=0.0),
        probes=probes_around(sharp, mismatch / L),
        extremes=train.extremes(),
        start=[0.0],
        scale=mismatch / L,
    )
