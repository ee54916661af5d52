"""Cusps shared by many tasks, in the proportion in which their meta-gradients cancel: LINK is attained at every α."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np

from problems.line_problem import line_problem
from problems.losses.curvature_spline import CurvatureSpline
from problems.probes import probes_around
from problems.problem import Problem
from problems.registry import register


@register("weighted-cusp", case="resampling", role="sharp")
def weighted_cusp(
    N: int, alpha_L: float, *, L: float = 1.7, rho: float = 2.3, steepness: float = 10_000.0, tasks: int = 24
) -> Problem:
    """Tasks on either side of a cusp, in the shares that cancel: the exact LINK is attained for every N and αL < 1.

    At `w = 0`, the first probe, `l_+' = z` and `l_−' = −z`, `z = steepness · L²/ρ`. `l_+''` falls with slope `−ρ` from
    `+L` at 0 to `−L` at `2L/ρ`, `l_−''` from `+L` at `−2L/ρ` to `−L` at 0; both rise to `+L` far right. A share u of
    the tasks has `l_+`, the others `l_−`: u is the least multiple of `1/tasks` with `u ≥ Q/(p + Q)`, `Q = q^{2N}`, `p
    = (1 − αL)^{2N}`.

    - `L`, `ρ` by construction, attained; no noise; lower bound: the mean of the minima.
    - `l_+' − l_−'` is 2z at 0, `2z + 2L²/ρ` from `2L/ρ` on and less on the left: `σ = 2√(u(1 − u)) (z + L²/ρ)`.

    The path of `l_+` goes left with curvature `+L` only, that of `l_−` right with `−L` only, so `∇L_+ = pz` and
    `∇L_− = −Qz`: `G = (up − (1 − u)Q)z ≥ 0`, `‖∇l‖ = (2u − 1)z`, and all `‖∇l_i‖ = z`. With `s² = 4u(1 − u)z²` for σ²,
    `G² + pQs² = (up + (1 − u)Q)²z²`; so `‖∇l‖ = [(Q + p)G + (Q − p)√(G² + pQs²)]/(2pQ)` and
    `E‖∇l_i‖ = [(Q − p)G + (Q + p)√(G² + pQs²)]/(2pQ)`: both bounds are attained, but for `σ/s = 1 + 1/steepness`.
    """
    concave, convex = (1 + alpha_L) ** (2 * N), (1 - alpha_L) ** (2 * N)
    positive = math.ceil(tasks * concave / (convex + concave))
    share = positive / tasks
    z = steepness * L**2 / rho
    end = ((1 + alpha_L) ** N - 1) * z / L + 4 * L / rho
    upper = np.arange(tasks)[:, None] < positive
    loss = CurvatureSpline.draw(
        [-2 * L / rho, 0, 2 * L / rho, end, end + 2 * L / rho],
        np.where(upper, [L, L, -L, -L, L], [L, -L, -L, -L, L]),
        anchor=1,
        gradient=np.where(upper[:, 0], z, -z),
    )
    return line_problem(
        loss,
        L=L,
        rho=rho,
        sigma=2 * math.sqrt(share * (1 - share)) * (z + L**2 / rho),
        probes=probes_around(0.0, L / rho),
        start=0.0,
        scale=L / rho,
    )


@register("weighted-cusp-finite-sum", case="finite-sum", role="sharp")
def weighted_cusp_finite_sum(
    N: int, alpha_L: float, *, L: float = 1.7, rho: float = 2.3, steepness: float = 10_000.0
) -> Problem:
    """The weighted cusp with equal training and test losses: the exact LINK (finite-sum) is attained at `N = 1`.

    Constants as on the weighted cusp, and `b = 0`. At `N = 1` the finite-sum `p = (1 − αL)^N(2 − q^N)` is that of the
    resampling case; for `N > 1` it is less.
    """
    return replace(weighted_cusp(N, alpha_L, L=L, rho=rho, steepness=steepness), case="finite-sum")
