"""Reptile: move towards the end of the inner path."""

from __future__ import annotations

from theory.extended import Extended, Number
from theory.loss import Array, Loss
from theory.neighbours.fixed_points import difference
from theory.neighbours.hessian_free import HessianFree
from theory.symbols import bound, symbol
from theory.validation import integer, real


def reptile(w: Array, alpha: float | Array, N: int, inner: Loss, outer: Loss) -> Array:
    """Reptile's direction `(w − w̃_N)/(Nα)`, the mean of the N gradients along the inner path; `outer` plays no part.

    Arguments and shapes as `theory.maml.meta_gradient`. Raises ValueError where `N` is not an integer ≥ 1, or `alpha`
    is negative or not finite.

    Source: Nichol, Achiam, Schulman (2018).
    """
    integer("N", N, low=1)
    real("alpha", alpha)
    total = gradient = inner.gradient(w)
    for _ in range(N - 1):
        w = w - alpha * gradient
        gradient = inner.gradient(w)
        total = total + gradient
    return total / N


class Reptile(HessianFree):
    """Bounds on Reptile, resampling, N ≥ 1. Source: own."""

    @symbol
    def phi_reptile(p) -> Extended:
        """REPTILE DISTANCE: `‖R_i − ∇L_i‖ ≤ (q^{2N} − ā(q))‖∇l_i‖`, to first order `αL(3N + 1)/2`."""
        return difference(p.C_2, p.excess_mean)

    @symbol
    def phi_reptile_first_order(p) -> Extended:
        """REPTILE DISTANCE: `‖R_i − g_N‖ ≤ (q^N − ā(q))‖∇l_i‖`, to first order `αL(N + 1)/2`."""
        return difference(p.e(p.N), p.excess_mean)

    @bound
    def reptile_floor(p, residual: Number) -> Number:
        """REPTILE FLOOR: `‖∇L(w)‖ ≤ (q^{2N} − ā(q))σ/√(1 − (ā(q) − 1)²)` where `E_i R_i = 0`.

        Else `‖∇L(w) − E_i R_i‖` is bounded, with `gradients` for the last factor; `residual` = ‖E_i R_i‖. Raises
        PremiseError at `ā(q) ≥ 2`.
        """
        return p.phi_reptile * p.gradients(p.excess_mean, residual)

    @symbol
    def reptile_half_range(p) -> Extended:
        """`½(κ − κ')`, where on the line `∇L_i/R_i` lies in `[κ', κ]`: `κ = q^{2N}/ā(q)`, `κ' = p^{2N}/ā(p)`.

        `p = 1 − αL`. Raises PremiseError at `αL ≥ 1`.
        """
        return difference(p.q(2 * p.N) / p.mean_growth, p.shrink(2 * p.N) / p.mean_shrink) / 2

    @symbol
    def reptile_middle(p) -> Extended:
        """`½(κ + κ')`. Errors as `reptile_half_range`."""
        return (p.q(2 * p.N) / p.mean_growth + p.shrink(2 * p.N) / p.mean_shrink) / 2

    @bound
    def reptile_floor_line(p, residual: Number, gradient_norm: Number) -> Number:
        """REPTILE FLOOR for d = 1: `|∇L(w)| ≤ ½(q^{2N} − p^{2N}ā(q)/ā(p))σ` where `E_i R_i = 0`, `p = 1 − αL`.

        Else `|∇L(w) − ½(κ + κ')E_i R_i| ≤ ½(κ − κ')X`, X of `directions`. Raises PremiseError at `αL ≥ 1`.
        """
        return p.reptile_half_range * p.directions(p.mean_growth, residual, gradient_norm)
