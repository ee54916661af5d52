"""The meta stepsize `β = 1/(C_β L̂)`, and the moments of `1/L̂`, where L̂ rests on a sampled mean of gradient norms."""

from __future__ import annotations

from theory.estimator import Estimator
from theory.extended import Extended, Number, ceil, maximum, sqrt
from theory.symbols import bound, symbol


class MetaStepsize(Estimator):
    """META STEPSIZE MOMENTS.

    Source: Ji, Yang, Liang (2022), lemma on the moments of the meta stepsize (there under its batch conditions).
    """

    @bound
    def beta(p, L_hat: Number) -> Number:
        """`β = 1/(C_β L̂)`, `L_hat` = L̂ > 0. Source: Ji, Yang, Liang (2022), all theorems."""
        return 1 / (p.C_beta * L_hat)

    @symbol
    def slope(p) -> Extended:
        """`C_L/a`, how fast `L̂/a` rises with the gradients (per unit of gradient). Source: own shorthand."""
        return p.C_L / p.a

    @symbol
    def lam(p) -> Extended:
        """`λ = 1/(1 + C_Lσ_g/(a√D_L))`, so that `E[1/L̂] ≥ λ/L_w`; 1 in the finite-sum case (Jensen)."""
        return 1 / (1 + p.slope * p.sigma_g * (1 / sqrt(p.D_L)))

    @symbol
    def v(p) -> Extended:
        """`(σ² + σ_g²/D_L)/B'`, a bound on the variance of the sampled mean norm. Source: as `kappa`."""
        return (p.sigma**2 + p.sigma_g**2 / p.D_L) / p.B_prime

    @symbol
    def kappa(p) -> Extended:
        """`κ = max(2, 1 + 2C_L²(σ² + σ_g²/D_L)/(B'a²))`, so that `E[1/L̂²] ≤ κ/L_w²`; both cases."""
        return maximum(2, 1 + 2 * (p.slope**2 * p.v))

    @bound
    def inverse_moment(p, L_w: Number) -> Number:
        """META STEPSIZE MOMENTS, a lower bound: `E[1/L̂] ≥ λ/L_w`, `L_w` = exact smoothness > 0."""
        return p.lam / L_w

    @bound
    def inverse_square_moment(p, L_w: Number) -> Number:
        """META STEPSIZE MOMENTS, an upper bound: `E[1/L̂²] ≤ κ/L_w²`, `L_w` = exact smoothness > 0."""
        return p.kappa / L_w**2

    @symbol
    def least_B_prime(p) -> Extended:
        """Least integer `B' ≥ max(1, 4C_L²σ²/(3a²))`, the paper's batch condition (resampling): then `κ ≤ 2.54`.

        It reads neither B' nor D_L; infinite where C_L or σ is. Source: Ji, Yang, Liang (2022), resampling theorem.
        """
        return maximum(1, ceil(4 / 3 * (p.slope * p.sigma) ** 2))

    @symbol
    def least_D_L(p) -> Extended:
        """Least integer `D_L ≥ max(1, 64C_L²σ_g²/a²)`, the paper's batch condition (resampling): then `λ ≥ 8/9`.

        It reads neither B' nor D_L; infinite where C_L or σ_g is. Source: as `least_B_prime`.
        """
        return maximum(1, ceil(64 * (p.slope * p.sigma_g) ** 2))
