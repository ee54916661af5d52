"""Gradient norms that take two values: the moments of the meta stepsize."""

from __future__ import annotations

import math

import numpy as np

from problems.line_problem import line_problem
from problems.losses.curvature_spline import CurvatureSpline
from problems.problem import Problem
from problems.registry import register
from theory.loss import Array


@register("two-point-stepsize", case="resampling", role="sharp")
def two_point_stepsize(
    N: int,
    alpha_L: float,
    *,
    L: float = 1.7,
    rho: float = 2.3,
    steepness: float = 100.0,
    loudness: float = 0.1,
    tasks: int = 8,
) -> Problem:
    """One task of eight has a gradient, and data noise is two-point: λ is attained, and `B'` is needed in κ.

    See `_ramps` for the losses and their constants; here one task has the ramp, and one datum adds `±σ_g w`.

    Left of the ramp (first probe) all task gradients vanish and those of one datum have norm `σ_g`: at `D_L = 1`,
    `L̂ = a + C_Lσ_g` for certain, while `L_w = a`, so `E[1/L̂] = λ/L_w`: the first moment is attained. Right of it
    (second probe) the mean norm over `B'` tasks vanishes, but for the noise, with probability `(1 − 1/n)^{B'}`
    although its mean is large. So `E[1/L̂²] L_w²` is of the order of `h²`, as κ is, and at `B' ≥ n` it exceeds what
    κ would be with `B'²` for `B'`.
    """
    return _ramps(N, alpha_L, L, rho, steepness, loudness, steep=1, tasks=tasks)


@register("two-point-tasks", case="resampling", role="sharp")
def two_point_tasks(N: int, alpha_L: float, *, L: float = 1.7, rho: float = 2.3, tasks: int = 16) -> Problem:
    """All tasks but one of sixteen have a gradient: the second moment of the stepsize is the largest there is.

    See `_ramps` for the losses and their constants; here all tasks but one have the ramp, with `h = (n − 3) a/C_L`, no
    noise.

    Right of the ramp (first and second probe), at `B' = 1`, the norm is 0 with probability `1/n` and `h` otherwise: a
    law of mean `z a/C_L`, `z = (n − 1)(n − 3)/n`, and deviation `c a/C_L`, `c = √(n − 1) (n − 3)/n`. That is the law on
    two points with the largest `E[1/L̂²] L_w²`, since `z³ = c²(z² + 2z + c²)`: the exact κ is attained. It is above ½ of
    the paper's `1 + 2c²`, and near the own `1 + c²/2 + c√(1 + c²/4)`.
    """
    return _ramps(N, alpha_L, L, rho, float(tasks - 3), 0.0, steep=tasks - 1, tasks=tasks)


@register("two-point-pair", case="resampling", role="sharp")
def two_point_pair(N: int, alpha_L: float, *, L: float = 1.7, rho: float = 2.3, steepness: float = 2.0) -> Problem:
    """One of two tasks has a gradient: the mean of the stepsize is the largest there is.

    See `_ramps` for the losses and their constants; here one task has the ramp, no noise.

    Right of the ramp (first and second probe), at `B' = 1`, the norm is 0 or `h` with probability ½: mean and deviation
    are both `h/2`, and the law on two points with the largest `E[1/L̂] L_w` is that whose mean is its deviation. So
    `E[1/L̂] L_w = 1 + c²/(1 + 2c)`, `c = steepness/2`: the exact κ_1 is attained for every steepness.
    """
    return _ramps(N, alpha_L, L, rho, steepness, 0.0, steep=1, tasks=2)


def _ramps(
    N: int, alpha_L: float, L: float, rho: float, steepness: float, loudness: float, steep: int, tasks: int
) -> Problem:
    """Build `tasks` losses, the first `steep` of them a ramp, the others constant.

    On the ramp `l'` rises from 0 to `h`; its slope rises to `L` (or less, where `h` is small) and falls again, at
    `±ρ`. In units of `a/C_L = L²q/(ρ(q^N − 1))`, `h` is `steepness` and `σ_g` is `loudness`.

    - `|l''| ≤ L` and `|l'''| ≤ ρ` by construction; `l ≥ 0`, attained on the left; all gradients are at most `h`.
    - With the share `p` of steep tasks, `E(l_i' − l')² = p(1 − p) l_0'² ≤ σ² = p(1 − p)h²`, attained right of the
      ramp.
    - One datum adds `±σ_g w`: `σ_g` is attained everywhere, `σ_H = 0`.
    """
    q, steps = 1 + alpha_L, max(N, 1)
    unit = L**2 * q / (rho * (q**steps - 1))
    height, sigma_g = steepness * unit, loudness * unit
    peak = min(L, math.sqrt(rho * height / 2))
    rise, length = peak / rho, height / peak
    curvature = np.zeros((tasks, 4))
    curvature[:steep, 1:3] = peak
    loss = CurvatureSpline.draw([0.0, rise, length, length + rise], curvature, anchor=0)
    left, right = -rise, length + 2 * rise
    exact = [left, right] if loudness else [right, right]

    def probes(count: int, rng: np.random.Generator) -> Array:
        along = rng.uniform(left, right, size=max(count - 2, 0))
        return np.concatenate([exact, along])[:count, None]

    return line_problem(
        loss,
        L=L,
        rho=rho,
        sigma=height * math.sqrt(steep * (tasks - steep)) / tasks,
        sigma_g=sigma_g,
        probes=probes,
        start=right,
        scale=rise,
        gradient_bound=height,
    )
