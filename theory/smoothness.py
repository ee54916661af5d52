"""Smoothness of the meta objective: `‖∇L(w) − ∇L(u)‖ ≤ L_w ‖w − u‖`, with `L_w = a + C_L E_i‖∇l_{T_i}(w)‖`."""

from __future__ import annotations

from theory.extended import Extended, Number
from theory.lemmas import Lemmas
from theory.symbols import bound, symbol


class Smoothness(Lemmas):
    """SMOOTHNESS, both cases; it needs ρ-Lipschitz Hessians of the inner losses, and no stepsize cap."""

    @symbol
    def C_L(p) -> Extended:
        """`(ρ/L) q^{2N−1} (q^N − 1)`, how the smoothness of the meta objective grows with the task gradients.

        Source: Ji, Yang, Liang (2022), smoothness of the meta objective (there written
        `[q^{N−1}αρ + (ρ/L) q^N (q^{N−1} − 1)] q^N`).
        """
        return p.rho / p.L * p.q(2 * p.N - 1) * p.e(p.N)

    @symbol
    def C_b(p) -> Extended:
        """`(ρ/L) q^{N−1} (q^N − 1)²`, how it grows with the train/test mismatch. Source: as `C_L`."""
        return p.rho / p.L * p.q(p.N - 1) * p.e(p.N) * p.e(p.N)

    @symbol
    def a(p) -> Extended:
        """`q^{2N}L + C_b b`, the smoothness where all test gradients vanish; `q^{2N}L` in the resampling case.

        Source: Ji, Yang, Liang (2022), smoothness of the meta objective, both cases.
        """
        return p.q(2 * p.N) * p.L + p.C_b * p.b

    @bound
    def L_w(p, mean_gradient_norm: Number) -> Number:
        """SMOOTHNESS: `L_w = a + C_L E_i‖∇l_{T_i}(w)‖` at every α ≥ 0; `mean_gradient_norm` = E_i‖∇l_{T_i}(w)‖.

        At a sampled mean norm this is the estimate `L̂_k` that sets the meta stepsize.

        Source: Ji, Yang, Liang (2022), smoothness of the meta objective, both cases.

        >>> from theory.constants import Constants, Schedule
        >>> c = Constants(L=2.0, rho=1.0, sigma=0.5, sigma_g=0.0, sigma_H=0.0, b=0.0, b_sq=0.0)
        >>> Smoothness(c, Schedule(N=1, alpha=0.5)).L_w(3.0)  # 4·2 + ½·2·1·3
        11.0
        """
        return p.a + p.C_L * mean_gradient_norm

    @bound
    def task_smoothness(p, outer_norm: Number, inner_norm: Number) -> Number:
        """SMOOTHNESS of one task, sharp: `q^{2N}L + (ρ/L) q^{N−1}(q^N − 1)(‖∇l_{T_i}‖ + (q^N − 1)‖∇l_{S_i}‖)`.

        `outer_norm` and `inner_norm` are the norms of the test and training gradients at `w`.
        Source: Ji, Yang, Liang (2022), proof of the finite-sum smoothness, before `b_i` enters.
        """
        slope = p.rho / p.L * p.q(p.N - 1) * p.e(p.N)
        return p.q(2 * p.N) * p.L + slope * (outer_norm + p.e(p.N) * inner_norm)
