"""The three theorems: how small the mean gradient norm of the meta objective must get in K meta steps."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from theory import lemmas
from theory.constants import Constants, Real, Schedule
from theory.estimator import E_1, E_2, A_sq1, A_sq2, C_sq1, C_sq2
from theory.extended import product, ratio, square, total
from theory.growth import require_cap
from theory.meta_stepsize import moment_kappa, moment_lambda
from theory.smoothness import C_L, smoothness_floor
from theory.validation import PremiseError, real


@dataclass(frozen=True)
class Guarantee:
    """What a theorem promises: `ḡ = (1/K) Σ_k E‖∇L(w_k)‖ ≤ bound`, the root of `ḡ² = R(A + Gḡ)`.

    `c_1` is the share of the descent that noise leaves, `noise` what it adds per step (0 for exact MAML).
    """

    bound: Real
    R: Real
    A: Real
    G: Real
    c_1: Real
    noise: Real


def descent_bound(c: Constants, s: Schedule, meta_gradient_norm: Real, L_w: Real) -> Real:
    """DESCENT: a meta step of exact MAML lowers L by at least `(1/C_β)(1 − 1/(2C_β))‖∇L(w)‖²/L_w`, for every α.

    Negative (a bound on the rise) for `C_β < ½`. Raises ValueError where `meta_gradient_norm` is negative or NaN, or
    `L_w` is not positive. Source: Ji, Yang, Liang (2022), proofs of the theorems (descent lemma).
    """
    real("meta_gradient_norm", meta_gradient_norm, infinite=True)
    real("L_w", L_w, open_low=True, infinite=True)
    share: Real = np.divide(1 - np.divide(0.5, s.C_beta), s.C_beta)
    return share * ratio(square(meta_gradient_norm), L_w)


def root_bound(R: Real, A: Real, G: Real) -> Real:
    """`½(GR + √(G²R² + 4AR))`, the root of `ḡ² = R(A + Gḡ)`; all non-negative.

    Source: Ji, Yang, Liang (2022), last step of the theorems.

    >>> float(root_bound(2.0, 3.0, 0.5))  # 3² = 2(3 + ½·3)
    3.0
    """
    GR = product(G, R)
    return total(GR / 2, np.hypot(GR / 2, product(np.sqrt(A), np.sqrt(R))))


def G(c: Constants, s: Schedule) -> Real:
    """`G = C_L/C_1`: `L_w ≤ A + G‖∇L(w)‖`. Raises PremiseError past the cap. Source: LINK into SMOOTHNESS."""
    require_cap(c, s)
    return ratio(C_L(c, s), lemmas.C_1(c, s))


def A(c: Constants, s: Schedule) -> Real:
    """`A = a + C_L(σ + m)/C_1`, m = 0 in the resampling case. Errors and source as `G`."""
    return total(smoothness_floor(c, s), product(G(c, s), total(c.sigma, lemmas.mismatch(c, s))))


def theorem_exact(c: Constants, s: Schedule) -> Guarantee:
    """THEOREM, exact MAML: `R = C_βΔ/(K(1 − 1/(2C_β)))` with `β_k = 1/(C_βL_{w_k})`; both cases.

    Reads N, α, C_β, K and Δ of the schedule. Raises PremiseError past the stepsize cap or where `C_β ≤ ½`.

    Source: Ji, Yang, Liang (2022), the theorems without sampling (own statement by their technique).
    """
    return exact_guarantee(s, A(c, s), G(c, s))


def exact_guarantee(s: Schedule, A: Real, G: Real) -> Guarantee:
    """Promise for exact MAML where `L_w ≤ A + G‖∇L(w)‖`: `R = C_βΔ/(K(1 − 1/(2C_β)))`; PremiseError if `C_β ≤ ½`.

    Source: Ji, Yang, Liang (2022), as `theorem_exact`.
    """
    if np.any(np.less_equal(s.C_beta, 0.5)):
        raise PremiseError(f"C_beta = {np.min(s.C_beta):g} is not allowed: C_beta must be > 0.5")
    c_1 = 1 - np.divide(0.5, s.C_beta)
    R = product(s.C_beta, np.divide(s.Delta, s.K), 1 / c_1)
    return Guarantee(root_bound(R, A, G), R, A, G, c_1, 0.0)


def finite_sum_c1(c: Constants, s: Schedule) -> Real:
    """`c_1 = 1 − (κ/(2C_β))(1 + A_sq1/B)`, possibly ≤ 0; PremiseError past the cap. Source: finite-sum theorem."""
    return 1 - product(moment_kappa(c, s), np.divide(0.5, s.C_beta), total(1.0, A_sq1(c, s) / s.B))


def finite_sum_noise(c: Constants, s: Schedule) -> Real:
    """`noise = κA_sq2/(2C_β²aB)`. Raises PremiseError past the cap. Source: finite-sum theorem."""
    a = smoothness_floor(c, s)
    variance = product(moment_kappa(c, s), A_sq2(c, s), 1 / np.multiply(2, s.B))
    return ratio(variance, product(square(s.C_beta), a))


def theorem_finite_sum(c: Constants, s: Schedule) -> Guarantee:
    """THEOREM, finite-sum (Algorithm 2): `R = C_β(Δ/K + noise)/c_1`.

    Reads N, α, C_β, B, B', K and Δ of the schedule. Raises PremiseError past the stepsize cap or where `c_1 ≤ 0`.

    Source: Ji, Yang, Liang (2022), theorem on the finite-sum case.
    """
    A_, G_, c_1, noise = A(c, s), G(c, s), finite_sum_c1(c, s), finite_sum_noise(c, s)
    _require_positive(c_1)
    R = product(s.C_beta, total(np.divide(s.Delta, s.K), noise), 1 / c_1)
    return Guarantee(root_bound(R, A_, G_), R, A_, G_, c_1, noise)


def _bias_weight(c: Constants, s: Schedule) -> Real:
    """`√κ + 2κ/C_β`, what half a squared bias counts for in the resampling theorem."""
    kappa = moment_kappa(c, s)
    return total(np.sqrt(kappa), 2 * kappa / s.C_beta)


def resampling_c1(c: Constants, s: Schedule) -> Real:
    """`c_1 = λ/2 − κ/C_β − κC_sq1/(2C_βB) − (√κ + 2κ/C_β)E_2²/S`, possibly ≤ 0.

    Raises PremiseError past the cap. Source: resampling theorem.
    """
    kappa = moment_kappa(c, s)
    variance = product(kappa, C_sq1(c, s), 1 / (2 * np.multiply(s.C_beta, s.B)))
    bias = product(_bias_weight(c, s), square(E_2(c, s)), 1 / s.S)
    return moment_lambda(c, s) / 2 - total(kappa / s.C_beta, variance, bias)


def resampling_noise(c: Constants, s: Schedule) -> Real:
    """`noise = (1/a)[(√κ + 2κ/C_β)(E_1 + E_2σ)²/S + κC_sq2/(2C_βB)]`.

    Raises PremiseError past the cap. Source: resampling theorem.
    """
    bias = product(_bias_weight(c, s), square(total(E_1(c, s), product(E_2(c, s), c.sigma))), 1 / s.S)
    variance = product(moment_kappa(c, s), C_sq2(c, s), 1 / (2 * np.multiply(s.C_beta, s.B)))
    return ratio(total(bias, variance), smoothness_floor(c, s))


def theorem_resampling(c: Constants, s: Schedule) -> Guarantee:
    """THEOREM, resampling (Algorithm 1): `R = (C_βΔ/K + noise)/c_1`.

    Reads every field of the schedule. Raises PremiseError past the stepsize cap or where `c_1 ≤ 0`.

    Source: Ji, Yang, Liang (2022), theorem on the resampling case.
    """
    A_, G_, c_1, noise = A(c, s), G(c, s), resampling_c1(c, s), resampling_noise(c, s)
    _require_positive(c_1)
    R = product(total(product(s.C_beta, np.divide(s.Delta, s.K)), noise), 1 / c_1)
    return Guarantee(root_bound(R, A_, G_), R, A_, G_, c_1, noise)


def _require_positive(c_1: Real) -> None:
    """Raise PremiseError where the noise can eat the descent."""
    least = float(np.min(c_1))
    if not least > 0:
        raise PremiseError(f"c_1 = {least:g} is not allowed: c_1 must be > 0 (larger C_beta, B, S, B_prime or D_L)")
