"""Softmax bandits: the exact policy gradient of a nonconvex objective whose constants are all known."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import reduce
from typing import Self

import numpy as np
import numpy.typing as npt

from problems.cases import resampling
from problems.noise import FiniteNoise
from problems.probes import gaussian_probes
from problems.problem import Problem
from problems.registry import register
from theory.constants import Constants
from theory.loss import Array, Loss, TaskIndex
from theory.norm import inner_product, total


@dataclass(frozen=True)
class SoftmaxBandit(Loss):
    """Minus the expected reward of the policy `π = softmax(w)` over d arms: `−⟨π, r_i⟩`, `reward` r (..., d)."""

    reward: Array

    def value(self, w: Array) -> Array:
        """Loss at `w`."""
        return -inner_product(softmax(w), self.reward)

    def gradient(self, w: Array) -> Array:
        """Gradient at `w`: `−π ∘ (r − ⟨π, r⟩)`."""
        policy = softmax(w)
        return -policy * _centred(policy, self.reward)

    def hvp(self, w: Array, v: Array) -> Array:
        """Hessian at `w` times `v`."""
        return self.linearize(w)[1](v)

    def take(self, tasks: TaskIndex) -> Self:
        """Losses of the tasks in `tasks`."""
        return type(self)(self.reward[tasks])

    def linearize(self, w: Array) -> tuple[Array, Callable[[Array], Array]]:
        """Gradient and Hessian at `w`; the derivative of `π` along v is `π ∘ (v − ⟨π, v⟩)`."""
        policy = softmax(w)
        advantage = _centred(policy, self.reward)

        def hessian(v: Array) -> Array:
            weighted = policy * _centred(policy, v)
            covariance = inner_product(weighted, self.reward)[..., None]
            return policy * covariance - weighted * advantage

        return -policy * advantage, hessian


def softmax(w: Array) -> Array:
    """`e^{w_a} / Σ_b e^{w_b}` along the last axis."""
    largest = reduce(np.maximum, np.moveaxis(w.real, -1, 0))  # by columns, for which NumPy takes a tenth of the time
    weight = np.exp(w - largest[..., None])
    return weight / total(weight)[..., None]


def _centred(policy: Array, x: Array) -> Array:
    """`x − ⟨π, x⟩`."""
    return x - inner_product(policy, x)[..., None]


class RewardNoise(FiniteNoise):
    """One datum adds ξ_τ to the rewards of all arms: `shocks` (atoms, d), of mean zero under `probabilities`."""

    def __init__(
        self, population: SoftmaxBandit, shocks: npt.NDArray[np.float64], probabilities: npt.NDArray[np.float64]
    ) -> None:
        self.population, self.shocks, self.probabilities = population, shocks, probabilities
        self.gradient_sup = GRADIENT * float(np.ptp(shocks, axis=1).max())
        self.hessian_sup = HESSIAN * float(np.ptp(shocks, axis=1).max())

    def weighted(self, tasks: TaskIndex, weights: npt.NDArray[np.float64]) -> SoftmaxBandit:
        """Mean loss over data with these weights on the atoms."""
        return SoftmaxBandit(self.population.reward[tasks] + weights @ self.shocks)


GRADIENT = 1 / (2 * math.sqrt(2))
"""Supremum over w of `‖∇⟨π, r⟩‖ / (max r − min r)`."""

HESSIAN = 1 / (3 * math.sqrt(3))
"""Supremum over w of `‖∇²⟨π, r⟩‖ / (max r − min r)`."""

REWARDS = np.array([[2.0, 0.65, -0.7], [-0.5, 0.5, 1.1], [1.1, 0.8, 0.0], [-0.8, 0.4, 1.4], [0.2, 0.8, 0.7]])
SHOCKS = np.array([[0.9, 0.1, -0.7], [-0.2, 0.05, 0.5], [-1.3, -0.25, 0.4]])
PROBABILITIES = np.array([0.5, 0.3, 0.2])


FAR = 20.0
"""Logits by which an arm is as good as gone: its probability is about 1e-9."""


def extreme_policies(reward: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Points (3, d) with the best and the worst arm alone, at the probabilities where derivatives are largest."""
    odds = math.log((3 - math.sqrt(3)) / (3 + math.sqrt(3)))
    w = np.full((3, len(reward)), -FAR)
    w[:, reward.argmin()], w[:, reward.argmax()] = 0.0, (0.0, odds, -odds)
    return w


@register("softmax-bandit", case="resampling")
def softmax_bandit() -> Problem:
    """Softmax bandits with three arms and finitely many reward shocks: exact policy gradients, nonconvex.

    Derivatives of `⟨π, r⟩` along v are joint cumulants under π of the reward r and of `V_a = v_a`:
    `Cov(r, V)`, `E (r − r̄)(V − V̄)²`, and `E (r − r̄)(V − V̄)³ − 3 Cov(r, V) Var V`. For `‖v‖ = 1` the values of V lie in
    an interval of length `√2`; let `Δ = max r − min r`. Then, for every number of arms:

    - `‖∇⟨π, r⟩‖ ≤ sd(r) sd(V) ≤ (Δ/2)(√2/2) = Δ/(2√2)`, attained by two arms of probability ½;
    - `‖∇²⟨π, r⟩‖ ≤ Δ/(3√3)`. The cumulant is linear in r, so it is largest when r is Δ on a set S of arms and 0 off it.
      With `P = π(S)`, μ and ν the means of V on and off S, and `V/√2` in [0, 1] it equals (times 2Δ)
      `P(1 − P)[Var(V|S) − Var(V|Sᶜ) + (1 − 2P)(μ − ν)²] ≤ P(1 − P)[μ(1 − μ) + (1 − 2P)(μ − ν)²]`. For `P ≤ ½` the worst
      ν is an end, say 0: `P(1 − P)(μ − 2Pμ²)`, that is `P(1 − P)(1 − 2P) ≤ 1/(6√3)` for `P ≤ ¼` (at μ = 1), and
      `(1 − P)/8 ≤ 3/32 < 1/(6√3)` above; for `P > ½` ν = μ gives at most 1/16. The negative part swaps S and Sᶜ.
      Approached by the best and the worst arm alone, at `P = (3 − √3)/6`. So `L = max_i Δ_i/(3√3)`;
    - the third derivative is a symmetric 4-linear form of (r, v, v, v), its norm is attained on the diagonal (Banach);
      adding a constant to r changes nothing: it is at most `‖r − mean r‖ sup_v |κ₄(V)|`, and
      `−ℓ⁴/8 ≤ −2 Var² ≤ κ₄ = μ₄ − 3 Var² ≤ Var (ℓ² − 3 Var) ≤ ℓ⁴/12` on an interval of length ℓ = √2. So
      `ρ = ½ max_i ‖r_i − mean r_i‖`; the best and the worst arm alone give `Δ/(2√2)`, equal for rewards that are −x, 0,
      x up to a constant, as those of the first task are;
    - spread and noise are gradients and Hessians of such rewards: `σ² ≤ E_i range(r_i − E_i r_i)²/8`,
      `σ_g² ≤ E range(ξ_τ)²/8` and `σ_H² ≤ E range(ξ_τ)²/27`, approached since all of them are extreme on the same arms;
    - the loss is at least `−max r_i`.
    """
    population = SoftmaxBandit(REWARDS)
    shocks = SHOCKS - PROBABILITIES @ SHOCKS
    spread = np.ptp(REWARDS - REWARDS.mean(axis=0), axis=1)
    shock_range = math.sqrt(PROBABILITIES @ np.ptp(shocks, axis=1) ** 2)
    reward_range = float(np.ptp(REWARDS, axis=1).max())
    centred = REWARDS - REWARDS.mean(axis=1, keepdims=True)
    return resampling(
        population,
        Constants(
            L=HESSIAN * reward_range,
            rho=0.5 * float(np.linalg.norm(centred, axis=1).max()),
            sigma=GRADIENT * math.sqrt((spread**2).mean()),
            sigma_g=GRADIENT * shock_range,
            sigma_H=HESSIAN * shock_range,
            lower_bound=-float(REWARDS.max(axis=1).mean()),
        ),
        noise=RewardNoise(population, shocks, PROBABILITIES),
        probes=gaussian_probes(REWARDS.shape[1], 1.5),
        start=[0.4, -0.3, 0.2],
        gradient_bound=GRADIENT * reward_range,
        extremes=extreme_policies(REWARDS[np.argmax(np.ptp(REWARDS, axis=1))]),
        analytic=True,
    )
