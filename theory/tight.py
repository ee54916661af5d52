"""Own results: the statements of the paper with the constants that its assumptions allow, most of them attained."""

from __future__ import annotations

from functools import cached_property
from typing import Any

import numpy as np

from theory.convergence import Exact, Guarantee, Theorem
from theory.extended import Extended, Number, choose, expm1, hypot, log1p, minimum, plain, sqrt
from theory.sharper import Sharper
from theory.symbols import bound, signed, symbol
from theory.validation import PremiseError


class Tight(Sharper):
    """RANGE and what follows from it in any dimension. Source: own.

    `∇L_i = M_i g_i + R_i d_i`, `g_i` the outer gradient of task i and `d_i` its mismatch. With `u = M_i v`,
    `‖u − ½(Q + p)v‖ ≤ ½(Q − p)‖v‖`: what is here needs no more of `M_i`. The letter `low` stands for this p.
    """

    @symbol
    def Q(p) -> Extended:
        """`q^{2N}`, the largest stretch of a gradient."""
        return p.q(2 * p.N)

    @symbol
    def x(p) -> Extended:
        """RANGE: `2NαL` where training and test losses agree (b = 0), else `NαL + q^N − 1`.

        Raises PremiseError where it is not below 1.
        """
        path = p.N * p.alpha * p.L
        return p.below_one(Extended(choose(p.b == 0, 2 * path, path + p.e(p.N))))

    @symbol
    def low(p) -> Extended:
        """`p = Q(1 − x)/(1 + x)`, the least stretch. Errors as `x`."""
        return p.Q * (1 - p.x) / (1 + p.x)

    @symbol
    def width(p) -> Extended:
        """`Q − p = 2xQ/(1 + x)`, without cancellation. Errors as `x`."""
        return 2 * p.x * p.Q / (1 + p.x)

    def below_one(p, x: Extended) -> Extended:
        """Return `x`; PremiseError where any of it is 1 or more."""
        if not np.all(x < 1):
            raise PremiseError(f"x = {np.max(x.value):g} is not allowed: x must be < 1 (a smaller alpha or N)")
        return x

    @symbol
    def r_b(p) -> Extended:
        """`q^N (q^N − 1)`, the share of a task's mismatch in its meta-gradient at most."""
        return p.q(p.N) * p.e(p.N)

    @bound
    def link_mean(p, meta_gradient_norm: Number) -> Number:
        """LINK, exact: `‖E g_i‖ ≤ [(Q + p)G' + (Q − p)√(G'² + pQσ²)]/(2pQ)`, `G' = ‖∇L‖ + m`. Errors as `x`."""
        G = meta_gradient_norm + p.m
        return ((p.Q + p.low) * G + p.width * hypot(G, sqrt(p.low * p.Q) * p.sigma)) / (2 * p.low * p.Q)

    @bound
    def link_mean_square(p, meta_gradient_norm: Number) -> Number:
        """LINK, exact: `E‖g_i‖ ≤ √(E‖g_i‖²) ≤ [(Q − p)G' + (Q + p)√(G'² + pQσ²)]/(2pQ)`. As `link_mean`."""
        G = meta_gradient_norm + p.m
        return (p.width * G + (p.Q + p.low) * hypot(G, sqrt(p.low * p.Q) * p.sigma)) / (2 * p.low * p.Q)

    @symbol
    def y_0(p) -> Extended:
        """`(Q + p)/(2√(pQ)) σ`: `√(E‖g_i‖²) ≤ G'/p + y_0`. Errors as `x`."""
        return (p.Q + p.low) / (2 * sqrt(p.low * p.Q)) * p.sigma

    @symbol
    def A_v(p) -> Extended:
        """`(Q + p)/(2p) = 1/(1 − x)`, the weight of `G'²` in (S0). Errors as `x`."""
        return (p.Q + p.low) / (2 * p.low)

    @bound
    def spread_plain(p, meta_gradient_norm: Number) -> Number:
        """SECOND MOMENT (S0): `E‖M_i g_i‖² ≤ G'²/(1 − x) + Q²σ²`. Errors as `x`."""
        return p.A_v * (meta_gradient_norm + p.m) ** 2 + (p.Q * p.sigma) ** 2

    @bound
    def spread(p, meta_gradient_norm: Number) -> Number:
        """(S0), exact: `X² = (p + Q)²/(4pQ) G'² + ½(p² + Q²)σ² + ½(Q² − p²)σ√(σ² + G'²/(pQ))`. Errors as `x`."""
        G, pQ = meta_gradient_norm + p.m, p.low * p.Q
        kantorovich = (p.low + p.Q) ** 2 / (4 * pQ) * G**2
        both = p.sigma * hypot(p.sigma, G / sqrt(pQ))
        return kantorovich + (p.low**2 + p.Q**2) / 2 * p.sigma**2 + p.width * (p.Q + p.low) / 2 * both

    @bound
    def finite_sum_spread(p, meta_gradient_norm: Number) -> Number:
        """SECOND MOMENT, finite-sum: `E‖∇L_i‖² ≤ (X + q^N(q^N − 1)√b̃)²`, X of (S0). Errors as `x`."""
        return (sqrt(p.spread(meta_gradient_norm)) + p.r_b * sqrt(p.b_sq)) ** 2

    @bound
    def noisy_gradient(p, gradient_norm: Number) -> Number:
        """`ρ_N = min(r_N, q^N y + Lδ_N)`: `√(E‖∇l_i(w_N)‖²)` at most, from `y = √(E‖∇l_i(w)‖²)`.

        `r_0 = y`, `r_{j+1} = r_j + αL√(r_j² + σ_g²/S)`.
        """
        r, noise = gradient_norm, p.sigma_g / sqrt(p.S)
        for j in range(int(np.max(plain(p.N), initial=0))):
            r = Extended(choose(j < p.N, r + p.alpha * p.L * hypot(r, noise), r))
        return minimum(r, p.q(p.N) * gradient_norm + p.L * p.delta(p.N))

    @bound
    def task_spread(p, gradient_norm: Number) -> Number:
        """SECOND MOMENT (S1): `E‖Ĝ_i‖² ≤ V[ρ_N² + σ_g²/T]`, of one task, or of all with `y` for its gradient."""
        return p.V * (Extended(p.noisy_gradient(gradient_norm)) ** 2 + p.sigma_g**2 / p.T)

    @bound
    def resampling_spread(p, meta_gradient_norm: Number) -> Number:
        """SECOND MOMENT, resampling: the smaller of (S1) and (S2) over tasks. Errors as `x`.

        (S2): `E‖Ĝ_i‖² ≤ (X + β_1 + β_2 y)² + (V − Q)ρ_N² + Vσ_g²/T`.
        """
        y = p.link_mean_square(meta_gradient_norm)
        mean = (sqrt(p.spread(meta_gradient_norm)) + p.beta_1 + p.beta_2 * y) ** 2
        turned = np.maximum(p.V - p.Q, 0.0) * Extended(p.noisy_gradient(y)) ** 2
        return minimum(p.task_spread(y), mean + turned + p.V * p.sigma_g**2 / p.T)

    @bound
    def last_gradient(p, meta_gradient_norm: Number) -> Number:
        """LAST GRADIENT, resampling: `√(E‖∇l_i(w̃_N)‖²) ≤ q^N Y`; this is Y. PremiseError where `x + x² ≥ 1`, x = NαL.

        `Y = {xe + √((1 − x)e² + (1 − x − x²)(1 − x)σ²)}/(1 − x − x²)`, `e = (1 + x)‖∇L‖/Q`.
        """
        x = p.N * p.alpha * p.L
        left = 1 - p.below_one(x + x**2)
        e = (1 + x) * meta_gradient_norm / p.Q
        return (x * e + hypot(sqrt(1 - x) * e, sqrt(left * Extended(1 - x)) * p.sigma)) / left

    @bound
    def bias_tight(p, meta_gradient_norm: Number) -> Number:
        """BIAS over tasks: `‖E Ĝ − ∇L‖ ≤ β_1 + β_2 Y`, Y of LAST GRADIENT; at N = 1 also (ρ/2)qα²σ_g²/S."""
        return p.beta_1 + p.beta_2 * p.last_gradient(meta_gradient_norm)

    @symbol
    def kappa_exact(p) -> Extended:
        """Least κ with `E[1/L̂²] ≤ κ/L_w²`: `(1 + z)²[(z + c²)² + c²z²]/(z² + z + c²)²` at the root of a cubic.

        `z³ = c²(z² + 2z + c²)`, `c = C_L√v/a`. Attained by laws on two points.
        """
        z, c = extremal_mean(plain(p.c)), p.c
        share = (1 + z) * hypot(z + c**2, c * z) / choose(p.c == 0, 1.0, z * z + z + c**2)
        return Extended(choose(p.c == 0, 1.0, share**2))

    @symbol
    def kappa_1(p) -> Extended:
        """Least κ_1 with `E[1/L̂] ≤ κ_1/L_w`: `1 + c²/(1 + 2c)`, `c = C_L√v/a`. Attained by laws on two points."""
        return 1 + p.c * (p.c / (1 + 2 * p.c))

    @bound
    def exact_every_alpha(p, L_w: Number) -> Number:
        """THEOREM, exact MAML at every α: `ḡ` falls like K^{−1/3}; no cap, no σ. `L_w` is that of the start.

        `ḡ ≤ {(Λ + (3/2)c√(KS_0))^{4/3} − Λ^{4/3}}/(2cK)`, `S_0 = C_βΔ/(1 − 1/(2C_β))`, `c = C_L L/C_β`,
        `Λ = L_w^{3/2} + (3/8)c²S_0/a^{3/2}`. PremiseError where `C_β ≤ ½`.
        """
        if np.any(p.C_beta <= 0.5):
            raise PremiseError(f"C_beta = {np.min(p.C_beta.value):g} is not allowed: C_beta must be > 0.5")
        S_0 = p.C_beta * p.Delta / Extended(1 - 0.5 / p.C_beta)
        c = p.C_L * p.L / p.C_beta
        Lambda = L_w**1.5 + 0.375 * c**2 * S_0 / p.a**1.5
        t = 1.5 * c * sqrt(p.K * S_0) / Lambda
        growth = Extended(choose(t > 0, expm1(4 / 3 * log1p(t)) / Extended(choose(t > 0, t, 1.0)), 4 / 3))
        return 0.75 * growth * Lambda ** (1 / 3) * sqrt(S_0 / p.K)


class TightOnLine(Tight):
    """The same where Hessians commute, as in one dimension: the least stretch is larger. Source: own."""

    @symbol
    def width(p) -> Extended:
        """`Q − p`, `p = (1 − αL)^{2N}` where b = 0, else `(1 − αL)^N (2 − q^N)`. PremiseError where p ≤ 0."""
        log_f = log_contraction(p)
        alike = -np.expm1(plain(2 * p.N) * log_f)
        other = -np.expm1(plain(p.N) * log_f) + np.exp(plain(p.N) * log_f) * plain(p.e(p.N))
        return p.below_one(Extended(choose(p.b == 0, alike, other))) + p.e(2 * p.N)

    @symbol
    def low(p) -> Extended:
        """`p = Q − (Q − p)`. Errors as `width`."""
        return Extended(p.Q - p.width)

    @symbol
    def x(p) -> Extended:
        """`(Q − p)/(Q + p)`. Errors as `width`."""
        return p.width / (p.Q + p.low)


def log_contraction(p: Tight) -> Any:
    """`ln(1 − αL)`. Raises PremiseError where `αL ≥ 1`."""
    step = p.alpha * p.L
    if not np.all(step < 1):
        raise PremiseError(f"alpha L = {np.max(step.value):g} is not allowed: alpha L must be < 1")
    return np.log1p(-plain(step))


def extremal_mean(c: Any) -> Any:
    """Positive root of `z³ = c²(z² + 2z + c²)`; 0 where c = 0; by Newton's method from above, where it is convex."""
    c = np.asarray(c, dtype=np.float64)
    large = np.greater(c, 1)
    # z = c u for c ≤ 1 and z = c² u beyond: then no power of c overflows before z itself does.
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        square, linear = np.where(large, 1.0, c), np.where(large, 2 / c**2, 2.0)
        constant = np.where(large, 1 / c**2, c)
        u = square + np.sqrt(linear) + np.cbrt(constant)
        for _ in range(60):
            f = ((u - square) * u - linear) * u - constant
            u = u - f / ((3 * u - 2 * square) * u - linear)
        return plain(np.where(np.equal(c, 0), 0.0, u * np.where(large, c**2, c)))


class TightTheorem(Tight, Theorem):
    """What the sharper theorems share: `c_1 ḡ² ≤ (A + Γḡ)(r + sḡ)`, so ḡ is at most its positive root. Source: own.

    Needs `c_1 > Γs`. The paper's letters: `G` is Γ, `spent` is r.
    """

    @symbol
    def G(p) -> Extended:
        """`Γ = C_L/p`: `L_w ≤ A + Γ‖∇L(w)‖`. PremiseError where RANGE is silent."""
        return p.C_L / p.low

    @symbol
    def A(p) -> Extended:
        """`a + C_L[(Q + p)/(2√(pQ)) σ + m/p]`. Errors as `G`."""
        return p.a + p.C_L * (p.y_0 + p.m / p.low)

    @symbol
    def s(p) -> Extended:
        """`s`, what noise allows for the squared gradient per unit of gradient; none in exact MAML."""
        return Extended(0.0)

    @symbol
    def R(p) -> Extended:
        """`r/c_1`. Raises PremiseError where `c_1 ≤ Γs`."""
        left = p.c_1 - plain(p.G * p.s)
        if not np.all(np.greater(left, 0)):
            raise PremiseError(f"c_1 − Γs = {np.min(left):g} is not allowed: it must be > 0 (larger C_beta, B, S or T)")
        return p.spent / p.positive_c_1

    @cached_property
    def guarantee(p) -> Guarantee:
        """The positive root of `c_1 ḡ² = (A + Γḡ)(r + sḡ)`. Raises PremiseError where the theorem is silent."""
        R, s, c_1 = p.R, p.s, Extended(p.c_1)
        left = Extended(1 - p.G * (s / c_1))
        half = (p.G * R + p.A * (s / c_1)) / 2
        root = (half + hypot(half, sqrt(left * p.A) * sqrt(R))) / left
        return Guarantee(plain(root), plain(R), plain(p.A), plain(p.G), p.c_1, plain(p.noise))

    @bound
    def margin(p, epsilon: Number) -> Number:
        """`c_1 − (A + Γε)(r + sε)/ε²`, by how much `ḡ ≤ ε` is certified; negative where it is not."""
        return p.c_1 - plain((p.spent + p.s * epsilon) * p.need(epsilon))


class ExactTight(TightTheorem, Exact):
    """THEOREM, exact MAML, with RANGE in place of the cap: `c_1 = 1 − 1/(2C_β)`, `r = C_βΔ/K`, `s = 0`. Source: own."""


class FiniteSumTight(TightTheorem):
    """THEOREM, finite-sum, sharper. Source: own."""

    @symbol
    def b_v(p) -> Extended:
        """`√A_v(√A_v m + R√b̃)`: `E‖∇L_i‖² ≤ A_v‖∇L‖² + 2b_v‖∇L‖ + n_v`, `R = q^N(q^N − 1)`."""
        return sqrt(p.A_v) * (sqrt(p.A_v) * p.m + p.r_b * sqrt(p.b_sq))

    @symbol
    def n_v(p) -> Extended:
        """`A_vm² + 2√A_v mR√b̃ + (Qσ + R√b̃)²`."""
        mismatch = p.r_b * sqrt(p.b_sq)
        return p.A_v * p.m**2 + 2 * sqrt(p.A_v) * p.m * mismatch + (p.Q * p.sigma + mismatch) ** 2

    @signed
    def c_1(p) -> Number:
        """`1 − (κ/(2C_β))(1 + (A_v − 1)/B)`."""
        return 1 - p.kappa_exact / (2 * p.C_beta) * (1 + Extended(p.A_v - 1) / p.B)

    @symbol
    def noise(p) -> Extended:
        """`κn_v/(2C_βBa)`."""
        return p.kappa_exact * p.n_v / (2 * p.C_beta * p.B * p.a)

    @symbol
    def s(p) -> Extended:
        """`κb_v/(C_βBa)`."""
        return p.kappa_exact * p.b_v / (p.C_beta * p.B * p.a)

    @symbol
    def spent(p) -> Extended:
        """`r = C_βΔ/K + κn_v/(2C_βBa)`."""
        return p.C_beta * (p.Delta / p.K) + p.noise


class ResamplingTight(TightTheorem):
    """THEOREM, resampling, sharper; premise `τ ≤ λ`. Source: own."""

    @symbol
    def e_0(p) -> Extended:
        """Bias where the meta-gradient vanishes: `β_1 + β_2 y_0`; at N = 1 the smaller of it and `(ρ/2)qα²σ_g²/S`."""
        return Extended(choose(p.one_step_is_better, p.one_step, p.beta_1 + p.beta_2 * p.y_0))

    @symbol
    def e_1(p) -> Extended:
        """Bias per unit of meta-gradient: `β_2/p`; 0 where `e_0` is that of one step."""
        return Extended(choose(p.one_step_is_better, 0.0, p.beta_2 / p.low))

    @symbol
    def one_step(p) -> Extended:
        """`(ρ/2) q α²σ_g²/S`, the bias at N = 1."""
        return p.rho / 2 * p.q(1) * (p.alpha * p.sigma_g) ** 2 / p.S

    @property
    def one_step_is_better(p) -> Any:
        """Whether N = 1 and the bias of one step is the smaller."""
        return (p.N == 1) & (p.one_step < p.beta_1 + p.beta_2 * p.y_0)

    @symbol
    def B_v(p) -> Extended:
        """`V q^N L δ_N/p`."""
        return p.V * p.beta_1 / p.low

    @symbol
    def A_noise(p) -> Extended:
        """`VQ/p²`: `E‖Ĝ_i‖² ≤ A‖∇L‖² + 2B_v‖∇L‖ + n_v`."""
        return p.V * p.Q / p.low**2

    @symbol
    def n_v(p) -> Extended:
        """`V[Qσ²/(1 − x) + 2q^N Lδ_N y_0 + L²δ_N² + σ_g²/T]`."""
        moved = p.L * p.delta(p.N)
        return p.V * (p.Q * p.A_v * p.sigma**2 + 2 * p.beta_1 * p.y_0 + moved**2 + p.sigma_g**2 / p.T)

    @symbol
    def tau(p) -> Extended:
        """`τ = (1 − 1/B)κ/C_β`; the theorem needs `τ ≤ λ`."""
        return Extended(1 - 1 / p.B) * p.kappa_exact / p.C_beta

    @signed
    def c_1(p) -> Number:
        """`λ − τ/2 − (κ_1 − τ)e_1 − (τ/2)e_1² − κA_v/(2C_βB)`; not positive where `τ > λ`."""
        bias = p.beyond_tau * p.e_1 + p.tau / 2 * p.e_1**2
        share = p.lam - plain(p.tau / 2 + bias + p.kappa_exact * p.A_noise / (2 * p.C_beta * p.B))
        return choose(p.tau <= p.lam, share, np.minimum(share, 0.0) + (p.lam - p.tau))

    @symbol
    def beyond_tau(p) -> Extended:
        """`κ_1 − τ`, or 0 where the premise `τ ≤ λ` fails."""
        return Extended(np.maximum(p.kappa_1 - p.tau, 0.0))

    @symbol
    def c_2(p) -> Extended:
        """`(κ_1 − τ)e_0 + τe_0e_1 + κB_v/(C_βB)`."""
        bias = p.beyond_tau * p.e_0 + p.tau * p.e_0 * p.e_1
        return bias + p.kappa_exact * p.B_v / (p.C_beta * p.B)

    @symbol
    def c_3(p) -> Extended:
        """`(τ/2)e_0² + κn_v/(2C_βB)`."""
        return p.tau / 2 * p.e_0**2 + p.kappa_exact * p.n_v / (2 * p.C_beta * p.B)

    @symbol
    def noise(p) -> Extended:
        """`c_3/a`."""
        return p.c_3 / p.a

    @symbol
    def s(p) -> Extended:
        """`c_2/a`."""
        return p.c_2 / p.a

    @symbol
    def spent(p) -> Extended:
        """`r = C_βΔ/K + c_3/a`."""
        return p.C_beta * (p.Delta / p.K) + p.noise
