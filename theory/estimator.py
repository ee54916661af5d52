"""Bias and second moment of the stochastic meta-gradients of Algorithms 1 and 2."""

from __future__ import annotations

from theory.extended import Extended, Number, exp, log1p, sqrt
from theory.smoothness import Smoothness
from theory.symbols import bound, symbol


class Estimator(Smoothness):
    """BIAS and SECOND MOMENT. Source: Ji, Yang, Liang (2022), lemmas on the stochastic meta-gradient."""

    @symbol
    def E_1(p) -> Extended:
        """`q^N (q^N − 1) σ_g`, the bias of Algorithm 1 where gradients vanish, times √S. Source: BIAS."""
        return p.q(p.N) * p.e(p.N) * p.sigma_g

    @symbol
    def E_2_task(p) -> Extended:
        """`(ρσ_g/L²) q^{2N−1} (q^N − 1 − NαL)`, bias per unit of task gradient and times √S; zero at N ≤ 1."""
        return p.rho * p.sigma_g * (p.alpha / p.L) * p.q(2 * p.N - 1) * p.excess_sum

    @symbol
    def E_2(p) -> Extended:
        """`(ρσ_g/L²) q^{2N−1} (q^N − 1 − NαL)/C_1`, zero at N ≤ 1. Raises PremiseError past the cap. Source: BIAS."""
        return p.E_2_task / p.C_1

    @bound
    def task_bias(p, gradient_norm: Number) -> Number:
        """BIAS of one task, for every α.

        `‖E Ĝ_i − ∇L_i‖ ≤ {q^N(q^N − 1) + (ρ/L²)q^{2N−1}(q^N − 1 − NαL)‖∇l_i(w)‖} σ_g/√S`, `gradient_norm` = ‖∇l_i(w)‖.

        Source: Ji, Yang, Liang (2022), lemma on the bias of the stochastic meta-gradient, before the average over
        tasks.
        """
        return (p.E_1 + p.E_2_task * gradient_norm) * (1 / sqrt(p.S))

    @bound
    def bias(p, meta_gradient_norm: Number) -> Number:
        """BIAS: `‖E Ĝ(w) − ∇L(w)‖ ≤ (E_1 + E_2(‖∇L(w)‖ + σ))/√S` (Algorithm 1; Algorithm 2 is unbiased).

        Raises PremiseError past the stepsize cap.

        Source: Ji, Yang, Liang (2022), lemma on the bias of the stochastic meta-gradient.
        """
        return (p.E_1 + p.E_2 * (meta_gradient_norm + p.sigma)) * (1 / sqrt(p.S))

    @symbol
    def V(p) -> Extended:
        """`(q² + α²σ_H²/D)^N`, mean-square growth of a vector through N stochastic Hessian factors.

        Source: SECOND MOMENT.
        """
        noise = (p.alpha * p.sigma_H / (1 + p.alpha * p.L)) ** 2
        return p.q(2 * p.N) * exp(p.N * log1p(noise / p.D))

    @bound
    def task_second_moment(p, gradient_norm: Number) -> Number:
        """SECOND MOMENT of one task, for every α: `E‖Ĝ_i‖² ≤ V [(q^N‖∇l_i‖ + (q^N − 1)σ_g/√S)² + σ_g²/T]`.

        `gradient_norm` = ‖∇l_i(w)‖.
        Source: Ji, Yang, Liang (2022), lemma on the second moment of the stochastic meta-gradient, per task.
        """
        inner_noise = p.e(p.N) * p.sigma_g * (1 / sqrt(p.S))
        return p.V * ((p.q(p.N) * gradient_norm + inner_noise) ** 2 + p.sigma_g**2 / p.T)

    @symbol
    def C_sq1(p) -> Extended:
        """`4 V q^{2N}/C_1²`. Raises PremiseError past the cap. Source: SECOND MOMENT, resampling."""
        return 4 * p.V * p.q(2 * p.N) / p.C_1**2

    @symbol
    def C_sq2(p) -> Extended:
        """`V [2q^{2N}(2C_2²/C_1² + 1)σ² + 2(q^N − 1)²σ_g²/S + σ_g²/T]`; errors and source as `C_sq1`."""
        gradients = 2 * p.q(2 * p.N) * (2 * (p.C_2 / p.C_1) ** 2 + 1) * p.sigma**2
        inner_noise = 2 * (p.e(p.N) * p.sigma_g) ** 2 * (1 / p.S)
        return p.V * (gradients + inner_noise + p.sigma_g**2 / p.T)

    @bound
    def second_moment(p, meta_gradient_norm: Number) -> Number:
        """SECOND MOMENT, resampling: `E‖Ĝ_i‖² ≤ C_sq1‖∇L(w)‖² + C_sq2`, over tasks and data.

        Raises PremiseError past the stepsize cap.

        Source: Ji, Yang, Liang (2022), lemma on the second moment of the stochastic meta-gradient.
        """
        return p.C_sq1 * meta_gradient_norm**2 + p.C_sq2

    @symbol
    def A_sq1(p) -> Extended:
        """`4 q^{4N}/C_1²`. Raises PremiseError past the cap. Source: SECOND MOMENT, finite-sum."""
        return 4 * p.q(4 * p.N) / p.C_1**2

    @symbol
    def A_sq2(p) -> Extended:
        """`4q^{4N}(C_2σ + m)²/C_1² + 2q^{4N}σ² + 2q^{2N}(q^N − 1)²b̃`; errors and source as `A_sq1`."""
        linked = p.A_sq1 * (p.C_2 * p.sigma + p.m) ** 2
        return linked + 2 * p.q(4 * p.N) * p.sigma**2 + 2 * (p.q(p.N) * p.e(p.N)) ** 2 * p.b_sq

    @bound
    def finite_sum_second_moment(p, meta_gradient_norm: Number) -> Number:
        """SECOND MOMENT, finite-sum: `E_i‖∇L_i(w)‖² ≤ A_sq1‖∇L(w)‖² + A_sq2`.

        Raises PremiseError past the stepsize cap.

        Source: Ji, Yang, Liang (2022), lemma on the second moment of the finite-sum meta-gradient.
        """
        return p.A_sq1 * meta_gradient_norm**2 + p.A_sq2
