"""Twin wells: a resampling problem whose meta-minimiser a fixed meta stepsize loses exactly at the stepsize cap."""

from __future__ import annotations

import numpy as np

from problems.line_problem import line_problem
from problems.losses.curvature_spline import CurvatureSpline
from problems.probes import probes_around
from problems.problem import Problem
from problems.registry import register
from theory.validation import real


@register("twin-wells", case="resampling", role="sharp")
def twin_wells(N: int, alpha_L: float, *, L: float = 1.3, rho: float = 0.7) -> Problem:
    """Two wells around 0: paths end in convex ground, so L''(0) = q^{2N}L, and β = 1/L is stable iff α < α_cap(N).

    `l_±(w) = h(w ∓ δ)`, `h` even with `h'' = −L` on `|x| ≤ r`, rising with slope ρ to `+L` at `|x| = r + 2L/ρ` and `+L`
    beyond; so `|l''| ≤ L` and `|l'''| ≤ ρ`, both attained. `αL > 0` is `alpha_L`; `q = 1 + αL`.

    With `θ = (1 + 1/q)/2`, `r = 4L/(ρ(θq − 1)) = 8L/(ραL)` and `δ = θ r q^{1−N}`, the path of `l_±` from w is
    `x_j = q^j(w ∓ δ)`, in the well's own coordinate, as long as `|x_{j−1}| ≤ r`. For `|w| ≤ 2Lq^{−N}/ρ` (the `scale`)

    - `|x_{N−1}| ≤ θr + 2L/(ρq) ≤ r`, as `(1 − θ)r = 4L/(ρq)`, so every step multiplies by q;
    - `|x_N| ≥ θqr − 2L/ρ = r + 2L/ρ`, so the path ends where `l'' = +L`.

    There the meta objective is a quadratic of curvature `+q^{2N}L` around 0, where its slope vanishes by symmetry.

    `σ = Lδ`: the gradients of the two tasks differ by `|h'(w − δ) − h'(w + δ)| ≤ 2Lδ`, each from their mean by half of
    that; attained where both points lie in `|x| ≤ r`. No noise: `σ_g = σ_H = 0`. The lower bound is the minimum of `h`.
    """
    real("alpha_L", alpha_L, open_low=True)
    q = 1 + alpha_L
    r = 8 * L / (rho * alpha_L)
    delta = (1 + 1 / q) / 2 * r * q ** (1 - N)
    edge = r + 2 * L / rho
    shape = np.array([-edge, -r, 0, r, edge])
    wells = CurvatureSpline.draw(shape + delta * np.array([[1], [-1]]), [L, -L, -L, -L, L], anchor=2)
    reach = 2 * L * q**-N / rho
    return line_problem(
        wells,
        L=L,
        rho=rho,
        sigma=L * delta,
        probes=probes_around([0.0, reach / 2, edge + delta], reach),
        start=reach / 2,
        scale=reach,
        linear_within=reach / 2,
    )
