"""Whole runs on isotropic quadratics, nothing sampled: moments of ‖∇L(w_k)‖ step by step.

There `Ĝ(w) = hw + n` with a noise n that does not depend on w, and with ρ = 0 the meta stepsize is constant: a run is
`w ← (1 − βh)w − βn`. For noise of mean zero that prefers no direction and no sign, second and fourth moments of ‖w‖ are
sums of known ones, and they enclose the mean: `(E X²)^{3/2}/(E X⁴)^{1/2} ≤ E X ≤ (E X²)^{1/2}` (Hölder, Jensen).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Self

import numpy as np

from problems.convex_quadratic import IsotropicQuadratic
from problems.noise import FiniteNoise
from problems.problem import Problem
from theory.constants import Schedule
from theory.maml import meta_gradient
from theory.paper import Paper
from verify.evidence.intervals import Interval
from verify.evidence.tree import minibatches
from verify.verdict import EPS, Values

SETTLED = 1e-17
"""Relative change of a moment in a step, at most, where a run has settled."""


@dataclass(frozen=True)
class Law:
    """`E‖X‖²` and `E‖X‖⁴` of a vector of `dim` numbers that prefers no direction and no sign."""

    second: float
    fourth: float
    dim: int

    @classmethod
    def of(cls, vectors: Values, probabilities: Values) -> Self:
        """Law of one of `vectors` (M, d)."""
        square = np.square(vectors).sum(axis=1)
        return cls(float(probabilities @ square), float(probabilities @ square**2), vectors.shape[1])

    def times(self, factor: float) -> Law:
        """Law of `factor · X`."""
        return Law(factor**2 * self.second, factor**4 * self.fourth, self.dim)

    def plus(self, other: Law) -> Law:
        """Law of `X + Y`, Y independent: `E⟨X, Y⟩² = E‖X‖² E‖Y‖²/d`."""
        both = self.second * other.second
        return Law(self.second + other.second, self.fourth + other.fourth + (2 + 4 / self.dim) * both, self.dim)

    def mean(self, count: int) -> Law:
        """Law of the mean of `count` independent copies."""
        pairs = count * (count - 1) * (1 + 2 / self.dim) * self.second**2
        return Law(self.second / count, (count * self.fourth + pairs) / count**4, self.dim)


def is_isotropic(problem: Problem) -> bool:
    """Whether all tasks are isotropic quadratics of one curvature: then what is here applies."""
    inner, outer = problem.inner, problem.outer
    if not (isinstance(inner, IsotropicQuadratic) and isinstance(outer, IsotropicQuadratic)):
        return False
    return bool(np.ptp([inner.curvature, outer.curvature]) == 0)


def noise_of_a_draw(problem: Problem, s: Schedule) -> Law:
    """Law of n in the estimate `Ĝ_i = hw + n` of one task that is drawn."""
    zero, N, alpha = np.zeros((1, problem.dim)), int(s.N), float(s.alpha)
    tasks = meta_gradient(zero, alpha, N, problem.inner, problem.outer)
    law = Law.of(tasks, np.full(len(tasks), 1 / len(tasks)))
    if isinstance(problem.noise, FiniteNoise):
        single = minibatches(problem, 1)
        one = Law.of((single.losses.gradient(zero) - problem.inner.gradient(zero))[:, 0], single.probabilities)
        curvature = float(problem.inner.hvp(zero, np.ones_like(zero))[0, 0])
        factor = 1 - alpha * curvature
        law = law.plus(one.mean(int(s.T)).times(factor**N))
        for j in range(N):
            law = law.plus(one.mean(int(s.S)).times(alpha * curvature * factor ** (2 * N - 1 - j)))
    return law


def mean_gradient_norm(problem: Problem, s: Schedule) -> Interval:
    """Mean over the K steps of a run from 0 of `E‖∇L(w_k)‖`, between its limits; the estimate is the middle."""
    at = np.eye(problem.dim)[:1]
    rise = [meta_gradient(w, float(s.alpha), int(s.N), problem.inner, problem.outer).mean(axis=0) for w in (at, 0 * at)]
    h, beta = float((rise[0] - rise[1])[0]), 1 / float(s.C_beta * Paper(problem.constants, s).a)
    step = noise_of_a_draw(problem, s).mean(int(s.B)).times(beta)
    w, K, low, high, k = Law(0.0, 0.0, problem.dim), int(s.K), 0.0, 0.0, 0
    while k < K:
        settled = w.second > 0 and abs(w.times(1 - beta * h).plus(step).fourth / w.fourth - 1) < SETTLED
        times = K - k if settled else 1
        high += times * h * math.sqrt(w.second)
        low += times * h * (w.second**1.5 / math.sqrt(w.fourth) if w.fourth else 0.0)
        w, k = w.times(1 - beta * h).plus(step), k + times
    error = 1 + 64 * EPS * (k + problem.dim)
    return Interval(np.array([(low + high) / 2 / K]), np.array([low / K / error]), np.array([high / K * error]))
