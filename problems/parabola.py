"""Tasks whose slopes differ along a parabola: the floor of first-order MAML on smooth tasks is attained."""

from __future__ import annotations

import numpy as np

from problems.line_problem import line_problem
from problems.losses.curvature_spline import CurvatureSpline
from problems.probes import probes_around
from problems.problem import Problem
from problems.registry import register
from theory.neighbours.first_order import first_order

SHARE = 0.4
"""`ρσ/L²`, below ½: the less it is, the smaller αL must be."""


@register("parabola", case="resampling", role="sharp")
def parabola(N: int, alpha_L: float, *, L: float = 1.7, rho: float = 2.3) -> Problem:
    """A fixed point of first-order MAML where Hessians and gradients of tasks vary together as much as they can.

    Two tasks `(μ/2)w² + cw ± f`, `μ = L − √(2ρσ)`, where `f'` is a parabola of height `σ = SHARE · L²/ρ`:
    with `T = √(2σ/ρ)`, `f'' = −ρx` for `|x| ≤ T`, and back to 0 with slope ρ at `±2T`. So `f' = σ − ρx²/2` down to 0 at
    `±T`, on to `−σ` at `±2T`, and constant beyond: `|f'| ≤ σ`, attained, `|f''| ≤ ρT = √(2ρσ)`. Hence `L` and `ρ`
    are attained; no noise: `σ_g = σ_H = 0`; the lower bound is the mean of the minima.

    At the point x with `f' = ⅔σ`, `T/√3` right of the top, `f'f'' = −ψ`, ψ of HESSIAN SPREAD. There w is 0, and c is
    such that first-order MAML stays: then `∇L ≈ −αN E l''l' ≈ αNψ`, which attains the floor as `α → 0`. The spread of
    the Hessians is largest at `x = T`, where `f''² = 2ρσ`, the second probe.
    """
    sigma = SHARE * L**2 / rho
    T = np.sqrt(2 * sigma / rho)
    mu, at = L - rho * T, T / np.sqrt(3)
    knots = T * np.array([-2.0, -1.0, 1.0, 2.0]) - at
    bend = np.interp(0.0, knots, rho * T * np.array([0.0, 1.0, -1.0, 0.0]))
    x = np.insert(knots, 2, 0.0)
    f = np.array([0.0, rho * T, bend, -rho * T, 0.0])
    steps = max(N, 1)

    def tasks(c: float) -> CurvatureSpline:
        return CurvatureSpline.draw(
            x, np.array([mu + f, mu - f]), anchor=2, gradient=c + np.array([1, -1]) * 2 / 3 * sigma
        )

    def left(c: float) -> float:
        return float(first_order(np.zeros((1, 1)), alpha_L / L, steps, tasks(c), tasks(c)).mean())

    low, high = -sigma, sigma
    for _ in range(100):
        middle = (low + high) / 2
        low, high = (low, middle) if left(middle) > 0 else (middle, high)
    return line_problem(
        tasks(low),
        L=L,
        rho=rho,
        sigma=sigma,
        probes=probes_around([0.0, T - at], T / 100),
        start=0.0,
        scale=T / 100,
    )
