"""Own results: sharper constants, and a larger stepsize cap, from the paper's own assumptions."""

from __future__ import annotations

import numpy as np

from theory.constants import Constants, Real, Schedule
from theory.convergence import Guarantee, exact_guarantee
from theory.estimator import V
from theory.extended import product, ratio, square, total
from theory.growth import growth, q
from theory.lemmas import C_2, deviation_squared_bound
from theory.meta_stepsize import norm_variance, relative_slope
from theory.smoothness import C_L, smoothness_floor
from theory.validation import PremiseError, integer, real

_SUMMED_STEPS = 10_000
"""Up to this N the deviations are summed term by term; beyond, by the integral that bounds their sum."""


def deviation_mean_bound(c: Constants, s: Schedule, j: Real) -> Real:
    """`E‖w_j − w̃_j‖ ≤ δ_j = ασ_g √((q^{2j} − 1)/((q² − 1)S))`, never above `deviation_bound`.

    Source: own (Jensen on the mean-square deviation).
    """
    root: Real = np.sqrt(deviation_squared_bound(c, s, j))
    return root


def deviation_sum(c: Constants, s: Schedule) -> Real:
    """`Σ_{j<N} δ_j`; at N > 10⁴ the integral of δ over [0, N], which is no smaller. Source: own."""
    N = np.asarray(s.N)
    steps = np.arange(min(int(np.max(N, initial=0)), _SUMMED_STEPS), dtype=np.float64)
    j = steps.reshape(-1, *(1,) * np.ndim(deviation_squared_bound(c, s, N)))
    summed = np.sum(np.where(j < N, deviation_mean_bound(c, s, j), 0.0), axis=0)
    # ∫_0^N √(q^{2x} − 1) dx = (√E − arctan √E)/ln q with E = q^{2N} − 1, and δ_x = √((q^{2x} − 1)/E) δ_N.
    root = np.sqrt(C_2(c, s))
    with np.errstate(invalid="ignore", divide="ignore"):
        shape = np.where(root < 1e-3, square(root) / 3, 1 - np.arctan(root) / root)  # the former without cancellation
        steps_of_last = np.where(root > 0, shape / np.log1p(product(s.alpha, c.L)), 0.0)
    integral = product(steps_of_last, deviation_mean_bound(c, s, s.N))
    result: Real = np.where(N > _SUMMED_STEPS, integral, summed)[()]
    return result


def task_bias_sharper(c: Constants, s: Schedule, gradient_norm: Real) -> Real:
    """BIAS of one task: `‖E Ĝ_i − ∇L_i‖ ≤ q^N L δ_N + αρ q^{2N−1} ‖∇l_i(w)‖ Σ_{j<N} δ_j`, for every α.

    `gradient_norm` = ‖∇l_i(w)‖; ValueError where it is negative or NaN.
    Source: own (the paper's proof with `deviation_mean_bound` in place of `deviation_bound`).
    """
    real("gradient_norm", gradient_norm, infinite=True)
    at_end = product(growth(c, s, s.N), c.L, deviation_mean_bound(c, s, s.N))
    along_path = product(s.alpha, c.rho, growth(c, s, 2 * s.N - 1), gradient_norm, deviation_sum(c, s))
    return total(at_end, along_path)


def task_bias_one_step(c: Constants, s: Schedule) -> Real:
    """BIAS of one task at N = 1: `‖E Ĝ_i − ∇L_i‖ ≤ (ρ/2) q α²σ_g²/S`, which falls like 1/S.

    Raises PremiseError where N ≠ 1. Source: own (the noise is centred, so only the curvature of ∇l_i biases).
    """
    if np.any(np.not_equal(s.N, 1)):
        raise PremiseError(f"N = {np.max(s.N):g} is not allowed: N must be 1")
    return product(c.rho / 2, q(c, s), square(product(s.alpha, c.sigma_g)), 1 / s.S)


def task_second_moment_sharper(c: Constants, s: Schedule, gradient_norm: Real) -> Real:
    """SECOND MOMENT of one task: `E‖Ĝ_i‖² ≤ V [(q^N‖∇l_i‖ + Lδ_N)² + σ_g²/T]`, for every α.

    `gradient_norm` = ‖∇l_i(w)‖; ValueError where it is negative or NaN. Source: own, as `task_bias_sharper`.
    """
    real("gradient_norm", gradient_norm, infinite=True)
    deviation = product(c.L, deviation_mean_bound(c, s, s.N))
    outer_gradient = total(product(growth(c, s, s.N), gradient_norm), deviation)
    return product(V(c, s), total(square(outer_gradient), square(c.sigma_g) / s.T))


def relative_deviation(c: Constants, s: Schedule) -> Real:
    """`x = C_L √v/a`, standard deviation of L̂ relative to its floor. Source: own shorthand."""
    return product(relative_slope(c, s), np.sqrt(norm_variance(c, s)))


def kappa_sharper(c: Constants, s: Schedule) -> Real:
    """`κ = 1 + x²/2 + x√(1 + x²/4)`, `x = C_L√v/a`, so that `E[1/L̂²] ≤ κ/L_w²`; never above `moment_kappa`.

    Source: own (exact maximum over the mean, an eigenvalue, in place of two triangle inequalities).
    """
    half = relative_deviation(c, s) / 2
    return total(1.0, product(2.0, half, total(half, np.hypot(1.0, half))))


def inverse_moment_sharper(c: Constants, s: Schedule, L_w: Real) -> Real:
    """An upper bound on the mean meta stepsize: `E[1/L̂] ≤ (1 + x/2)/L_w`, `x = C_L√v/a`; the paper's way gives √κ.

    `L_w` > 0, else ValueError. Source: own, as `kappa_sharper`.
    """
    real("L_w", L_w, open_low=True, infinite=True)
    return ratio(total(1.0, relative_deviation(c, s) / 2), L_w)


def larger_cap(c: Constants, N: Real) -> Real:
    """`sin(π/(4N))/L`, up to which exact MAML is certified in the resampling case; about π/(4LN). Infinite at N = 0.

    Raises ValueError where `N` is not an integer ≥ 0. Source: own; `μ > 0` iff α is below it.
    """
    integer("N", N, low=0)
    with np.errstate(divide="ignore"):
        angle = np.divide(np.pi / 4, N)
    result: Real = np.where(np.isinf(angle), np.inf, np.sin(np.minimum(angle, 1.0)) / c.L)[()]
    return result


def mu(c: Constants, s: Schedule) -> Real:
    """`μ = min_φ Re (1 + αLe^{iφ})^{2N}`: `⟨v, M_i v⟩ ≥ μ‖v‖²` where `∇L_i = M_i ∇l_i`; `μ ≥ C_1` always.

    Source: own. (`M_i` is a product of 2N factors within αL of the identity: each turns a vector by the argument of a
    point of the disc `|z − 1| ≤ αL` at most, and by Grace–Walsh–Szegő the worst 2N points of the disc are equal.)
    """
    r, n = np.broadcast_arrays(product(s.alpha, c.L), np.multiply(2, s.N))
    low, high = np.pi / np.maximum(n, 1), np.full(r.shape, np.pi)
    # The derivative in φ is −n r |z|^{n−1} sin(φ + (n − 1) arg z): the minimum is where the angle first reaches π,
    # at or beyond φ = π/n; bisected in log φ, for φ can be as small as that.
    for _ in range(64):
        phi = np.sqrt(low) * np.sqrt(high)
        turned = phi + (n - 1) * np.arctan2(r * np.sin(phi), 1 + r * np.cos(phi)) >= np.pi
        low, high = np.where(turned, low, phi), np.where(turned, phi, high)
    argument = np.arctan2(r * np.sin(high), 1 + r * np.cos(high))
    with np.errstate(over="ignore", divide="ignore", invalid="ignore"):
        log_modulus = np.where(n > 0, n / 2 * np.log1p(r * (2 * np.cos(high) + r)), 0.0)
        modulus = np.exp(log_modulus)
    result: Real = (modulus * np.cos(n * argument))[()]
    return result


def link_sharper(c: Constants, s: Schedule, meta_gradient_norm: Real) -> Real:
    """LINK up to the larger cap, resampling: `‖∇l(w)‖ ≤ (‖∇L(w)‖ + C_2σ)/μ`.

    Raises PremiseError where `α ≥ larger_cap(N)` or `b > 0`, ValueError where `meta_gradient_norm` is negative or NaN.

    Source: own.
    """
    real("meta_gradient_norm", meta_gradient_norm, infinite=True)
    return ratio(total(meta_gradient_norm, product(C_2(c, s), c.sigma)), _positive_mu(c, s))


def theorem_exact_sharper(c: Constants, s: Schedule) -> Guarantee:
    """THEOREM, exact MAML, up to the larger cap, resampling: `G = C_L/μ`, `A = a + C_L(C_2 + μ)σ/μ`, R as the paper's.

    Reads N, α, C_β, K and Δ. Raises PremiseError where `α ≥ larger_cap(N)`, `C_β ≤ ½` or `b > 0`. Source: own.
    """
    mu_ = _positive_mu(c, s)
    G = ratio(C_L(c, s), mu_)
    A = total(smoothness_floor(c, s), product(G, total(C_2(c, s), mu_), c.sigma))
    return exact_guarantee(s, A, G)


def _positive_mu(c: Constants, s: Schedule) -> Real:
    """`μ` where the larger cap holds; PremiseError elsewhere."""
    if c.b > 0:
        raise PremiseError(f"b = {c.b:g} is not allowed: b must be 0 (the larger cap needs the resampling case)")
    value = np.asarray(mu(c, s))
    bad = np.greater_equal(s.alpha, larger_cap(c, s.N)) | (value <= 0)
    if bad.any():
        alpha, N = (np.broadcast_to(field, bad.shape)[bad].flat[0] for field in (s.alpha, s.N))
        raise PremiseError(
            f"alpha = {alpha:.17g} is not allowed: alpha must be < {larger_cap(c, float(N)):.17g}, "
            f"the larger cap at N = {N:g}"
        )
    result: Real = value[()]
    return result
