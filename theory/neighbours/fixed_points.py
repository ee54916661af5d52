"""What holds near a fixed point of a method whose directions are products of inner steps, applied to task gradients."""

from __future__ import annotations

import numpy as np

from theory.constants import Real
from theory.extended import Extended, Number, choose, hypot, plain, sqrt
from theory.sharper import Sharper
from theory.symbols import bound, power, symbol
from theory.validation import PremiseError, integer


class FixedPoints(Sharper):
    """Symbols of the neighbours' floors. Source: own.

    A direction `G_i` of a method leaves the residual `‖E_i G_i(w)‖`; a fixed point is where it vanishes. What is said
    of fixed points holds everywhere, with a term for the residual: so it can be examined without finding one.
    """

    @power
    def shrink(p, j: Number) -> Extended:
        """`(1 − αL)^j`, the least that j steps can leave of a gradient on the line. Raises PremiseError at `αL ≥ 1`."""
        integer("j", plain(j), low=0)
        small = plain(p.alpha * p.L)
        if np.any(np.greater_equal(small, 1)):
            raise PremiseError(f"alpha*L = {np.max(small):g} is not allowed: it must be < 1", "αL is not below 1")
        return Extended(np.exp(plain(j) * np.log1p(-small)))

    @symbol
    def excess_mean(p) -> Extended:
        """`ā(q) − 1 = (1/N) Σ_{j<N} (q^j − 1)`, 0 at N = 0."""
        return p.excess_sum / choose(p.N > 0, p.N, 1.0)

    @symbol
    def mean_growth(p) -> Extended:
        """`ā(q) = (1/N) Σ_{j<N} q^j`, 1 at N = 0."""
        return 1 + p.excess_mean

    @symbol
    def mean_shrink(p) -> Extended:
        """`ā(p) = (1/N) Σ_{j<N} p^j`, `p = 1 − αL`; 1 at N = 0. Raises PremiseError at `αL ≥ 1`."""
        lost = 1 - p.shrink(p.N)
        steps = plain(p.N * (p.alpha * p.L))
        return Extended(choose(np.greater(steps, 0), lost / np.where(np.greater(steps, 0), steps, 1.0), 1.0))

    @symbol
    def s_N(p) -> Extended:
        """`q^N − 1 − NαL`, what N steps do beyond first order."""
        return p.alpha * p.L * p.excess_sum

    @symbol
    def r_N(p) -> Extended:
        """`r_N = min_c max_φ |(1 + αLe^{iφ})^N − c|`: a product of N factors is within `r_N` of a multiple of I.

        For `NαL ≤ 1` it is `max_φ Im (1 + αLe^{iφ})^N`. Raises PremiseError at `NαL > 1`. Source: own, DISC.
        """
        return Extended(p.top.imag)

    @symbol
    def c_N(p) -> Extended:
        """The `c` of `r_N`: the real part of `(1 + αLe^{iφ})^N` where its imaginary part is largest."""
        return Extended(p.top.real)

    @property
    def top(p) -> np.complex128:
        """The highest point of the curve `(1 + αLe^{iφ})^N`. Raises PremiseError at `NαL > 1`."""
        if np.any(p.N * (p.alpha * p.L) > 1):
            raise PremiseError(f"N*alpha*L = {np.max(p.N * p.alpha * p.L):g} must be <= 1", "NαL is above 1")
        return highest_point(plain(p.alpha * p.L), plain(p.N))

    @symbol
    def psi(p) -> Extended:
        """`ψ = max_s s·min(L, √(2ρ(σ − s)))`: how much Hessians and gradients of the tasks can vary together.

        `(2/3)^{3/2} σ√(ρσ)` if `ρσ ≤ (3/2)L²`, else `L(σ − L²/(2ρ))`. Source: own, HESSIAN SPREAD.
        """
        smooth = (2 / 3) ** 1.5 * p.sigma * sqrt(p.rho * p.sigma)
        steep = p.L * Extended(np.maximum(p.sigma - p.L**2 / (2 * p.rho), 0.0))
        return Extended(choose(p.rho * p.sigma <= 1.5 * p.L**2, smooth, steep))

    @bound
    def directions(p, growth: Number, residual: Number, gradient_norm: Number) -> Number:
        """FIXED POINT (a): `√E‖G_i‖² ≤ X`, the root of `X² = growth (σX + ‖∇l‖ ‖E G_i‖)`; `growth σ` at a fixed point.

        It needs `⟨∇l_i, G_i⟩ ≥ ‖G_i‖²/growth` for every task (COCOERCIVE). Source: own.
        """
        half = growth * p.sigma / 2
        return half + hypot(half, sqrt(growth * residual * gradient_norm))

    @bound
    def gradients(p, distance: Number, residual: Number) -> Number:
        """FIXED POINT (b): `√E‖∇l_i‖² ≤ σ/√(1 − x²)` at a fixed point, for directions within `x‖∇l_i‖` of `∇l_i`.

        With a residual γ: `√(y² + σ²)`, where `y = (γ + x√(γ² + (1 − x²)σ²))/(1 − x²)` bounds ‖∇l‖. `distance` is x.
        Raises PremiseError at `x ≥ 1`. Source: own.
        """
        return hypot(p.mean_gradient(distance, residual), p.sigma)

    @bound
    def mean_gradient(p, distance: Number, residual: Number) -> Number:
        """FIXED POINT (b): `‖∇l‖ ≤ y`, as `gradients` has it; `xσ/√(1 − x²)` at a fixed point. Source: own."""
        room = 1 - Extended(distance) ** 2
        if not np.all(np.greater(room, 0)):
            raise PremiseError(
                f"the direction may be {np.max(plain(distance)):g} times ‖∇l_i‖ away from ∇l_i: it must be less than 1",
                "the direction may be as far from ∇l_i as ∇l_i is long",
            )
        left = Extended(room)
        return (residual + distance * hypot(residual, sqrt(left) * p.sigma)) / left


def difference(x: Number, y: Number) -> Extended:
    """`x − y` of numbers with `x ≥ y` (up to rounding): ∞ where x is."""
    x, y = plain(x), plain(y)
    return Extended(np.maximum(np.where(np.isinf(x), np.inf, x - np.where(np.isinf(x), 0.0, y)), 0.0))


def highest_point(r: Real, n: Real) -> np.complex128:
    """The point of `(1 + re^{iφ})^n`, `nr ≤ 1`, with the largest imaginary part. Source: own."""
    r, n = np.broadcast_arrays(r, n)
    low, high = np.zeros(r.shape), np.full(r.shape, np.pi)
    # The derivative of the imaginary part in φ is n r |z|^{n−1} cos(φ + (n − 1) arg z), and that angle increases.
    for _ in range(60):
        phi = (low + high) / 2
        past = phi + (n - 1) * np.arctan2(r * np.sin(phi), 1 + r * np.cos(phi)) >= np.pi / 2
        low, high = np.where(past, low, phi), np.where(past, phi, high)
    return np.power(1 + r * np.exp(1j * low), n)[()]
