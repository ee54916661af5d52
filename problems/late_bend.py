"""A bend of the curvature behind the last inner step: a meta-stationary point of N steps is none of N + m."""

from __future__ import annotations

from problems.line_problem import line_problem
from problems.losses.curvature_spline import CurvatureSpline
from problems.losses.joined import path
from problems.probes import probes_around
from problems.problem import Problem
from problems.registry import register

MORE_STEPS = 10
"""Further steps that the left-moving path has room for."""


@register("late-bend", case="resampling", role="sharp")
def late_bend(N: int, alpha_L: float, *, L: float = 1.7, rho: float = 2.3, steepness: float = 10_000.0) -> Problem:
    """Two tasks `l ± σw`, stationary for N inner steps and as far from it as can be for N + m: TEST STEPS for d = 1.

    `l'' = −L` left of the point x where the right-moving path from `w = 0` ends, rising with slope ρ to `+L` just
    there, `+L` right of x and far left. So `L` and `ρ` are attained; the tasks differ by `2σw`: σ is attained
    everywhere; no noise: `σ_g = σ_H = 0`; the lower bound is the mean of the minima. `σ = steepness · L²/(ραL)`.

    The left-moving task has `l_+'(0) = c + σ` and `∇L_+ = q^{2N}(c + σ)`; the other has `c − σ < 0`, gains the area
    `2L²/ρ` of the rise in its last step, and `∇L_− = q^N(q^N(c − σ) + 2L²/ρ)`. With `c = −L²/(ρq^N)` they cancel. Every
    further step multiplies the one by `q²` and the other by `(1 − αL)²`: `∇L^{(N+m)}(0) = ½(q^{2m} − (1 −
    αL)^{2m})q^{2N}(c + σ)`, and c vanishes beside σ as `ρ → ∞`.
    """
    steps, width = max(N, 1), 2 * L / rho
    sigma = steepness * L**2 / (rho * alpha_L)
    c = -(L**2) / (rho * (1 + alpha_L) ** steps)
    last = path(steps, alpha_L, L, sigma - c)[-1]
    low = -path(steps + MORE_STEPS, alpha_L, L, sigma + c)[-1]
    return line_problem(
        CurvatureSpline.draw(
            [low - width, low, 0.0, last - width, last], [L, -L, -L, -L, L], anchor=2, gradient=[c + sigma, c - sigma]
        ),
        L=L,
        rho=rho,
        sigma=sigma,
        probes=probes_around(0.0, width),
        start=0.0,
        scale=width,
    )
