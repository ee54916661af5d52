"""What smoothness of the task losses says about the inner path, and about gradients of tasks and meta objective."""

from __future__ import annotations

import numpy as np

from theory.constants import Constants, Real, Schedule
from theory.extended import product, ratio, total
from theory.growth import growth, growth_excess, q, require_cap
from theory.validation import real


def path_bound(c: Constants, s: Schedule, j: Real, distance: Real) -> Real:
    """PATH: `‖w̃_j(w) − w̃_j(u)‖ ≤ q^j ‖w − u‖`, `distance` = ‖w − u‖. Needs L-smooth inner losses.

    Raises ValueError where `j` is not an integer ≥ −1 or `distance` is negative or NaN.

    Source: Ji, Yang, Liang (2022), lemma on the Lipschitz constant of the inner path.
    """
    real("distance", distance, infinite=True)
    return product(growth(c, s, j), distance)


def gradient_growth_bound(c: Constants, s: Schedule, j: Real, gradient_norm: Real) -> Real:
    """GRADIENT GROWTH: `‖∇l(w̃_j)‖ ≤ q^j ‖∇l(w)‖`, `l` the inner loss, `gradient_norm` = ‖∇l(w)‖.

    Raises ValueError where `j` is not an integer ≥ −1 or `gradient_norm` is negative or NaN.

    Source: Ji, Yang, Liang (2022), lemma on gradients along the inner path.
    """
    real("gradient_norm", gradient_norm, infinite=True)
    return product(growth(c, s, j), gradient_norm)


def displacement_bound(c: Constants, s: Schedule, j: Real, gradient_norm: Real) -> Real:
    """GRADIENT GROWTH, summed: `‖w̃_j − w‖ ≤ ((q^j − 1)/L) ‖∇l(w)‖`.

    Arguments, errors and source as `gradient_growth_bound`.
    """
    real("gradient_norm", gradient_norm, infinite=True)
    return product(growth_excess(c, s, j), 1 / c.L, gradient_norm)


def deviation_bound(c: Constants, s: Schedule, j: Real) -> Real:
    """SGD DEVIATION: `E‖w_j − w̃_j‖ ≤ (q^j − 1) σ_g/(L√S)`, same task and start, `w_j` with batches of S data.

    Source: Ji, Yang, Liang (2022), lemma on the deviation of stochastic from exact inner paths.
    """
    return product(growth_excess(c, s, j), c.sigma_g / c.L, 1 / np.sqrt(s.S))


def deviation_squared_bound(c: Constants, s: Schedule, j: Real) -> Real:
    """SGD DEVIATION in mean square: `E‖w_j − w̃_j‖² ≤ ((q^{2j} − 1)/(q² − 1)) α²σ_g²/S`.

    An equality on the concave quadratic of curvature −L. Source: Ji, Yang, Liang (2022), as `deviation_bound`.
    """
    # q² − 1 = αL(2 + αL) = αL(1 + q): one α cancels, and nothing is divided by zero at α = 0.
    return product(
        growth_excess(c, s, 2 * j), ratio(s.alpha, product(c.L, total(1.0, q(c, s)))), c.sigma_g, c.sigma_g, 1 / s.S
    )


def C_2(c: Constants, s: Schedule) -> Real:
    """`C_2 = q^{2N} − 1`, how far the meta-gradient of a task can be from its gradient, relatively. Source: LINK."""
    return growth_excess(c, s, 2 * s.N)


def C_1(c: Constants, s: Schedule) -> Real:
    """`C_1 = 2 − q^{2N} = 1 − C_2`, positive below the stepsize cap (−∞ where q^{2N} overflows). Source: LINK."""
    return 1 - C_2(c, s)


def mismatch(c: Constants, s: Schedule) -> Real:
    """`m = q^N (q^N − 1) b`, what train/test mismatch adds to LINK; zero in the resampling case. Source: LINK."""
    return product(growth(c, s, s.N), growth_excess(c, s, s.N), c.b)


def link_bound(c: Constants, s: Schedule, meta_gradient_norm: Real) -> Real:
    """LINK: `‖∇l_T(w)‖ ≤ (‖∇L(w)‖ + C_2σ + m)/C_1`, `l_T` the mean of the test losses (resampling: m = 0).

    Raises PremiseError past the stepsize cap, ValueError where `meta_gradient_norm` is negative or NaN.

    Source: Ji, Yang, Liang (2022), lemma that links ∇l to ∇L.
    """
    real("meta_gradient_norm", meta_gradient_norm, infinite=True)
    require_cap(c, s)
    return ratio(total(meta_gradient_norm, product(C_2(c, s), c.sigma), mismatch(c, s)), C_1(c, s))


def link_tasks_bound(c: Constants, s: Schedule, meta_gradient_norm: Real) -> Real:
    """LINK over tasks: `E_i‖∇l_{T_i}(w)‖ ≤ (‖∇L(w)‖ + σ + m)/C_1`. Errors and source as `link_bound`."""
    real("meta_gradient_norm", meta_gradient_norm, infinite=True)
    require_cap(c, s)
    return ratio(total(meta_gradient_norm, c.sigma, mismatch(c, s)), C_1(c, s))
