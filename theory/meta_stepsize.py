"""The meta stepsize `β = 1/(C_β L̂)`, and the moments of `1/L̂`, where L̂ rests on a sampled mean of gradient norms."""

from __future__ import annotations

import numpy as np

from theory.constants import Constants, Real, Schedule
from theory.extended import product, ratio, square, total
from theory.smoothness import C_L, smoothness_floor
from theory.validation import real


def meta_stepsize(c: Constants, s: Schedule, L_hat: Real) -> Real:
    """`β = 1/(C_β L̂)`, `L_hat` = L̂ > 0 (ValueError otherwise). Source: Ji, Yang, Liang (2022), all theorems."""
    real("L_hat", L_hat, open_low=True, infinite=True)
    return ratio(1.0, product(s.C_beta, L_hat))


def relative_slope(c: Constants, s: Schedule) -> Real:
    """`C_L/a`, how fast `L̂/a` rises with the gradients (per unit of gradient). Source: own shorthand."""
    return ratio(C_L(c, s), smoothness_floor(c, s))


def moment_lambda(c: Constants, s: Schedule) -> Real:
    """`λ = 1/(1 + C_Lσ_g/(a√D_L))`, so that `E[1/L̂] ≥ λ/L_w`; 1 in the finite-sum case (Jensen).

    Source: Ji, Yang, Liang (2022), lemma on the moments of the meta stepsize (there under its batch conditions).
    """
    return 1 / total(1.0, product(relative_slope(c, s), c.sigma_g, 1 / np.sqrt(s.D_L)))


def norm_variance(c: Constants, s: Schedule) -> Real:
    """`v = (σ² + σ_g²/D_L)/B'`, a bound on the variance of the sampled mean norm. Source: as `moment_kappa`."""
    return total(square(c.sigma), square(c.sigma_g) / s.D_L) / s.B_prime


def moment_kappa(c: Constants, s: Schedule) -> Real:
    """`κ = max(2, 1 + 2C_L²(σ² + σ_g²/D_L)/(B'a²))`, so that `E[1/L̂²] ≤ κ/L_w²`; both cases.

    Source: Ji, Yang, Liang (2022), lemma on the moments of the meta stepsize (there under its batch conditions).
    """
    spread = product(square(relative_slope(c, s)), norm_variance(c, s))
    return np.maximum(2.0, total(1.0, product(2.0, spread)))


def inverse_moment_bound(c: Constants, s: Schedule, L_w: Real) -> Real:
    """META STEPSIZE MOMENTS, a lower bound: `E[1/L̂] ≥ λ/L_w`, `L_w` = exact smoothness > 0 (else ValueError).

    Source: Ji, Yang, Liang (2022), lemma on the moments of the meta stepsize.
    """
    real("L_w", L_w, open_low=True, infinite=True)
    return ratio(moment_lambda(c, s), L_w)


def inverse_square_moment_bound(c: Constants, s: Schedule, L_w: Real) -> Real:
    """META STEPSIZE MOMENTS, an upper bound: `E[1/L̂²] ≤ κ/L_w²`.

    Arguments, errors and source as `inverse_moment_bound`.
    """
    real("L_w", L_w, open_low=True, infinite=True)
    return ratio(moment_kappa(c, s), square(L_w))


def least_B_prime(c: Constants, s: Schedule) -> Real:
    """Least integer `B' ≥ max(1, 4C_L²σ²/(3a²))`, the paper's batch condition (resampling): then `κ ≤ 2.54`.

    It reads neither B' nor D_L of `s`; infinite where C_L or σ is. Source: Ji, Yang, Liang (2022), resampling theorem.
    """
    return np.maximum(1.0, np.ceil(product(4 / 3, square(product(relative_slope(c, s), c.sigma)))))


def least_D_L(c: Constants, s: Schedule) -> Real:
    """Least integer `D_L ≥ max(1, 64C_L²σ_g²/a²)`, the paper's batch condition (resampling): then `λ ≥ 8/9`.

    It reads neither B' nor D_L of `s`; infinite where C_L or σ_g is. Source: as `least_B_prime`.
    """
    return np.maximum(1.0, np.ceil(product(64.0, square(product(relative_slope(c, s), c.sigma_g)))))
