"""Spikes of the curvature that first-order MAML does not see: its floor is attained."""

from __future__ import annotations

import numpy as np

from problems.line_problem import line_problem
from problems.losses.joined import bumps, joined, path, tails
from problems.probes import probes_around
from problems.problem import Problem
from problems.registry import register


@register("spikes", case="resampling", role="sharp")
def spikes(N: int, alpha_L: float, *, L: float = 1.7, rho: float = 2.3, steepness: float = 10_000.0) -> Problem:
    """A fixed point of first-order MAML where the meta-gradient is as large as it can be: FO FLOOR on the line.

    Two tasks with `l'' = −L` along their paths from `w = 0`, but for triangular spikes up to `+L`, of slope ρ and area
    `a = 4L²/ρ`: `l_−` has one around each of its `w̃_0 … w̃_N`, `l_+` around its `w̃_N` only. Both rise to `+L` far out.
    So `L` and `ρ` are attained; no noise: `σ_g = σ_H = 0`; the lower bound is the mean of the minima.

    With `l_+'(0) = s = steepness · L²/(ραL)` the path of `l_+` moves left and `g_N = q^N s − a/2`. With `l_−'(0) = −t`
    that of `l_−` moves right; each step crosses half a spike where it starts and half of one where it ends, `g_{j+1} =
    q g_j + a`, so `g_N = −q^N t + a(q^N − 1)/(αL)`, and t is such that the two `g_N` add up to 0: first-order MAML
    stays. But `A_+ = q^N` and `A_− = (1 − αL)^N` exactly, so `∇L(0) = ½(q^N − (1 − αL)^N) g_N`.

    Between the tasks `l_+' − l_−'` is `s + t` at 0, falls along the spikes of `l_−` to the right, and to the left gains
    `a/2` from half of the spike at 0 before it loses `a` in the spike of `l_+`: `σ = ½(s + t + a/2)`, attained. As
    `ρ → ∞` the areas vanish beside s, and the floor `½q^N(q^N − (1 − αL)^N)σ` is attained, for every N and αL < 1.
    """
    steps, area, width = max(N, 1), 4 * L**2 / rho, 2 * L / rho
    growth = (1 + alpha_L) ** steps
    s = steepness * L**2 / (rho * alpha_L)
    t = s - area / (2 * growth) + area * (growth - 1) / (alpha_L * growth)
    left, right = -path(steps, alpha_L, L, s), path(steps, alpha_L, L, t, area)
    spike = width * np.array([-1, 0, 1]), [-L, L, -L]
    loss = joined(
        tails(left[-1] - L / rho - width, right[-1] + L / rho + width, L, rho, -L),
        [bumps(left[-1:], *spike), bumps(right, *spike)],
        gradient=[s, -t],
    )
    return line_problem(
        loss,
        L=L,
        rho=rho,
        sigma=(s + t + area / 2) / 2,
        probes=probes_around(0.0, width),
        start=0.0,
        scale=width,
    )
