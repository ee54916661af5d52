"""iMAML: a regularised minimum in place of the inner path; how far it goes does not depend on a number of steps."""

from __future__ import annotations

import math

import numpy as np

from theory.extended import Extended, Number, plain
from theory.loss import Array, Loss
from theory.neighbours.more_steps import MoreSteps
from theory.symbols import bound, symbol
from theory.validation import PremiseError, integer, real


def imaml(w: Array, alpha: float | Array, N: int, inner: Loss, outer: Loss, *, solves: int | None = None) -> Array:
    """Direction of iMAML: `J ∇outer_i(φ)`, `φ = argmin inner_i(φ) + (λ/2)‖φ − w‖²`, `J = (I + ∇²inner_i(φ)/λ)^{−1}`.

    Arguments, shapes and errors as `theory.maml.meta_gradient`, except that `alpha` is `1/λ`, and `N` the steps `φ ← w
    − α∇inner_i(φ)` from w that stand for the minimum. `solves` steps `x ← ∇outer_i(φ) − α∇²inner_i(φ)x` stand for J; N
    where it is None. One step and no solve is first-order MAML with N = 1.

    Source: Rajeswaran, Finn, Kakade, Levine (2019).
    """
    integer("N", N, low=0)
    real("alpha", alpha)
    phi = w
    for _ in range(N):
        phi = w - alpha * inner.gradient(phi)
    gradient = v = outer.gradient(phi)
    for _ in range(N if solves is None else solves):
        v = gradient - alpha * inner.hvp(phi, v)
    return v


class IMAML(MoreSteps):
    """Bounds on iMAML with `h = αL = L/λ < 1`: `Q = 1/(1 − h)` stands where MAML has `q^N`. Source: own.

    PROX DICTIONARY. All raise PremiseError at `h ≥ 1`.
    """

    @symbol
    def Q_prox(p) -> Extended:
        """`Q = 1/(1 − αL)`, how much the regularised minimum can stretch."""
        left = 1 - p.alpha * p.L
        if not np.all(np.greater(left, 0)):
            raise PremiseError(f"alpha*L = {np.max(plain(p.alpha * p.L)):g} must be < 1", "λ is not above L")
        return 1 / Extended(left)

    @symbol
    def e_prox(p) -> Extended:
        """`Q − 1 = hQ`."""
        return p.alpha * p.L * p.Q_prox

    @symbol
    def C_2_prox(p) -> Extended:
        """`Q² − 1`, how far iMAML's meta-gradient can be from the gradient of a task, relatively."""
        return p.e_prox * (p.Q_prox + 1)

    @symbol
    def C_1_prox(p) -> Extended:
        """`2 − Q²`. Raises PremiseError past `imaml_cap`."""
        left = 1 - p.C_2_prox
        if not np.all(np.greater(left, 0)):
            raise PremiseError("alpha must be below iMAML's cap", "λ is not above (2 + √2)L")
        return Extended(left)

    @symbol
    def imaml_cap(p) -> Extended:
        """`(1 − 1/√2)/L`: `Q² < 2`, that is `λ > (2 + √2)L`, for any number of inner steps."""
        return Extended(1 - math.sqrt(0.5)) / p.L

    @bound
    def link_prox(p, meta_gradient_norm: Number) -> Number:
        """LINK of iMAML: `‖∇l_T(w)‖ ≤ (‖∇L(w)‖ + C_2σ + m)/C_1`, `C_1 = 2 − Q²`, `C_2 = Q² − 1`, `m = Q(Q − 1)b`."""
        return (meta_gradient_norm + p.C_2_prox * p.sigma + p.Q_prox * p.e_prox * p.b) / p.C_1_prox

    @symbol
    def C_L_prox(p) -> Extended:
        """`(ρ/L) Q³(Q − 1)`."""
        return p.rho / p.L * p.Q_prox**3 * p.e_prox

    @symbol
    def C_b_prox(p) -> Extended:
        """`(ρ/L) Q²(Q − 1)²`."""
        return p.rho / p.L * p.Q_prox**2 * p.e_prox**2

    @bound
    def L_w_prox(p, mean_gradient_norm: Number) -> Number:
        """SMOOTHNESS of iMAML: `‖∇L(w) − ∇L(u)‖ ≤ (Q²L + C_b b + C_L E_i‖∇l_{T_i}(w)‖)‖w − u‖`."""
        return p.Q_prox**2 * p.L + p.C_b_prox * p.b + p.C_L_prox * mean_gradient_norm

    @bound
    def solve_error(p, gradient_norm: Number) -> Number:
        """PROX SOLVE: after N steps for φ, `‖J(φ_N)∇l(φ_N) − ∇L_i‖ ≤ h^N {Q(Q − 1)‖g‖ + (ρ/L²)Q²(Q − 1)²‖g‖²}`.

        `gradient_norm` = ‖g‖ = ‖∇l_i(w)‖; resampling.
        """
        left = p.Q_prox * p.e_prox * gradient_norm
        return p.alpha_L_to_the(p.N) * (left + p.rho / p.L**2 * left**2)

    @bound
    def linear_solve_error(p, last_gradient_norm: Number) -> Number:
        """PROX SOLVE: N steps for J more err by `h^{N+1} Q ‖∇l_T(φ)‖` at most."""
        return p.alpha_L_to_the(p.N + 1) * p.Q_prox * last_gradient_norm

    def alpha_L_to_the(p, n: Number) -> Extended:
        """`(αL)^n`."""
        with np.errstate(over="ignore"):
            return Extended(np.power(plain(p.alpha * p.L), plain(n)))
