"""More inner steps at test time than in training."""

from __future__ import annotations

from theory.extended import Number
from theory.neighbours.fixed_points import difference
from theory.neighbours.reptile import Reptile
from theory.symbols import bound


class MoreSteps(Reptile):
    """Meta-trained with N inner steps, deployed with N + m. Source: own."""

    @bound
    def more_steps_distance(p, more: Number, gradient_norm: Number) -> Number:
        """TEST STEPS: `‖∇L_i^{(N+m)}(w) − ∇L_i^{(N)}(w)‖ ≤ (q^{2(N+m)} − q^{2N})‖∇l_i(w)‖`, `more` = m ≥ 0."""
        return p.q(2 * p.N) * p.e(2 * more) * gradient_norm

    @bound
    def more_steps_floor(p, more: Number, residual: Number) -> Number:
        """TEST STEPS: `‖∇L^{(N+m)}(w)‖ ≤ (q^{2(N+m)} − q^{2N})σ/√(1 − (q^{2N} − 1)²)` where `∇L^{(N)}(w) = 0`.

        Else `‖∇L^{(N+m)}(w) − ∇L^{(N)}(w)‖` is bounded, with `gradients` for the last factor; `residual` =
        ‖∇L^{(N)}(w)‖. Raises PremiseError at `q^{2N} ≥ 2`.
        """
        return p.q(2 * p.N) * p.e(2 * more) * p.gradients(p.C_2, residual)

    @bound
    def more_steps_middle(p, more: Number) -> Number:
        """`½(q^{2m} + (1 − αL)^{2m})`, the middle of what m further steps can make of a meta-gradient on the line."""
        return (p.q(2 * more) + p.shrink(2 * more)) / 2

    @bound
    def more_steps_floor_line(p, more: Number, residual: Number, gradient_norm: Number) -> Number:
        """TEST STEPS for d = 1: `|∇L^{(N+m)}(w)| ≤ ½(q^{2m} − (1 − αL)^{2m})q^{2N}σ` where `∇L^{(N)}(w) = 0`.

        Else `|∇L^{(N+m)}(w) − c ∇L^{(N)}(w)| ≤ ½(q^{2m} − (1 − αL)^{2m})X`, `c` of `more_steps_middle`, X of
        `directions`. Raises PremiseError at `αL ≥ 1`.
        """
        half = difference(p.q(2 * more), p.shrink(2 * more)) / 2
        return half * p.directions(p.q(2 * p.N), residual, gradient_norm)

    @bound
    def missed_descent(p, inner_norm: Number, mismatch: Number) -> Number:
        """ADAPTS: a step lowers the test loss by `α‖∇l_S‖²` at `w̃_N`, less `(α²L/2)‖∇l_S‖² + αb_i‖∇l_S‖` at most.

        `inner_norm` = ‖∇l_S(w̃_N)‖, `mismatch` = b_i, 0 in the resampling case. For every α.
        """
        return p.alpha * inner_norm * (p.alpha * p.L / 2 * inner_norm + mismatch)
