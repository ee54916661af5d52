"""A kink of the training Hessian where the training gradient vanishes."""

from __future__ import annotations

from problems.cases import finite_sum
from problems.losses.curvature_spline import CurvatureSpline
from problems.probes import probes_around
from problems.problem import Problem
from problems.registry import register
from theory.constants import Constants


@register("kink", case="finite-sum", role="sharp")
def kink(*, L: float = 1.7, rho: float = 2.3, steepness: float = 3.0) -> Problem:
    """A kink of the training Hessian under a test gradient: SMOOTHNESS is attained task by task.

    Training loss of both tasks: `l_S'' = min(−L + ρ|x|, L)`, `l_S'(0) = 0`; test losses `l_T = ±Gx + (L/2)x²`, `G =
    steepness · L²/ρ`.

    - `L` and `ρ` are attained by `l_S`; `ρ` is not needed for `l_T`, which has none.
    - `l_T' − E l_T' = ±G`: `σ = G`, everywhere.
    - `l_S' − Lx` is odd and falls from 0 to `−2L²/ρ` at `x = 2L/ρ`, constant beyond: `b_i = G + 2L²/ρ`, attained at
      the ends, and `b_sq = b²`.
    - Both tasks follow one path, so the meta objective is `(L/2) E w̃_N² ≥ 0`, attained at `w = 0`.

    At `w = 0` the path stays. Moving w by δ moves `w̃_j` by `q^j δ` and each factor `q` falls by `αρ q^j |δ|`: the
    product falls by `(ρ/L) q^{N−1}(q^N − 1)|δ|`, times `±G`, and `l_T'(w̃_N)` grows by `L q^N δ`. The two add up
    for one sign of δ, so the form of SMOOTHNESS task by task, `q^{2N}L + (ρ/L) q^{N−1}(q^N − 1)(|l_T'| + (q^N −
    1)|l_S'|)`, is attained as `δ → 0`.
    """
    gradient = steepness * L**2 / rho
    train = CurvatureSpline.draw([-2 * L / rho, 0, 2 * L / rho], [L, -L, L], anchor=1, gradient=[0.0, 0.0])
    test = CurvatureSpline.draw([0.0], [L], anchor=0, gradient=[gradient, -gradient])
    b = gradient + 2 * L**2 / rho
    return finite_sum(
        train,
        test,
        Constants(L=L, rho=rho, sigma=gradient, b=b, b_sq=b**2, lower_bound=0.0),
        probes=probes_around(0.0, 0.1 * L / rho),
        extremes=train.extremes(),
        start=[0.5 * L / rho],
        scale=0.1 * L / rho,
    )
