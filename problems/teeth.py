"""Teeth: small bumps of `l''` along a concave inner path, on which SMOOTHNESS is attained in full."""

from __future__ import annotations

import numpy as np

from problems.cases import finite_sum
from problems.line_problem import line_problem
from problems.losses.curvature_spline import CurvatureSpline
from problems.probes import probes_around
from problems.problem import Problem
from problems.registry import register
from theory.constants import Constants


@register("teeth", case="resampling", role="sharp")
def teeth(N: int, alpha_L: float, *, L: float = 1.7, rho: float = 2.3, steepness: float = 20.0) -> Problem:
    """Teeth of `l''` at every point of the inner path: SMOOTHNESS (resampling) is attained in full.

    One task without noise, so `σ = σ_g = σ_H = 0`; `|l''| ≤ L` and `|l'''| ≤ ρ` by construction, both attained; the
    lower bound is the minimum of `l`.

    At `w = 0`, `l' = g = steepness · L²/ρ`, and the path moves left where `l'' = −L`. Moving w to the right by δ
    moves `w̃_j` by `q^j δ`, up the flank of its tooth: each factor `1 − αH_j = q` falls by `αρ q^j δ`. So `∏(1 −
    αH_j) l'(w̃_N)` falls by `q^{N−1} αρ Σ_{j<N} q^j δ · q^N g = C_L g δ` and, as `l'(w̃_N)` falls by `L q^N δ`, by
    `q^{2N}L δ` more: together `L_w δ`, up to the area `ρt²` of the teeth relative to `g`, and for `q^{N−1}δ ≤ t`.
    """
    gradient = steepness * L**2 / rho
    loss, _, flank = toothed(N, alpha_L, L, rho, gradient)
    reach = flank / (1 + alpha_L) ** N
    return line_problem(loss, L=L, rho=rho, probes=probes_around(0.0, reach), start=0.0, scale=reach)


@register("teeth-finite-sum", case="finite-sum", role="sharp")
def teeth_finite_sum(
    N: int, alpha_L: float, *, L: float = 1.7, rho: float = 2.3, steepness: float = 10.0, mismatch: float = 20.0
) -> Problem:
    """Teeth of the training loss, and a mismatch along the path: SMOOTHNESS (finite-sum) is attained in full.

    As `teeth`, with `l_S' = l_T' + β` at `w = 0`, `β = mismatch · L²/ρ`, teeth on `l_S` alone. From there `l_S' −
    l_T'` gains the area `ρt²` of the first tooth to the right, and loses that of each other tooth to the left: `b =
    β + ρt²`, attained. One task: `b_sq = b²`, `σ = 0`. The meta objective is at least the minimum of `l_T`.

    With `g = l_T'(0)`, the path has slopes `q^j (g + β)` and `l_T'(w̃_N) = q^N g + (q^N − 1) β`, so the factors of
    `teeth` give `(ρ/L) q^{N−1}(q^N − 1)(q^N g + (q^N − 1) β) = C_L g + C_b β`, and `q^{2N}L` as before: `L_w` up to
    areas of teeth.
    """
    gradient, beta = steepness * L**2 / rho, mismatch * L**2 / rho
    train, test, flank = toothed(N, alpha_L, L, rho, gradient, beta)
    b = beta + rho * flank**2
    return finite_sum(
        train,
        test,
        Constants(L=L, rho=rho, b=b, lower_bound=test.lower_bound()),
        probes=probes_around(0.0, flank / (1 + alpha_L) ** N),
        extremes=train.extremes(),
        start=[0.0],
        scale=flank / (1 + alpha_L) ** N,
    )


def toothed(
    N: int, alpha_L: float, L: float, rho: float, gradient: float, mismatch: float = 0.0
) -> tuple[CurvatureSpline, CurvatureSpline, float]:
    """Training loss with teeth, test loss without, and the width `t` of a flank, around the path from `w = 0`.

    There the test loss has slope `gradient` and the training loss `gradient + mismatch` > 0. Just right of each of
    `w̃_0 … w̃_{N−1}` the training loss has a tooth, `l'' = −L + ρs` for s up to `t` and down again; elsewhere along
    the path `l'' = −L`, rising to `+L` beyond both ends. A tooth has area `ρt²`, so the slope grows by `g_{j+1} = q
    g_j − ρt²`.
    """
    slope = gradient + mismatch
    flank = min(0.01 * L / rho, alpha_L / L * slope / 4)
    path = [0.0]
    for _ in range(N):
        path.append(path[-1] - alpha_L / L * slope)
        slope = (1 + alpha_L) * slope - rho * flank**2
    feet = np.array(path[max(N - 1, 0) :: -1])
    low, high = path[-1] - L / rho, 2 * flank + L / rho
    knots = np.concatenate(
        [[low - 2 * L / rho, low], (feet[:, None] + flank * np.arange(3)).ravel(), [high, high + 2 * L / rho]]
    )
    concave = np.full(len(knots), -L)
    concave[[0, -1]] = L
    bumps = concave.copy()
    bumps[3:-2:3] += rho * flank
    anchor = len(knots) - 5
    train = CurvatureSpline.draw(knots, bumps, anchor=anchor, gradient=gradient + mismatch)
    test = CurvatureSpline.draw(knots, concave, anchor=anchor, gradient=gradient)
    return train, test, flank
