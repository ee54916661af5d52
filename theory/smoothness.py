"""Smoothness of the meta objective: `‖∇L(w) − ∇L(u)‖ ≤ L_w ‖w − u‖`, with `L_w = a + C_L E_i‖∇l_{T_i}(w)‖`."""

from __future__ import annotations

from theory.constants import Constants, Real, Schedule
from theory.extended import product, total
from theory.growth import growth, growth_excess
from theory.validation import real


def C_L(c: Constants, s: Schedule) -> Real:
    """`C_L = (ρ/L) q^{2N−1} (q^N − 1)`, how the smoothness of the meta objective grows with the task gradients.

    Needs ρ-Lipschitz Hessians of the inner losses. Source: Ji, Yang, Liang (2022), smoothness of the meta objective
    (there written `[q^{N−1}αρ + (ρ/L) q^N (q^{N−1} − 1)] q^N`).
    """
    return product(c.rho / c.L, growth(c, s, 2 * s.N - 1), growth_excess(c, s, s.N))


def C_b(c: Constants, s: Schedule) -> Real:
    """`C_b = (ρ/L) q^{N−1} (q^N − 1)²`, how it grows with the train/test mismatch. Source: as `C_L`."""
    excess = growth_excess(c, s, s.N)
    return product(c.rho / c.L, growth(c, s, s.N - 1), excess, excess)


def smoothness_floor(c: Constants, s: Schedule) -> Real:
    """`a = q^{2N}L + C_b b`, the smoothness where all test gradients vanish; `q^{2N}L` in the resampling case.

    Source: Ji, Yang, Liang (2022), smoothness of the meta objective, both cases.
    """
    return total(product(growth(c, s, 2 * s.N), c.L), product(C_b(c, s), c.b))


def meta_smoothness(c: Constants, s: Schedule, mean_gradient_norm: Real) -> Real:
    """SMOOTHNESS: `L_w = a + C_L E_i‖∇l_{T_i}(w)‖` at every α ≥ 0; `mean_gradient_norm` = E_i‖∇l_{T_i}(w)‖.

    At a sampled mean norm this is the estimate `L̂_k` that sets the meta stepsize.
    Raises ValueError where `mean_gradient_norm` is negative or NaN.

    Source: Ji, Yang, Liang (2022), smoothness of the meta objective, both cases.

    >>> c = Constants(L=2.0, rho=1.0, sigma=0.5, sigma_g=0.0, sigma_H=0.0, b=0.0, b_sq=0.0)
    >>> float(meta_smoothness(c, Schedule(N=1, alpha=0.5), 3.0))  # 4·2 + ½·2·1·3
    11.0
    """
    real("mean_gradient_norm", mean_gradient_norm, infinite=True)
    return total(smoothness_floor(c, s), product(C_L(c, s), mean_gradient_norm))


def task_smoothness(c: Constants, s: Schedule, outer_norm: Real, inner_norm: Real) -> Real:
    """SMOOTHNESS of one task, sharp: `q^{2N}L + (ρ/L) q^{N−1}(q^N − 1)(‖∇l_{T_i}‖ + (q^N − 1)‖∇l_{S_i}‖)`.

    `outer_norm` and `inner_norm` are the norms of the test and training gradients at `w`. Raises ValueError where
    one is negative or NaN. Source: Ji, Yang, Liang (2022), proof of the finite-sum smoothness, before `b_i` enters.
    """
    real("outer_norm", outer_norm, infinite=True)
    real("inner_norm", inner_norm, infinite=True)
    excess = growth_excess(c, s, s.N)
    slope = product(c.rho / c.L, growth(c, s, s.N - 1), excess)
    gradients = total(outer_norm, product(excess, inner_norm))
    return total(product(growth(c, s, 2 * s.N), c.L), product(slope, gradients))
