"""Two tasks whose teeth deceive a difference of gradients in opposite ways: the floor of Hessian-free MAML."""

from __future__ import annotations

import numpy as np

from problems.line_problem import line_problem
from problems.losses.joined import bumps, joined, tails
from problems.probes import probes_around
from problems.problem import Problem
from problems.registry import register

STEPS_LONG = 100.0
"""How many teeth fit into a step of the path."""


@register("tooth-twins", case="resampling", role="sharp")
def tooth_twins(N: int, alpha_L: float, *, L: float = 1.7, rho: float = 2.3, width: float = 0.01) -> Problem:
    """A fixed point of Hessian-free MAML where the meta-gradient is as large as it can be, as `αL → 0`: HF FLOOR.

    Two tasks without curvature along their paths from `w = 0`, rising to `+L` far out, but for teeth: `l_+'' = ρx` at
    the distance x right of each of its `w̃_0 … w̃_{N−1}`, up to `x = δ = width · L/ρ` and down again, and `l_−'' = −ρx`
    left of each of its own. So `L` and `ρ` are attained (`width` ≤ 1); no noise: `σ_g = σ_H = 0`; the lower bound is
    the mean of the minima.

    With `l_+'(0) = s` the path of `l_+` moves left; each step but the last crosses a tooth, of area `a = ρδ²`: `g_N = s
    − (N − 1)a`. With `l_−'(0) = −t` that of `l_−` moves right, and `−g_N = t + (N − 1)a`. A forward difference over a
    step δ sees the mean curvature `±ρδ/2` where the Hessian vanishes, so the Hessian-free directions are `(1 −
    αρδ/2)^N g_N` and `(1 + αρδ/2)^N g_N`; t is such that they add up to 0. But `∇L_i = g_N` for both.

    Between the tasks `l_+' − l_−'` is `s + t` at 0 and rises in every tooth: by `Na` to either side, `σ = ½(s + t +
    Na)`, attained. So `∇L(0) = ½(g_{N,+} + g_{N,−})` is `(N/2)αρδσ` up to the order of αρδ, and the floor is attained
    as `αL → 0`.
    """
    steps, delta = max(N, 1), width * L / rho
    area, half = rho * delta**2, alpha_L * width / 2
    crossed = (steps - 1) * area
    s = STEPS_LONG * delta * L / alpha_L + crossed
    t = ((1 - half) / (1 + half)) ** steps * (s - crossed) - crossed
    left, right = (
        np.cumsum([0.0, *(alpha_L / L * (slope + sign * area * np.arange(steps)))]) for slope, sign in ((s, -1), (t, 1))
    )
    tooth = delta * np.arange(3)
    loss = joined(
        tails(-left[-1] - L / rho, right[-1] + L / rho, L, rho, 0.0),
        [
            bumps(-left[:N], tooth, [0, rho * delta, 0]),
            bumps(right[:N], -tooth, [0, -rho * delta, 0]),
        ],
        gradient=[s, -t],
    )
    return line_problem(
        loss,
        L=L,
        rho=rho,
        sigma=(s + t + steps * area) / 2,
        probes=probes_around(0.0, delta),
        start=0.0,
        scale=4 * delta,
    )
