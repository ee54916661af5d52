"""First-order MAML: no Hessians. It converges, but to points where the meta-gradient need not vanish."""

from __future__ import annotations

import math

from theory.extended import Extended, Number, choose, expm1, log1p
from theory.loss import Array, Loss
from theory.maml import adapt
from theory.neighbours.fixed_points import FixedPoints, difference
from theory.symbols import bound, symbol


def first_order(w: Array, alpha: float | Array, N: int, inner: Loss, outer: Loss) -> Array:
    """First-order direction `g_N = ∇outer_i(w̃_N)`: the last gradient, not pulled back through the path.

    Arguments, shapes and errors as `theory.maml.meta_gradient`.

    Source: Finn, Abbeel, Levine (2017).
    """
    return outer.gradient(adapt(w, alpha, [inner] * N)[-1])


class FirstOrder(FixedPoints):
    """Bounds on first-order MAML. Source: own."""

    @bound
    def first_order_distance(p, last_gradient_norm: Number) -> Number:
        """FO BIAS: `‖g_N − ∇L_i‖ ≤ (q^N − 1)‖g_N‖`, for every α; `last_gradient_norm` = ‖g_N‖."""
        return p.e(p.N) * last_gradient_norm

    @symbol
    def phi_first_order(p) -> Extended:
        """`q^N(q^N − 1)`: resampling, `‖g_N − ∇L_i‖ ≤ q^N(q^N − 1)‖∇l_i‖`. Source: FO BIAS."""
        return p.q(p.N) * p.e(p.N)

    @bound
    def first_order_bias(p) -> Number:
        """FO DATA: `‖E ĝ_i − g_N‖ ≤ Lδ_N`, `ĝ_i` Algorithm 1's without Hessians."""
        return p.L * p.delta(p.N)

    @bound
    def first_order_second_moment(p, gradient_norm: Number) -> Number:
        """FO DATA: `E‖ĝ_i‖² ≤ (q^N‖∇l_i(w)‖ + Lδ_N)² + σ_g²/T`, `gradient_norm` = ‖∇l_i(w)‖."""
        return (p.q(p.N) * gradient_norm + p.L * p.delta(p.N)) ** 2 + p.sigma_g**2 / p.T

    @bound
    def first_order_floor(p, residual: Number, gradient_norm: Number) -> Number:
        """FO FLOOR: `‖∇L(w)‖ ≤ r_N q^N σ` where `E_i g_N = 0`; else `‖∇L(w) − c_N E_i g_N‖ ≤ r_N X`, X of `directions`.

        `residual` = ‖E_i g_N‖, `gradient_norm` = ‖∇l(w)‖. Raises PremiseError at `NαL > 1`.
        """
        return p.r_N * p.directions(p.q(p.N), residual, gradient_norm)

    @symbol
    def half_range(p) -> Extended:
        """`½(q^N − (1 − αL)^N)`, what stands for `r_N` on the line. Raises PremiseError at `αL ≥ 1`."""
        return difference(p.q(p.N), p.shrink(p.N)) / 2

    @symbol
    def middle(p) -> Extended:
        """`½(q^N + (1 − αL)^N)`, what stands for `c_N` on the line. Raises PremiseError at `αL ≥ 1`."""
        return (p.q(p.N) + p.shrink(p.N)) / 2

    @bound
    def first_order_floor_line(p, residual: Number, gradient_norm: Number) -> Number:
        """FO FLOOR for d = 1: `|∇L(w)| ≤ ½q^N(q^N − (1 − αL)^N)σ` where `E_i g_N = 0`.

        Else as `first_order_floor`, with `half_range` and `middle`. Raises PremiseError at `αL ≥ 1`.
        """
        return p.half_range * p.directions(p.q(p.N), residual, gradient_norm)

    @bound
    def first_order_floor_smooth(p, residual: Number) -> Number:
        """FO FLOOR, smooth tasks: `αNψ + [NαLr + q^Nr − NαL]kσ + (ρ/L²)s_N k²σ²` where `E_i g_N = 0`.

        `r = q^N − 1 < 1`, else PremiseError; `k² = 1/(1 − r²)`. With a residual, `kσ` and `rkσ` are `gradients` and
        `mean_gradient` there, and `‖∇L(w) − E_i g_N‖` is bounded.
        """
        gradients, mean = p.gradients(p.e(p.N), residual), p.mean_gradient(p.e(p.N), residual)
        first = p.alpha * p.N * (p.psi + p.L * mean)
        higher = (p.s_N + p.e(p.N) ** 2) * gradients  # q^N r − NαL = r² + s_N
        return first + higher + p.rho / p.L**2 * p.s_N * Extended(gradients) ** 2

    @symbol
    def first_order_cap(p) -> Extended:
        """FO CAP: `(2^{1/N} − 1)/L`, where first-order MAML with β = 1/L loses opposed curvature. Infinite at N = 0."""
        return expm1(Extended(math.log(2)) / p.N) / p.L

    @bound
    def half_step_distance(p, gradient_norm: Number) -> Number:
        """HALF STEP: `‖g_N^{(α)} − ∇L_i^{(α/2)}‖`, of order α², where the distance to `∇L_i^{(α)}` is of order α.

        At most `(q'^{2N} − q^N)‖∇l_i‖ + (ρ/L²)[q^{N−1}(s_N + αLr/2) + q'^{2N−1}(2s' + αLr'/4)]‖∇l_i‖²`, where
        `q' = 1 + αL/2`, `r = q^N − 1`, `r' = q'^N − 1`, `s' = r' − NαL/2`; `gradient_norm` = ‖∇l_i(w)‖.
        """
        half = type(p)(p.constants, p.schedule, **{**p.changes, "alpha": 0.5 * p.alpha.value})
        small = p.alpha * p.L
        # q'^{2N} − q^N = q^N((1 + (αL)²/(4q))^N − 1) does not cancel.
        quadratic = p.q(p.N) * expm1(p.N * log1p(small**2 / (4 * p.q(1))))
        whole = choose(p.N > 0, p.q(p.N - 1) * (p.s_N + small * p.e(p.N) / 2), 0.0)
        halved = choose(p.N > 0, half.q(2 * p.N - 1) * (2 * half.s_N + small * half.e(p.N) / 4), 0.0)
        return quadratic * gradient_norm + p.rho / p.L**2 * (whole + halved) * gradient_norm**2
