"""Whole runs that are linear in w, nothing sampled: moments of ‖∇L(w_k)‖ step by step.

Where every task has `∇L_i(w) = h_i w + n_i`, a meta step of Algorithm 1 or 2 is `w ← w − β(ĥw + n)`, ĥ and n means over
the B draws. If n is symmetric and prefers no direction, whatever ĥ is, then second and fourth moments of ‖w‖ are sums
of known ones, and they enclose the mean: `(E X²)^{3/2}/(E X⁴)^{1/2} ≤ E X ≤ (E X²)^{1/2}` (Hölder, Jensen).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Self

import numpy as np
import numpy.typing as npt

from problems.convex_quadratic import IsotropicQuadratic
from problems.noise import FiniteNoise
from problems.opposed_floor import Radial
from problems.problem import Problem
from theory.constants import Schedule
from theory.maml import meta_gradient
from theory.norm import norm
from theory.paper import Paper
from verify.evidence.intervals import Interval
from verify.evidence.tree import minibatches
from verify.verdict import EPS, Values

SETTLED = 1e-16
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


@dataclass(frozen=True)
class MetaStep:
    """`ĥw + n` by how many of the B draws are of tasks with `n_i ≠ 0`.

    Attributes
    ----------
    chance, slope, second, fourth : of each number of such draws: its probability, ĥ, `E‖n‖²` and `E‖n‖⁴`.
    dim : d.
    """

    chance: Values
    slope: Values
    second: Values
    fourth: Values
    dim: int

    def second_after(self, second: float, contract: float, shake: float) -> float:
        """`E‖w‖²` after a step: `contract` is the β with ĥw, `shake` that with n."""
        return float(self.chance @ ((1 - contract * self.slope) ** 2 * second + shake**2 * self.second))

    def fourth_after(self, second: float, fourth: float, contract: float, shake: float) -> float:
        """`E‖w‖⁴` after a step."""
        square, noise = (1 - contract * self.slope) ** 2, shake**2 * self.second
        both = (2 + 4 / self.dim) * square * noise * second
        return float(self.chance @ (square**2 * fourth + both + shake**4 * self.fourth))


def is_linear(problem: Problem) -> bool:
    """Whether `∇L_i` is linear along runs from 0: isotropic quadratics of one curvature, and the opposed floor."""
    inner, outer = problem.inner, problem.outer
    if isinstance(inner, IsotropicQuadratic) and isinstance(outer, IsotropicQuadratic):
        return bool(np.ptp([inner.curvature, outer.curvature]) == 0)
    return isinstance(inner, Radial)


def mean_gradient_norm(problem: Problem, s: Schedule) -> Interval:
    """Mean over the K steps of a run from 0 of `E‖∇L(w_k)‖`, between its limits; the estimate is the middle.

    B' is so large, or `C_L` so small, that L̂ is exact. The limits allow for every β in the ball where `∇L_i` is linear.
    """
    p, N, alpha = Paper(problem.constants, s), int(s.N), float(s.alpha)
    zero, reach = np.zeros((1, problem.dim)), problem.scale / float(p.q(N))
    w = zero + reach / 2 * np.eye(problem.dim)[0]
    at_zero, beside = (meta_gradient(x, alpha, N, problem.inner, problem.outer) for x in (zero, w))
    h = (beside - at_zero)[:, 0] / w[0, 0]
    step = _meta_step(problem, s, h, at_zero)
    level = float(norm(problem.outer.gradient(zero)).mean())
    least, most = (float(p.a + p.C_L * max(level + sign * float(p.L) * reach, 0.0)) for sign in (-1, 1))
    small, large = 1 / (float(s.C_beta) * most), 1 / (float(s.C_beta) * least)
    low = high = fourth = 0.0
    K, k, sums = int(s.K), 0, np.zeros(2)
    while k < K:
        after = (
            step.second_after(low, large, small),
            step.second_after(high, small, large),
            step.fourth_after(high, fourth, small, large),
        )
        settled = k > 0 and max(abs(x / y - 1) for x, y in zip(after, (low, high, fourth), strict=True)) < SETTLED
        times = K - k if settled else 1
        sums += times * np.array([low**1.5 / math.sqrt(fourth) if k else 0.0, math.sqrt(high)])
        (low, high, fourth), k = after, k + times
    error = 1 + 64 * EPS * (len(step.chance) + problem.dim)
    lower, upper = float(h.mean()) * sums / K * np.array([1 / error, error])
    return Interval(np.array([(lower + upper) / 2]), np.array([lower]), np.array([upper]))


def _meta_step(problem: Problem, s: Schedule, h: Values, at_zero: Values) -> MetaStep:
    """Cases of a meta step where task i has the slope `h` (tasks,) and `∇L_i(0)` (tasks, d)."""
    noisy = isinstance(problem.noise, FiniteNoise)
    loud = np.ones(len(h), dtype=np.bool_) if noisy else norm(at_zero) > 0
    law, B, share = Law.of(at_zero[loud], np.full(loud.sum(), 1 / loud.sum())), int(s.B), float(loud.mean())
    if noisy:
        law = law.plus(_data_noise(problem, s))
    count = _likely(B, share)
    quiet = float(h[~loud].mean()) if not loud.all() else 0.0
    pairs = count * (count - 1) * (1 + 2 / law.dim) * law.second**2
    return MetaStep(
        chance=_binomial(B, share, count),
        slope=quiet + (float(h[loud].mean()) - quiet) * count / B,
        second=count * law.second / B**2,
        fourth=(count * law.fourth + pairs) / float(B) ** 4,
        dim=law.dim,
    )


def _data_noise(problem: Problem, s: Schedule) -> Law:
    """What data add to `Ĝ_i` at 0, on a quadratic: the outer gradient's noise, and that of each inner one."""
    zero, N, alpha = np.zeros((1, problem.dim)), int(s.N), float(s.alpha)
    single = minibatches(problem, 1)
    one = Law.of((single.losses.gradient(zero) - problem.inner.gradient(zero))[:, 0], single.probabilities)
    curvature = float(problem.inner.hvp(zero, np.ones_like(zero))[0, 0])
    factor = 1 - alpha * curvature
    law = one.mean(int(s.T)).times(factor**N)
    for j in range(N):
        law = law.plus(one.mean(int(s.S)).times(alpha * curvature * factor ** (2 * N - 1 - j)))
    return law


def _likely(B: int, share: float) -> npt.NDArray[np.float64]:
    """Numbers of draws of a share of the tasks, all but such as have a chance below rounding."""
    if share == 1:
        return np.array([float(B)])
    middle, width = B * share, 10 * math.sqrt(B * share * (1 - share)) + 40
    return np.arange(max(math.floor(middle - width), 0), min(math.ceil(middle + width), B) + 1, dtype=np.float64)


def _binomial(B: int, share: float, count: npt.NDArray[np.float64]) -> Values:
    """Chances of these counts."""
    if share == 1:
        return np.ones(1)
    from scipy.special import gammaln

    log_ways = gammaln(B + 1) - gammaln(count + 1) - gammaln(B - count + 1)
    chance = np.exp(log_ways + count * math.log(share) + (B - count) * math.log1p(-share))
    return np.asarray(chance / chance.sum())
