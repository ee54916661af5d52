"""What smoothness of the task losses says about the inner path, and about gradients of tasks and meta objective."""

from __future__ import annotations

from theory.extended import Extended, Number, sqrt
from theory.growth import Growth
from theory.symbols import bound, symbol


class Lemmas(Growth):
    """PATH, GRADIENT GROWTH, SGD DEVIATION and LINK; they need L-smooth inner losses."""

    @bound
    def path(p, j: Number, distance: Number) -> Number:
        """PATH: `‖w̃_j(w) − w̃_j(u)‖ ≤ q^j ‖w − u‖`, `distance` = ‖w − u‖.

        Source: Ji, Yang, Liang (2022), lemma on the Lipschitz constant of the inner path.
        """
        return p.q(j) * distance

    @bound
    def gradient_growth(p, j: Number, gradient_norm: Number) -> Number:
        """GRADIENT GROWTH: `‖∇l(w̃_j)‖ ≤ q^j ‖∇l(w)‖`, `l` the inner loss, `gradient_norm` = ‖∇l(w)‖.

        Source: Ji, Yang, Liang (2022), lemma on gradients along the inner path.
        """
        return p.q(j) * gradient_norm

    @bound
    def displacement(p, j: Number, gradient_norm: Number) -> Number:
        """GRADIENT GROWTH, summed: `‖w̃_j − w‖ ≤ ((q^j − 1)/L) ‖∇l(w)‖`. Source: as `gradient_growth`."""
        return p.e(j) * (1 / p.L) * gradient_norm

    @bound
    def deviation(p, j: Number) -> Number:
        """SGD DEVIATION: `E‖w_j − w̃_j‖ ≤ (q^j − 1) σ_g/(L√S)`, same task and start, `w_j` with batches of S data.

        Source: Ji, Yang, Liang (2022), lemma on the deviation of stochastic from exact inner paths.
        """
        return p.e(j) * (p.sigma_g / p.L) * (1 / sqrt(p.S))

    @bound
    def deviation_squared(p, j: Number) -> Number:
        """SGD DEVIATION in mean square: `E‖w_j − w̃_j‖² ≤ ((q^{2j} − 1)/(q² − 1)) α²σ_g²/S`.

        An equality on the concave quadratic of curvature −L. Source: Ji, Yang, Liang (2022), as `deviation`.
        """
        # q² − 1 = αL(1 + q): one α cancels, and nothing is divided by zero at α = 0.
        q = 1 + p.alpha * p.L
        return p.e(2 * j) * (p.alpha / (p.L * (1 + q))) * p.sigma_g * p.sigma_g * (1 / p.S)

    @symbol
    def C_2(p) -> Extended:
        """`q^{2N} − 1`, how far the meta-gradient of a task can be from its gradient, relatively. Source: LINK."""
        return p.e(2 * p.N)

    @symbol
    def C_1(p) -> Extended:
        """`2 − q^{2N} = 1 − C_2`. Raises PremiseError past the stepsize cap, where it is not positive. Source: LINK."""
        p.require_cap()
        return Extended(1 - p.C_2)

    @symbol
    def m(p) -> Extended:
        """`q^N (q^N − 1) b`, what train/test mismatch adds to LINK; zero in the resampling case. Source: LINK."""
        return p.q(p.N) * p.e(p.N) * p.b

    @bound
    def link(p, meta_gradient_norm: Number) -> Number:
        """LINK: `‖∇l_T(w)‖ ≤ (‖∇L(w)‖ + C_2σ + m)/C_1`, `l_T` the mean of the test losses (resampling: m = 0).

        Raises PremiseError past the stepsize cap. Source: Ji, Yang, Liang (2022), lemma that links ∇l to ∇L.
        """
        return (meta_gradient_norm + p.C_2 * p.sigma + p.m) / p.C_1

    @bound
    def link_tasks(p, meta_gradient_norm: Number) -> Number:
        """LINK over tasks: `E_i‖∇l_{T_i}(w)‖ ≤ (‖∇L(w)‖ + σ + m)/C_1`. Errors and source as `link`."""
        return (meta_gradient_norm + p.sigma + p.m) / p.C_1
