"""Opposed curvature: training loss concave where the test loss is convex. There exact MAML diverges past the cap."""

from __future__ import annotations

import numpy as np

from problems.cases import finite_sum
from problems.convex_quadratic import IsotropicQuadratic
from problems.probes import gaussian_probes
from problems.problem import Problem
from problems.random_ridges import RidgeLoss
from problems.registry import register
from theory.constants import Constants


@register("opposed-curvature", case="finite-sum", role="sharp")
def opposed_curvature(*, L: float = 1.7, omega: float = 0.6) -> Problem:
    """Opposed cosines, every assumption global: with β = 1/L the minimiser 0 is stable iff α < α_cap(N).

    `l_S(x) = (L/ω²) cos ωx` and `l_T = −l_S`, in one dimension, one task.

    - `l_S'' = −L cos ωx`: `|l_S''| ≤ L`, `|l_S'''| ≤ Lω = ρ`, both attained.
    - `b = sup |2 l_S'| = 2L/ω` and `|l'| ≤ L/ω`, attained at `ωx = π/2`.
    - One task: `σ = 0`. `l_T ≥ −L/ω²`, which the meta objective attains at `w = 0`, where the path stays.
    - So the meta objective has second derivative `(1 + αL)^{2N} L` there.
    """
    one = np.ones(1)
    train = RidgeLoss(L / omega**2 * one, omega * one, np.ones((1, 1)), np.zeros((1, 1)))
    test = RidgeLoss(-train.amplitude, train.frequency, train.directions, train.phase)
    return finite_sum(
        train,
        test,
        Constants(L=L, rho=L * omega, b=2 * L / omega, lower_bound=-L / omega**2),
        probes=gaussian_probes(1, 1 / omega),
        start=[0.3 / omega],
        gradient_bound=L / omega,
        extremes=[[0.0], [0.5 * np.pi / omega]],
        analytic=True,
        scale=1 / omega,
        linear_within=1e-4 * (1 / omega),
    )


@register("opposed-curvature-quadratic", case="finite-sum", role="sharp")
def opposed_curvature_quadratic(*, L: float = 1.4) -> Problem:
    """Opposed quadratics, unbounded mismatch: a fixed meta stepsize makes exact MAML the linear map 1 − βq^{2N}L.

    `l_S(w) = −(L/2)‖w‖²` and `l_T = −l_S` in two dimensions, so the meta objective is `(q^{2N}L/2)‖w‖² ≥ 0`. One task:
    `σ = 0`; constant Hessians: `ρ = 0`; the mismatch `2L‖w‖` is unbounded: `b = inf`.
    """
    center = np.zeros((1, 2))
    return finite_sum(
        IsotropicQuadratic(np.array([-L]), center),
        IsotropicQuadratic(np.array([L]), center),
        Constants(L=L, rho=0.0, lower_bound=0.0),
        probes=gaussian_probes(2, 1.0),
        start=[0.8, -0.5],
        analytic=True,
        linear_within=1.0,
    )
