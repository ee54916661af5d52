"""ANIL: the inner loop adapts the head only."""

from __future__ import annotations

import numpy as np

from theory.extended import Extended, Number, hypot, plain
from theory.loss import Array, Loss
from theory.maml import adapt
from theory.neighbours.imaml import IMAML
from theory.symbols import bound
from theory.validation import PremiseError


def anil(w: Array, alpha: float | Array, N: int, inner: Loss, outer: Loss, *, head: Array) -> Array:
    """Direction of ANIL: `(I − αH_0Π)⋯(I − αH_{N−1}Π) g_N`, the path descending along the coordinates of the head only.

    Arguments, shapes and errors as `theory.maml.meta_gradient`; `head` (d,) is 1 on the coordinates of the head and 0
    elsewhere, the projection Π.

    Source: Raghu, Raghu, Bengio, Vinyals (2020).
    """
    steps = alpha * head
    path = adapt(w, steps, [inner] * N)
    v = outer.gradient(path[-1])
    for point in reversed(path[:-1]):
        v = v - inner.hvp(point, steps * v)
    return v


class ANIL(IMAML):
    """Bounds on ANIL whose losses are μ-strongly convex in the head, `α ≤ 1/L`: none grows with N. Source: own."""

    @bound
    def anil_stretch(p, mu_head: Number, steps: Number) -> Number:
        """`Q_n ≤ L/μ`: how far a product of n factors `I − αHΠ` can stretch a vector; `steps` is n.

        The norm of the matrix with rows `(1, x_n)`, `(0, y_n)`, `y_n = (1 − αμ)^n`, `x_n = √(L²/μ² − 1)(1 − y_n)`.
        Raises PremiseError where `α > 1/L`, or μ is not in (0, L].
        """
        mu, small = plain(mu_head), plain(p.alpha * mu_head)
        if np.any(p.alpha * p.L > 1) or not np.all((mu > 0) & (mu <= plain(p.L))):
            raise PremiseError("ANIL with a convex head needs alpha*L <= 1 and 0 < mu <= L", "α is above 1/L")
        y = np.power(1 - small, plain(steps))
        x = np.sqrt((plain(p.L) / mu) ** 2 - 1) * (1 - y)
        return (hypot(1 + y, x) + hypot(1 - y, x)) / 2

    @bound
    def anil_smoothness(p, mu_head: Number, mean_gradient_norm: Number) -> Number:
        """ANIL, CONVEX HEAD, resampling: `‖∇L(w) − ∇L(u)‖ ≤ [Q_{2N}L + (ρχ/μ)(2 + χ)E‖∇l_i(w)‖]‖w − u‖`, `χ = L/μ`."""
        chi = p.L / mu_head
        slope = p.rho * chi / mu_head * (2 + chi)
        return Extended(p.anil_stretch(mu_head, 2 * p.N)) * p.L + slope * mean_gradient_norm
