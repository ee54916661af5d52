"""A run on ever steeper ground, which its own smoothness slows down: past `α = 1/L` the rate `K^{−1/3}` is attained."""

from __future__ import annotations

import math

import numpy as np

from problems.line_problem import line_problem
from problems.losses.curvature_spline import CurvatureSpline
from problems.probes import probes_around
from problems.problem import Problem
from problems.registry import register
from theory.validation import real

C_BETA = 20.0
KNOTS = 400
"""Of the climb: between them `l''` is linear, which changes `∇L` by about `1/KNOTS²`."""


@register("runaway", case="resampling", role="sharp")
def runaway(
    *, L: float = 1.3, rho: float = 0.9, overshoot: float = 0.8, plateau: float = 1.0, steps: int = 20_000
) -> Problem:
    """Every meta step at αL > 1 lowers the objective by the same, however steep the ground: `ḡ ~ K^{−1/3}` is attained.

    Made for `N = 1`, `αL = 1 + overshoot`, `C_β = 20` and K = `steps`. From left to right `l''` falls with slope `−ρ`
    from `+L` to 0, stays 0 (the plateau, `l' = γ = plateau · L²/ρ`), rises linearly to `(1 + y_0)/α` over the length
    `2αγ/(1 − y_0)`, and then is `(1 + y)/α` with y growing from y_0 to the overshoot; on the right it stays `+L`. `L`,
    `ρ` are attained (ValueError where γ and K make `l''` rise faster than ρ); one task without noise; the lower bound
    is the minimum of l, left of the plateau.

    The first point of the last part, w_0, is the start and the first probe. There `l' = 2γ/(1 − y_0)`, so `w̃_1 = w_0
    − αl'` is the right end of the plateau. As w moves right, `w̃_1` moves left by `αl'' − 1 = y` per unit and stays on
    the plateau, so `∇L(w) = γ(1 − αl''(w)) = −γy`. With `L_w = a + C_L l'(w)`, y is chosen so that `γy = √(sL_w)` for
    one number s: then `dL_w/dw = C_L(1 + y)/α`, a meta step moves by `√(s/L_w)/C_β`, and lowers the objective by
    `s/C_β`, whatever L_w is. As `y ↦ L_w = γ²y²/s`, the part has the length `(2αγ²/(sC_L))[y − ln(1 + y)]`, and takes
    `K = (2C_βαγ³/(s²C_L))[y²/2 − y + ln(1 + y)]` meta steps, which gives s; together they lower the objective by
    `Ks/C_β`. The plateau is that long over γ, and a thousandth more.

    In the proof of the bound all inequalities become equalities as `y → 0` and `γ²/Δ → 0` (K → ∞), `C_β → ∞`: the ratio
    is 0.875 at K = 10⁴, 0.891 at 2·10⁴, 0.906 at 10⁵ (plateau 3, overshoot 0.82) and 0.920 at 10⁶ (2.5, 0.4).
    """
    real("overshoot", overshoot, open_low=True)
    if overshoot >= 1:
        raise ValueError(f"overshoot = {overshoot:g} is not allowed: overshoot must be < 1")
    alpha, gamma, q = (1 + overshoot) / L, plateau * L**2 / rho, 2 + overshoot
    a, C_L = q**2 * L, rho * alpha * q
    s, first = _balance(steps, gamma, alpha, a, C_L, overshoot)
    y = np.linspace(first, overshoot, KNOTS)
    rise = 2 * alpha * gamma / (1 - first)
    climb = rise + 2 * alpha * gamma**2 / (s * C_L) * (y - first - np.log((1 + y) / (1 + first)))
    curvature = (1 + y) / alpha
    if curvature[0] > rho * rise or (np.diff(curvature) > rho * np.diff(climb)).any():
        raise ValueError(f"plateau = {plateau:g} is not allowed: with {steps} steps l'' would rise faster than rho")
    length = 1.001 * steps * s / (C_BETA * gamma)
    knots = np.concatenate([[-length - L / rho, -length, 0.0], climb])
    loss = CurvatureSpline.draw(knots, np.concatenate([[L, 0.0, 0.0], curvature]), anchor=2, gradient=gamma)
    return line_problem(
        loss,
        L=L,
        rho=rho,
        probes=probes_around(rise, rise / 10),
        start=rise,
        extremes=[-length - L / rho, -length - 0.5 * L / rho, climb[-1]],
        scale=rise,
        made_for={"N": 1, "alpha": alpha, "C_beta": C_BETA, "K": steps},
    )


def _balance(steps: int, gamma: float, alpha: float, a: float, C_L: float, last: float) -> tuple[float, float]:
    """Level s at which the climb from y_0 to `last` takes `steps` meta steps, and y_0.

    They agree where `γ²y_0² = s L_w(w_0) = s(a + 2C_Lγ/(1 − y_0))`; found by bisection.
    """

    def level(first: float) -> float:
        times = sum(sign * (y**2 / 2 - y + math.log1p(y)) for sign, y in ((1, last), (-1, first)))
        return math.sqrt(2 * C_BETA * alpha * gamma**3 / (C_L * steps) * times)

    def excess(first: float) -> float:
        return gamma**2 * first**2 - level(first) * (a + 2 * C_L * gamma / (1 - first))

    low, high = 0.0, last
    for _ in range(200):
        middle = (low + high) / 2
        low, high = (middle, high) if excess(middle) < 0 else (low, middle)
    return level(low), low
