"""Sampled inner paths, and almost-sure ranges of what is averaged over them where the noise is bounded."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from problems.problem import Problem
from theory.constants import Constants
from theory.loss import Array
from theory.maml import adapt, pull_back
from verify.evidence.enumeration import Values


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


def sample_paths(
    problem: Problem, w: Array, alpha: float, N: int, S: int, count: int, rng: np.random.Generator
) -> list[Array]:
    """`count` independent inner paths for every task from each of `w` (P, d): N + 1 arrays (count, P, tasks, d)."""
    chosen = _all_tasks(problem, count, len(w))
    start = np.broadcast_to(w[:, None], (*chosen.shape, problem.dim))
    return adapt(start, alpha, [problem.minibatch(chosen, S, rng) for _ in range(N)])


def sample_estimator(
    problem: Problem, paths: list[Array], alpha: float, D: int, T: int, rng: np.random.Generator
) -> Array:
    """Fresh Hessian batches of `D` and outer batches of `T` data on sampled paths: `Ĝ_i` (count, P, tasks, d)."""
    chosen = _all_tasks(problem, *paths[0].shape[:2])
    v = problem.minibatch(chosen, T, rng).gradient(paths[-1])
    return pull_back(v, paths, alpha, [problem.minibatch(chosen, D, rng) for _ in paths[:-1]])


def linear_deviation(problem: Problem, paths: list[Array], exact: list[Array], alpha: float) -> Array:
    """`d_N` of `d_{j+1} = (I − α∇²l_i(w̃_j)) d_j + noise_j`, the deviation to first order; its mean is exactly zero.

    `noise_j = w_{j+1} − (w_j − α∇l_i(w_j))` is centred given the path up to j. `paths` and `exact` are N + 1 points.
    """
    d = np.zeros_like(paths[0])
    for w, w_next, w_exact in zip(paths[:-1], paths[1:], exact[:-1], strict=True):
        d = d - alpha * problem.inner.hvp(w_exact, d) + (w_next - (w - alpha * problem.inner.gradient(w)))
    return d


def _all_tasks(problem: Problem, count: int, points: int) -> Array:
    """Every task for each of `count` samples at each of `points` starts: indices (count, points, tasks)."""
    return np.broadcast_to(np.arange(problem.number_of_tasks), (count, points, problem.number_of_tasks))
