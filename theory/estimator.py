"""Bias and second moment of the stochastic meta-gradients of Algorithms 1 and 2."""

from __future__ import annotations

import numpy as np

from theory.constants import Constants, Real, Schedule
from theory.extended import product, ratio, square, total
from theory.growth import excess_sum, growth, growth_excess, q, require_cap
from theory.lemmas import C_1, C_2, mismatch
from theory.validation import real


def E_1(c: Constants, s: Schedule) -> Real:
    """`E_1 = q^N (q^N − 1) σ_g`, the bias of Algorithm 1 where gradients vanish, times √S. Source: BIAS."""
    return product(growth(c, s, s.N), growth_excess(c, s, s.N), c.sigma_g)


def _bias_slope(c: Constants, s: Schedule) -> Real:
    """`(ρσ_g/L²) q^{2N−1} (q^N − 1 − NαL)`, per unit of task gradient and times √S; zero at N ≤ 1."""
    return product(c.rho, c.sigma_g, ratio(s.alpha, c.L), growth(c, s, 2 * s.N - 1), excess_sum(c, s))


def E_2(c: Constants, s: Schedule) -> Real:
    """`E_2 = (ρσ_g/L²) q^{2N−1} (q^N − 1 − NαL)/C_1`, zero at N ≤ 1. Raises PremiseError past the cap. Source: BIAS."""
    require_cap(c, s)
    return ratio(_bias_slope(c, s), C_1(c, s))


def task_bias_bound(c: Constants, s: Schedule, gradient_norm: Real) -> Real:
    """BIAS of one task, for every α: `‖E Ĝ_i − ∇L_i‖ ≤ {q^N(q^N − 1) + (ρ/L²)q^{2N−1}(q^N − 1 − NαL)‖∇l_i‖} σ_g/√S`.

    `gradient_norm` = ‖∇l_i(w)‖; ValueError where it is negative or NaN.
    Source: Ji, Yang, Liang (2022), lemma on the bias of the stochastic meta-gradient, before the average over tasks.
    """
    real("gradient_norm", gradient_norm, infinite=True)
    return product(total(E_1(c, s), product(_bias_slope(c, s), gradient_norm)), 1 / np.sqrt(s.S))


def bias_bound(c: Constants, s: Schedule, meta_gradient_norm: Real) -> Real:
    """BIAS: `‖E Ĝ(w) − ∇L(w)‖ ≤ (E_1 + E_2(‖∇L(w)‖ + σ))/√S` (Algorithm 1; Algorithm 2 is unbiased).

    Raises PremiseError past the stepsize cap, ValueError where `meta_gradient_norm` is negative or NaN.

    Source: Ji, Yang, Liang (2022), lemma on the bias of the stochastic meta-gradient.
    """
    real("meta_gradient_norm", meta_gradient_norm, infinite=True)
    bias = total(E_1(c, s), product(E_2(c, s), total(meta_gradient_norm, c.sigma)))
    return product(bias, 1 / np.sqrt(s.S))


def V(c: Constants, s: Schedule) -> Real:
    """`V = (q² + α²σ_H²/D)^N`, mean-square growth of a vector through N stochastic Hessian factors.

    Source: SECOND MOMENT.
    """
    noise = square(ratio(product(s.alpha, c.sigma_H), q(c, s)))
    with np.errstate(over="ignore"):
        hessian_noise: Real = np.exp(product(s.N, np.log1p(noise / s.D)))
    return product(growth(c, s, 2 * s.N), hessian_noise)


def task_second_moment_bound(c: Constants, s: Schedule, gradient_norm: Real) -> Real:
    """SECOND MOMENT of one task, for every α: `E‖Ĝ_i‖² ≤ V [(q^N‖∇l_i‖ + (q^N − 1)σ_g/√S)² + σ_g²/T]`.

    `gradient_norm` = ‖∇l_i(w)‖; ValueError where it is negative or NaN.
    Source: Ji, Yang, Liang (2022), lemma on the second moment of the stochastic meta-gradient, per task.
    """
    real("gradient_norm", gradient_norm, infinite=True)
    inner_noise = product(growth_excess(c, s, s.N), c.sigma_g, 1 / np.sqrt(s.S))
    outer_gradient = total(product(growth(c, s, s.N), gradient_norm), inner_noise)
    return product(V(c, s), total(square(outer_gradient), square(c.sigma_g) / s.T))


def C_sq1(c: Constants, s: Schedule) -> Real:
    """`C_sq1 = 4 V q^{2N}/C_1²`. Raises PremiseError past the cap. Source: SECOND MOMENT, resampling."""
    require_cap(c, s)
    return ratio(product(4.0, V(c, s), growth(c, s, 2 * s.N)), square(C_1(c, s)))


def C_sq2(c: Constants, s: Schedule) -> Real:
    """`C_sq2 = V [2q^{2N}(2C_2²/C_1² + 1)σ² + 2(q^N − 1)²σ_g²/S + σ_g²/T]`; errors and source as `C_sq1`."""
    require_cap(c, s)
    gradients = product(
        2.0, growth(c, s, 2 * s.N), total(2 * square(ratio(C_2(c, s), C_1(c, s))), 1.0), square(c.sigma)
    )
    inner_noise = product(2.0, square(product(growth_excess(c, s, s.N), c.sigma_g)), 1 / s.S)
    return product(V(c, s), total(gradients, inner_noise, square(c.sigma_g) / s.T))


def second_moment_bound(c: Constants, s: Schedule, meta_gradient_norm: Real) -> Real:
    """SECOND MOMENT, resampling: `E‖Ĝ_i‖² ≤ C_sq1‖∇L(w)‖² + C_sq2`, over tasks and data.

    Raises PremiseError past the stepsize cap, ValueError where `meta_gradient_norm` is negative or NaN.

    Source: Ji, Yang, Liang (2022), lemma on the second moment of the stochastic meta-gradient.
    """
    real("meta_gradient_norm", meta_gradient_norm, infinite=True)
    return total(product(C_sq1(c, s), square(meta_gradient_norm)), C_sq2(c, s))


def A_sq1(c: Constants, s: Schedule) -> Real:
    """`A_sq1 = 4 q^{4N}/C_1²`. Raises PremiseError past the cap. Source: SECOND MOMENT, finite-sum."""
    require_cap(c, s)
    return ratio(product(4.0, growth(c, s, 4 * s.N)), square(C_1(c, s)))


def A_sq2(c: Constants, s: Schedule) -> Real:
    """`A_sq2 = 4q^{4N}(C_2σ + m)²/C_1² + 2q^{4N}σ² + 2q^{2N}(q^N − 1)²b̃`; errors and source as `A_sq1`."""
    require_cap(c, s)
    linked = total(product(C_2(c, s), c.sigma), mismatch(c, s))
    return total(
        product(A_sq1(c, s), square(linked)),
        product(2.0, growth(c, s, 4 * s.N), square(c.sigma)),
        product(2.0, square(product(growth(c, s, s.N), growth_excess(c, s, s.N))), c.b_sq),
    )


def finite_sum_second_moment_bound(c: Constants, s: Schedule, meta_gradient_norm: Real) -> Real:
    """SECOND MOMENT, finite-sum: `E_i‖∇L_i(w)‖² ≤ A_sq1‖∇L(w)‖² + A_sq2`.

    Raises PremiseError past the stepsize cap, ValueError where `meta_gradient_norm` is negative or NaN.

    Source: Ji, Yang, Liang (2022), lemma on the second moment of the finite-sum meta-gradient.
    """
    real("meta_gradient_norm", meta_gradient_norm, infinite=True)
    return total(product(A_sq1(c, s), square(meta_gradient_norm)), A_sq2(c, s))
