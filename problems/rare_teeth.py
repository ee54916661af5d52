"""Teeth under most of the tasks and a few steep ones: the coefficient of `‖∇L‖²` in SECOND MOMENT exceeds 1."""

from __future__ import annotations

import math

import numpy as np

from problems.line_problem import line_problem
from problems.losses.curvature_spline import CurvatureSpline
from problems.probes import probes_around
from problems.problem import Problem
from problems.registry import register


@register("rare-teeth", case="resampling", role="sharp")
def rare_teeth(
    N: int,
    alpha_L: float,
    *,
    L: float = 1.7,
    rho: float = 2.3,
    steepness: float = 10_000.0,
    tasks: int = 10,
    rare: int = 2,
) -> Problem:
    """Most tasks have teeth at their path points, a rare few are steeper and have none: `E‖∇L_i‖² > G² + Q²σ²`.

    See `with_teeth` for the losses and their constants; the rare tasks have the share π. With `r = √(p/Q)`, in units
    of g and Q, `G = (1 − π)r + π(1 + D)`, `E‖∇L_i‖² = (1 − π)r² + π(1 + D)²` and `σ² = π(1 − π)D²`. The ratio
    `E‖∇L_i‖²/(G² + Q²σ²)` is largest where `πD² + π(1 − r)D = r((1 − π)r + π)`, as here: at `w = 0`, the first probe,
    it is 1.071 for a share of 0.2 (the default) and 1.015 for 0.003 at `α = 1/(8NL)`, N = 1. So `G²` needs a
    coefficient > 1.
    """
    share = rare / tasks
    r = ((1 - alpha_L) / (1 + alpha_L)) ** N
    gap = share * (1 - r)
    excess = (math.sqrt(gap**2 + 4 * share * r * ((1 - share) * r + share)) - gap) / (2 * share)
    return with_teeth(N, alpha_L, L, rho, steepness, excess, tasks, rare)


def with_teeth(
    N: int, alpha_L: float, L: float, rho: float, steepness: float, excess: float, tasks: int, rare: int
) -> Problem:
    """Build tasks whose paths go left from `w = 0`; all but the `rare` first have teeth of height 2L there.

    The majority has `l_1' = g = steepness · N L²/(ραL)` at 0 and `l'' = −L` but for teeth, up to `+L` and down again
    with slope `±ρ`, that peak at `w̃_0 … w̃_{N−1}`. The rare tasks, a share π, have `l_2' = g + Dg`, `D = excess`, and
    `l'' = −L`. All rise to `+L` together beyond both ends.

    - `L`, `ρ` by construction, attained; no noise; lower bound: the mean of the minima.
    - `l_2' − l_1'` is Dg at 0, less on the right, and grows on the left by the teeth, each of area `4L²/ρ`, but for the
      right half of the first: `σ = √(π(1 − π)) (Dg + (2N − 1)·2L²/ρ)` (Dg where there are no teeth, at `N = 0`).

    Up to areas of teeth relative to g: `l_1'(w̃_N) = q^N g`, and all factors of the majority are `1 − αL`, so
    `∇L_1 = √(pQ) g`, with `Q = q^{2N}`, `p = (1 − αL)^{2N}`; and `∇L_2 = Q(1 + D)g`. If `πD = √(p/Q)` and `π → 0`,
    `(E‖∇L_i‖² − Q²σ²)/G² → ½(1 + √(Q/p))`, the most that such losses reach; but then σ² is nearly all of the moment.
    """
    steps, share, half = max(N, 1), rare / tasks, 2 * L / rho
    gradient = steepness * steps * L**2 / (rho * alpha_L)
    steep = gradient * (1 + excess)
    path, slope = [0.0], gradient
    for _ in range(N):
        path.append(path[-1] - alpha_L / L * slope)
        slope = (1 + alpha_L) * slope - 2 * L * half  # half a tooth at either end of the step
    feet = np.array(path[:N][::-1])
    low, high = -((1 + alpha_L) ** N) * steep / L - half, 2 * half
    knots = np.concatenate([[low - half, low], (feet[:, None] + half * np.arange(-1, 2)).ravel(), [high, high + half]])
    concave = np.full(len(knots), -L)
    concave[[0, -1]] = L
    toothed = concave.copy()
    toothed[3:-2:3] = L
    majority = np.arange(tasks)[:, None] >= rare
    loss = CurvatureSpline.draw(
        knots,
        np.where(majority, toothed, concave),
        anchor=len(knots) - 4 if N else 1,
        gradient=np.where(majority[:, 0], gradient, steep),
    )
    areas = (2 * N - 1) * L * half if N else 0.0
    return line_problem(
        loss,
        L=L,
        rho=rho,
        sigma=math.sqrt(share * (1 - share)) * (steep - gradient + areas),
        probes=probes_around(0.0, L / rho),
        start=0.0,
        scale=L / rho,
    )
