"""A ramp as long as a run of MAML needs it: the convergence theorems are nearly attained."""

from __future__ import annotations

import math
from dataclasses import replace

from problems.line_problem import line_problem
from problems.losses.curvature_spline import CurvatureSpline
from problems.probes import probes_around
from problems.problem import Problem
from problems.registry import register
from theory.constants import Constants, Schedule
from theory.paper import Paper

STEPS = 10_000
MADE_FOR = {"C_beta": 80.0, "K": STEPS, "B": 64}
"""The meta stepsize `1/(C_β L_w)`, the meta steps that the ramp is as long as, and the tasks per step where drawn."""


def bend(L: float, rho: float, slope: float) -> tuple[CurvatureSpline, float, float]:
    """A ramp that bends into a flat right of 0, as fast as ρ allows, its infimum, and half of the bend's length.

    Raises ValueError where its curvature would exceed L.
    """
    h = math.sqrt(rho * slope)
    if h >= L:
        raise ValueError(f"slope = {slope:g} is not allowed: ρg must be < L² = {L * L:g}")
    half = h / rho
    loss = CurvatureSpline.draw([0.0, half, 2 * half], [0.0, h, 0.0], anchor=0, gradient=-slope)
    return loss, -slope * half, half


@register("ramp", case="resampling", role="sharp")
def ramp(
    N: int, alpha_L: float, *, L: float = 1.3, rho: float = 1.6, slope: float = 0.6, steps: int = STEPS
) -> Problem:
    """A ramp of slope −g that ends after K meta steps of exact MAML: its theorem is attained within 3 %.

    `l' = −g` left of 0; there `l''` rises with slope ρ to `h = √(ρg)` and falls back to 0 at `2h/ρ`, which takes `l'`
    to 0 as fast as ρ allows; from there on the loss is flat. So

    - `|l''| ≤ h < L`, where `ρg < L²` (else ValueError), and ρ is attained on both sides of the bend;
    - `l' ≤ 0`, so the loss is least on the flat: `l' + g` is symmetric about `(h/ρ, g/2)` on the bend, hence
      `l = −g · h/ρ` there (`l(0) = 0`), the infimum of the meta objective too; and `‖∇l‖ ≤ g`;
    - one task without noise: `σ = σ_g = σ_H = 0`.

    While the inner path stays left of 0 it never meets curvature: `∇L(w) = −g` and `L_w = a + C_L g`, so a meta step
    moves by `g/(C_βL_w)`. The start is so far left that the last of K paths ends at 0. Then `ḡ = g`, and
    `Δ = (K − 1)g²/(C_βL_w) + gh/ρ` is just what the theorem needs for it, up to `1/(2C_β)`, the bend's `O(C_β/K)`, and
    the `1/C_1` of LINK, which costs little as `C_L g/a` is small.
    """
    loss, flat, scale = bend(L, rho, slope)
    alpha = alpha_L / L
    L_w = Paper(Constants(L=L, rho=rho, b=0.0, b_sq=0.0), Schedule(N=N, alpha=alpha)).L_w(slope)
    meta_step = slope / (MADE_FOR["C_beta"] * float(L_w))
    return line_problem(
        loss,
        L=L,
        rho=rho,
        probes=probes_around([0.0, scale, 2 * scale], scale),
        start=-(steps - 1) * meta_step - N * alpha * slope,
        scale=scale,
        lower_bound=flat,
        gradient_bound=slope,
        made_for=MADE_FOR | {"K": steps},
    )


@register("ramp-finite-sum", case="finite-sum", role="sharp")
def ramp_finite_sum(N: int, alpha_L: float, *, L: float = 1.3, rho: float = 1.6, slope: float = 0.6) -> Problem:
    """The ramp, with equal training and test loss: the theorem of Algorithm 2 is attained within 3 %.

    Constants as on the ramp, and `b = 0`. With one task Algorithm 2 draws it B times: it is exact MAML, and only
    `κ = 2` and the `1/B` of the theorem tell the two guarantees apart.
    """
    return replace(ramp(N, alpha_L, L=L, rho=rho, slope=slope), case="finite-sum")


@register("gentle-ramp", case="resampling", role="sharp")
def gentle_ramp(
    N: int, alpha_L: float, *, L: float = 1.3, rho: float = 0.4, slope: float = 0.4, steps: int = 40_000
) -> Problem:
    """A ramp so gentle, and so long, that `C_Lg/a` and the bend hardly count: attained within 1 % at α = 1/(8NL).

    As `ramp`, with ρ = g = 0.4 and K = 4·10⁴. With ρ = g = 0.1 and K = 10⁶ what is left is `√(1 − 1/(2C_β))`, 0.9969 at
    `C_β = 80`, and 0.1 %.
    """
    return ramp(N, alpha_L, L=L, rho=rho, slope=slope, steps=steps)


@register("gentle-ramp-finite-sum", case="finite-sum", role="sharp")
def gentle_ramp_finite_sum(
    N: int, alpha_L: float, *, L: float = 1.3, rho: float = 0.4, slope: float = 0.4, steps: int = 40_000
) -> Problem:
    """The gentle ramp with equal training and test loss: the same of Algorithm 2."""
    return replace(gentle_ramp(N, alpha_L, L=L, rho=rho, slope=slope, steps=steps), case="finite-sum")
