"""Almost-sure ranges of what is averaged over sampled inner paths, where the noise is bounded."""

from __future__ import annotations

import math
from dataclasses import dataclass

from problems.problem import Problem
from theory.constants import Constants
from verify.verdict import Values


@dataclass(frozen=True)
class AlmostSure:
    """Ranges of one inner path's random quantities, valid for every realisation of bounded noise.

    They come from the recursions of the lemmas along a single path: a noise of at most `gradient_sup` shifts a step by
    at most `α · gradient_sup`, and a step spreads two points by at most `q = 1 + αL`. Infinite for unbounded noise.

    Attributes
    ----------
    c, alpha, N : constants, inner stepsize and inner steps.
    gradient_sup, hessian_sup : almost-sure bounds of the noise of one datum, hence of any batch of data.
    """

    c: Constants
    alpha: float
    N: int
    gradient_sup: float
    hessian_sup: float

    @classmethod
    def of(cls, problem: Problem, alpha: float, N: int) -> AlmostSure:
        """Ranges for a problem; without noise they are those of a single path."""
        return cls(problem.constants, alpha, N, problem.noise.gradient_sup, problem.noise.hessian_sup)

    @property
    def q(self) -> float:
        """Growth per step, `1 + αL`."""
        return 1 + self.alpha * self.c.L

    def deviations(self) -> list[float]:
        """Bounds of `‖w_j − w̃_j‖`, j = 0..N: `e_{j+1} = q e_j + α gradient_sup`, so `(q^j − 1) gradient_sup / L`."""
        bounds = [0.0]
        for _ in range(self.N):
            bounds.append(self.q * bounds[-1] + self.alpha * self.gradient_sup)
        return bounds

    def estimator(self, last_gradient_norm: Values) -> Values:
        """Bound of `‖Ĝ_i‖`, given `‖∇l_i(w̃_N)‖`: N factors of at most `q + α hessian_sup`, one noisy gradient."""
        factors = (self.q + self.alpha * self.hessian_sup) ** self.N
        return factors * (last_gradient_norm + self.c.L * self.deviations()[-1] + self.gradient_sup)

    def conditional_second_moment(self, last_gradient_norm: Values, D: int, T: int) -> Values:
        """Bound of `E[‖Ĝ_i‖² | path]`, given `‖∇l_i(w̃_N)‖`.

        Noise is centred, so its squares add; in mean they are at most `σ_H²/D` and `σ_g²/T` by assumption.
        """
        factors = (self.q**2 + (self.alpha * self.c.sigma_H) ** 2 / D) ** self.N
        return factors * ((last_gradient_norm + self.c.L * self.deviations()[-1]) ** 2 + self.c.sigma_g**2 / T)

    def controlled_bias(self, last_gradient_norm: Values) -> Values:
        """Bound of `A(path)∇l_i(w_N) − ∇L_i − A∇²l_i(w̃_N) d_N`, given `‖∇l_i(w̃_N)‖`; `d` as in `linear_deviation`.

        Two Hessians differ by at most `ρ e_j`, and by at most `2L`, the other N − 1 factors of A are at most q each,
        and `‖d_j‖ ≤ e_j`. A gradient is off its linearisation by at most `ρe²/2`, and by at most `2Le`,
        hence `e_j − d_j` by at most `f_j` of `f_{j+1} = q f_j + αρ e_j²/2`.
        """
        e, q, L, rho = self.deviations(), self.q, self.c.L, self.c.rho
        turned = [min(rho * e_j, 2 * L) if e_j > 0 else 0.0 for e_j in e]
        bent = [min(rho * e_j**2 / 2, 2 * L * e_j) if e_j > 0 else 0.0 for e_j in e]
        f = 0.0
        for bend in bent[:-1]:
            f = q * f + self.alpha * bend
        product = q ** max(self.N - 1, 0) * self.alpha * sum(turned[:-1])
        return product * (last_gradient_norm + L * e[-1]) + q**self.N * min(bent[-1] + L * f, 2 * L * e[-1])

    @property
    def bounded(self) -> bool:
        """Whether Monte Carlo has anything to rest on."""
        return math.isfinite(self.gradient_sup) and math.isfinite(self.hessian_sup)
