"""Own results: sharper constants, and a larger stepsize cap, from the paper's own assumptions."""

from __future__ import annotations

import numpy as np

from theory.constants import Constants, Real, Schedule
from theory.convergence import Convergence, Exact, Guarantee
from theory.extended import INF, Extended, Number, choose, hypot, plain, sqrt
from theory.symbols import bound, symbol
from theory.validation import PremiseError

_SUMMED_STEPS = 10_000
"""Up to this N the deviations are summed term by term; beyond, by the integral that bounds their sum."""


class Sharper(Convergence):
    """Sharper statements. Source: own."""

    @bound
    def delta(p, j: Number) -> Number:
        """`E‖w_j − w̃_j‖ ≤ δ_j = ασ_g √((q^{2j} − 1)/((q² − 1)S))`, never above `deviation`.

        Source: own (Jensen on the mean-square deviation).
        """
        return sqrt(p.deviation_squared(j))

    @symbol
    def delta_sum(p) -> Extended:
        """`Σ_{j<N} δ_j`; at N > 10⁴ the integral of δ over [0, N], which is no smaller. Source: own."""
        N, last = np.asarray(p.N), p.delta(p.N)
        j = np.arange(min(int(np.max(N, initial=0)), _SUMMED_STEPS), dtype=np.float64)
        j = j.reshape(-1, *(1,) * np.ndim(last))
        summed = np.sum(np.where(j < N, p.delta(j), 0.0), axis=0)
        # ∫_0^N √(q^{2x} − 1) dx = (√E − arctan √E)/ln q with E = q^{2N} − 1, and δ_x = √((q^{2x} − 1)/E) δ_N.
        root = np.sqrt(p.C_2)
        with np.errstate(invalid="ignore", divide="ignore"):
            shape = np.where(root < 1e-3, root * root / 3, 1 - np.arctan(root) / root)  # the former does not cancel
        steps_of_last = Extended(shape) / p.log_q
        return Extended(choose(N > _SUMMED_STEPS, steps_of_last * last, summed))

    @symbol
    def beta_1(p) -> Extended:
        """`q^N L δ_N`, how far noise takes the last gradient, pulled back."""
        return p.q(p.N) * p.L * p.delta(p.N)

    @symbol
    def beta_2(p) -> Extended:
        """`αρ q^{2N−1} Σ_{j<N} δ_j`, how far noise turns the Hessian factors, per unit of gradient."""
        return p.alpha * p.rho * p.q(2 * p.N - 1) * p.delta_sum

    @bound
    def task_bias_sharper(p, gradient_norm: Number) -> Number:
        """BIAS of one task: `‖E Ĝ_i − ∇L_i‖ ≤ q^N L δ_N + αρ q^{2N−1} ‖∇l_i(w)‖ Σ_{j<N} δ_j`, for every α.

        `gradient_norm` = ‖∇l_i(w)‖. Source: own (the paper's proof with `delta` in place of `deviation`).
        """
        return p.beta_1 + p.beta_2 * gradient_norm

    @symbol
    def task_bias_one_step(p) -> Extended:
        """BIAS of one task at N = 1: `‖E Ĝ_i − ∇L_i‖ ≤ (ρ/2) q α²σ_g²/S`, which falls like 1/S.

        Raises PremiseError where N ≠ 1. Source: own (the noise is centred, so only the curvature of ∇l_i biases).
        """
        if np.any(np.not_equal(p.N, 1)):
            raise PremiseError(f"N = {np.max(p.N):g} is not allowed: N must be 1", "N is not 1")
        return p.rho / 2 * (1 + p.alpha * p.L) * (p.alpha * p.sigma_g) ** 2 * (1 / p.S)

    @bound
    def task_second_moment_sharper(p, gradient_norm: Number) -> Number:
        """SECOND MOMENT of one task: `E‖Ĝ_i‖² ≤ V [(q^N‖∇l_i‖ + Lδ_N)² + σ_g²/T]`, for every α.

        `gradient_norm` = ‖∇l_i(w)‖. Source: own, as `task_bias_sharper`.
        """
        return p.V * ((p.q(p.N) * gradient_norm + p.L * p.delta(p.N)) ** 2 + p.sigma_g**2 / p.T)

    @symbol
    def c(p) -> Extended:
        """`c = C_L √v/a`, standard deviation of L̂ relative to its floor. Source: own shorthand."""
        return p.slope * sqrt(p.v)

    @symbol
    def kappa_sharper(p) -> Extended:
        """`κ = 1 + c²/2 + c√(1 + c²/4)`, `c = C_L√v/a`, so that `E[1/L̂²] ≤ κ/L_w²`; never above the paper's.

        Source: own (exact maximum over the mean, an eigenvalue, in place of two triangle inequalities).
        """
        half = p.c / 2
        return 1 + 2 * half * (half + hypot(1, half))

    @bound
    def inverse_moment_sharper(p, L_w: Number) -> Number:
        """An upper bound on the mean meta stepsize: `E[1/L̂] ≤ (1 + c/2)/L_w`; the paper's way gives √κ.

        `L_w` > 0. Source: own, as `kappa_sharper`.
        """
        return (1 + p.c / 2) / L_w

    @symbol
    def larger_cap(p) -> Extended:
        """`sin(π/(4N))/L`, up to which exact MAML is certified in the resampling case: `μ > 0` iff α is below it."""
        angle = plain(Extended(np.pi / 4) / p.N)
        return Extended(choose(np.isinf(angle), INF, np.sin(np.minimum(angle, 1.0)) / p.L))

    @symbol
    def mu(p) -> Extended:
        """`μ = min_φ Re (1 + αLe^{iφ})^{2N}`: `⟨v, M_i v⟩ ≥ μ‖v‖²` where `∇L_i = M_i ∇l_i`; `μ ≥ C_1` always.

        Raises PremiseError where `α ≥ larger_cap`, so where it is not positive, and where `b > 0`.

        Source: own. (`M_i` is a product of 2N factors within αL of the identity: each turns a vector by the argument of
        a point of the disc `|z − 1| ≤ αL` at most, and by Grace–Walsh–Szegő the worst 2N points of the disc are equal.)
        """
        if p.b > 0:
            raise PremiseError(
                f"b = {p.b:g} is not allowed: b must be 0 (the larger cap needs the resampling case)",
                "training and test losses differ",
            )
        value = least_real_part(plain(p.alpha * p.L), plain(2 * p.N))
        p.require_stepsize((p.alpha < p.larger_cap) & np.greater(value, 0), p.larger_cap, "larger cap")
        return Extended(value)

    @bound
    def link_sharper(p, meta_gradient_norm: Number) -> Number:
        """LINK up to the larger cap, resampling: `‖∇l(w)‖ ≤ (‖∇L(w)‖ + C_2σ)/μ`.

        Raises PremiseError where `α ≥ larger_cap` or `b > 0`. Source: own.
        """
        return (meta_gradient_norm + p.C_2 * p.sigma) / p.mu


class ExactSharper(Sharper, Exact):
    """THEOREM, exact MAML, up to the larger cap, resampling: `G = C_L/μ`, `A = a + C_L(C_2 + μ)σ/μ`, R as the paper's.

    Source: own.
    """

    @symbol
    def G(p) -> Extended:
        """`C_L/μ`. Raises PremiseError where `α ≥ larger_cap` or `b > 0`."""
        return p.C_L / p.mu

    @symbol
    def A(p) -> Extended:
        """`a + C_L(C_2 + μ)σ/μ`. Errors as `G`."""
        return p.a + p.G * (p.C_2 + p.mu) * p.sigma


def least_real_part(r: Real, n: Real) -> Real:
    """`min_φ Re (1 + re^{iφ})^n`. Source: own."""
    r, n = np.broadcast_arrays(r, n)
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
    return plain(modulus * np.cos(n * argument))


def larger_cap(c: Constants, N: Real) -> Real:
    """`sin(π/(4N))/L`, up to which exact MAML is certified in the resampling case; about π/(4LN). Infinite at N = 0.

    Raises ValueError where `N` is not an integer ≥ 0. Source: own; `μ > 0` iff α is below it.
    """
    return plain(Sharper(c, Schedule(N=N, alpha=0.0)).larger_cap)


def theorem_exact_sharper(c: Constants, s: Schedule) -> Guarantee:
    """THEOREM, exact MAML, up to the larger cap, resampling: `G = C_L/μ`, `A = a + C_L(C_2 + μ)σ/μ`, R as the paper's.

    Reads N, α, C_β, K and Δ. Raises PremiseError where `α ≥ larger_cap(N)`, `C_β ≤ ½` or `b > 0`. Source: own.
    """
    return ExactSharper(c, s).guarantee
