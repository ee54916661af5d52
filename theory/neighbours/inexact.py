"""A rate along any direction that is near the meta-gradient: it falls to a floor, like 1/√K."""

from __future__ import annotations

from functools import cached_property

import numpy as np

from theory.convergence import Exact, Guarantee
from theory.extended import Extended, hypot, plain, sqrt
from theory.neighbours.more_steps import MoreSteps
from theory.symbols import symbol
from theory.validation import PremiseError


class Inexact(MoreSteps, Exact):
    """INEXACT THEOREM: `min_k ‖∇L(w_k)‖` of a run along directions `D` with `‖D − ∇L‖ ≤ φ E_i‖∇l_i‖`, resampling.

    With `β_k = 1/(C_βL_{w_k})`, `C_β ≥ 1`, it is at most the positive root of `c_2x² − (c_1 + GR)x − (c_0 + AR) = 0`;
    that tends to `φσ/(C_1 − φ)` as K grows. φ is `phi_first_order`, or another of a neighbour's. Source: own.
    """

    @symbol
    def phi(p) -> Extended:
        """`φ`, how far the direction may be from the meta-gradient; 0 where it is the meta-gradient."""
        return Extended(0.0)

    @symbol
    def theta(p) -> Extended:
        """`θ = φ/C_1`. Raises PremiseError past the cap, or where it is not below 1."""
        theta = p.phi / p.C_1
        if np.any(theta >= 1):
            raise PremiseError(
                f"phi = {np.max(plain(p.phi)):g} must be < C_1 = {np.min(plain(p.C_1)):g}",
                "the direction may point away from the meta-gradient",
            )
        return theta

    @symbol
    def R(p) -> Extended:
        """`C_βΔ/K`. Raises PremiseError where `C_β < 1`."""
        if np.any(p.C_beta < 1):
            raise PremiseError(f"C_beta = {np.min(plain(p.C_beta)):g} must be >= 1", "C_β is below 1")
        return p.C_beta * (p.Delta / p.K)

    @cached_property
    def guarantee(p) -> Guarantee:
        """What the theorem promises of the least gradient norm; errors as `theta` and `R`."""
        A, G, R, theta = p.A, p.G, p.R, p.theta
        a, b, s = 1 - 0.5 / p.C_beta, Extended(0.5) / p.C_beta, theta * p.sigma
        c_2 = (1 - theta) * Extended(a + plain(b * theta))
        c_1 = s * (Extended(a - b) + 2 * b * theta)
        c_0 = b * s**2
        half = (c_1 + G * R) / 2
        root = (half + hypot(half, sqrt(c_2 * (c_0 + A * R)))) / c_2
        return Guarantee(plain(root), plain(R), plain(A), plain(G), plain(c_2), 0.0)
