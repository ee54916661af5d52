"""Tents of the gradient and kinks of the Hessian that noise cannot average out: BIAS."""

from __future__ import annotations

import numpy as np

from problems.line_problem import line_problem
from problems.losses.curvature_spline import CurvatureSpline
from problems.probes import probes_around
from problems.problem import Problem
from problems.registry import register
from theory.loss import Array


@register("tent", case="resampling", role="sharp")
def tent(N: int, alpha_L: float, *, L: float = 1.7, rho: float = 2.3, loudness: float = 1000.0) -> Problem:
    """The path ends on the peak of a tent-shaped gradient, with two-point noise: `E_1` is attained at `N = 1`.

    One task: `l''` falls from `+L` at `−L/ρ` to `−L` at `+L/ρ` with slope `−ρ`, so `l' = G − L|x|` but for the
    rounded peak, and rises to `+L` right of everything. `L`, `ρ` are attained; `σ = 0`; one datum adds `±σ_g w`,
    `ασ_g = loudness · L/ρ`: `σ_g` is attained everywhere, `σ_H = 0`; the lower bound is the minimum of `l`.

    From `w = G(1 − q^{−N})/L`, the first probe, the path falls to the peak, `w̃_N = 0`, and all its other points
    have `l'' = −L`, with room for the noise. So `E Ĝ − ∇L = q^N (E l'(w_N) − l'(0)) = −q^N (L E|w_N| − L²/(2ρ))`
    and at `N = S = 1`, where `|w_1| = ασ_g`, the ratio of the bias to `E_1 = q(q − 1)σ_g` is `1 − 1/(2 loudness)`:
    it tends to 1 as `ρ → ∞`. For `N > 1` the noises add up as squares do, and `E_1` is not attained.
    """
    sigma_g = loudness * L**2 / (rho * alpha_L)
    loss, sharp, _ = tented(max(N, 1), alpha_L, L, rho, sigma_g)
    step = alpha_L * sigma_g / L
    return line_problem(
        loss,
        L=L,
        rho=rho,
        sigma_g=sigma_g,
        probes=probes_around(sharp, step),
        start=sharp,
        scale=step,
        made_for={"S": 1},
    )


@register("tent-kink", case="resampling", role="sharp")
def tent_kink(
    N: int, alpha_L: float, *, L: float = 1.7, rho: float = 2.3, width: float = 0.01, steepness: float = 1000.0
) -> Problem:
    """Kinks of the Hessian under a large gradient, with two-point noise: `E_2` is attained per task at `N = 2`.

    Two tasks `l ± sw` that start at `w = 0`, where `l' = 0`: one path moves left, the other right, and `l'' = −L`
    along both except around `w̃_1 … w̃_{N−1}`: to the left `l'' = −L + ρ|x − w̃_j|`, to the right `l'' = −L + ρ(r_j
    − |x − w̃_j|)`, for `|x − w̃_j| ≤ r_j`, which is the farthest that noise can move `w_j`, `(q^j − 1)σ_g/L`.
    Beyond both ends `l''` rises to `+L`. `L`, `ρ` are attained; the tasks differ by `2sw`, so `σ = s` everywhere;
    one datum adds `±σ_g w`: `σ_g` is attained, `σ_H = 0`; the lower bound is the mean of the minima of both tasks.

    At `N = 2` and `S = 1`, `|w_1 − w̃_1| = ασ_g`, so noise changes `E(1 − αH_1)` by `−αρ · ασ_g` on the left and by
    as much, with the other sign, on the right, where the gradient has the other sign too. With `q` for the first
    factor and `q²s` for the gradient at `w̃_2`, the bias of both tasks is `−ρα²q³σ_g s`: `(ρσ_g/L²) q³ (q² − 1 −
    2αL) s`, the second term of BIAS, is attained per task as the first, `E_1`, vanishes beside it (it is
    `1/steepness` of it), and as `r_j → 0`. Over tasks `∇L(0) ≈ 0`, and the ratio to `E_2 σ` is `C_1`. For `N > 2`
    the noises add up as squares do.
    """
    q, steps = 1 + alpha_L, max(N, 2)
    sigma_g = width * L**2 / (rho * (q ** (steps - 1) - 1))
    excess = q**steps - 1
    s = steepness * L**2 * excess / (rho * q ** (steps - 1) * (excess - steps * alpha_L))
    radii = (q ** np.arange(steps) - 1) * sigma_g / L
    left, right = (concave_path(alpha_L, L, rho * radii**2 * share, s) for share in (1.0, 0.5))
    loss = kinked(left, right, radii, L, rho, s)
    return line_problem(
        loss,
        L=L,
        rho=rho,
        sigma=s,
        sigma_g=sigma_g,
        probes=probes_around(0.0, width * L / rho),
        start=0.0,
        scale=width * L / rho,
        made_for={"S": 1},
    )


def tented(steps: int, alpha_L: float, L: float, rho: float, sigma_g: float) -> tuple[CurvatureSpline, float, float]:
    """A tent, the point from which the path of `steps` steps ends on its peak at 0, and the gradient that it peaks at.

    Along the path `l'' = −L`, with room for a noise of `±σ_g` at every step.
    """
    q = 1 + alpha_L
    room = (q ** (steps - 1) - 1) * sigma_g + L**2 / rho
    top = 2 * (room * q / alpha_L + q**steps * sigma_g)
    sharp = top * (1 - q**-steps) / L
    end = sharp + sigma_g / L
    loss = CurvatureSpline.draw(
        [-L / rho, 0, L / rho, end, end + 2 * L / rho],
        [L, 0, -L, -L, L],
        anchor=1,
        gradient=top - L**2 / (2 * rho),
    )
    return loss, sharp, top


def kinked(left: Array, right: Array, radii: Array, L: float, rho: float, slope: float) -> CurvatureSpline:
    """Two tasks with slopes `±slope` at 0 whose paths, to the left and to the right, meet kinks of the given radii.

    `left` and `right` are the distances of the path points from 0; at the first and the last of them is no kink.
    """
    ends = [left[-1] + L / rho, right[-1] + L / rho]
    knots, curvature = [np.array([-ends[0] - 2 * L / rho, -ends[0], 0, ends[1], ends[1] + 2 * L / rho])], []
    curvature.append(np.array([L, -L, -L, -L, L]))
    for j in range(1, len(radii)):
        knots += [-left[j] + radii[j] * np.arange(-2, 3), right[j] + radii[j] * np.arange(-1, 2)]
        curvature += [-L + rho * radii[j] * np.array([0, 1, 0, 1, 0]), -L + rho * radii[j] * np.array([0, 1, 0])]
    x, h = np.concatenate(knots), np.concatenate(curvature)
    order = np.argsort(x)
    anchor = int(np.flatnonzero(x[order] == 0)[0])
    return CurvatureSpline.draw(x[order], h[order], anchor=anchor, gradient=[slope, -slope])


def concave_path(alpha_L: float, L: float, half_areas: Array, slope: float) -> Array:
    """Distances from 0 of the inner path, `l'' = −L` but for bumps of the given area on each side of each point."""
    areas = np.append(half_areas, 0.0)
    path = [0.0]
    for j in range(len(half_areas)):
        path.append(path[-1] + alpha_L / L * slope)
        slope = (1 + alpha_L) * slope - areas[j] - areas[j + 1]
    return np.array(path)
