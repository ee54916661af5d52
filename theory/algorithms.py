"""Algorithm 1, Algorithm 2 and exact MAML, batched over independent replicas."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, Protocol, Self, TypeAlias, get_args

import numpy as np
import numpy.typing as npt

from theory.constants import Constants, Schedule
from theory.loss import Array, Loss, TaskIndex
from theory.maml import adapt, mean_over_tasks, meta_gradient, meta_objective, pull_back
from theory.smoothness import meta_smoothness
from theory.validation import integer, real

Algorithm: TypeAlias = Literal["exact", "finite-sum", "resampling"]


class Tasks(Protocol):
    """What the algorithms ask of a problem: all its task losses, and fresh minibatches in the resampling case."""

    @property
    def inner(self) -> Loss:
        """Training (resampling: population) losses of all tasks, batch shape (tasks,)."""

    @property
    def outer(self) -> Loss:
        """Test (resampling: population) losses of all tasks, batch shape (tasks,)."""

    @property
    def number_of_tasks(self) -> int:
        """Number of tasks, drawn uniformly."""

    @property
    def train_size(self) -> int:
        """Data points per training set, |S_i|."""

    @property
    def test_size(self) -> int:
        """Data points per test set, |T_i|."""

    def minibatch(self, tasks: TaskIndex, size: int, rng: np.random.Generator) -> Loss:
        """Fresh minibatch losses of `size` data each, one per entry of `tasks`."""


@dataclass(frozen=True)
class Trajectory:
    """What the theorems speak of, along `R` replicas of a run of `K` meta steps.

    Attributes
    ----------
    gradient_norm : (R, K) exact ‖∇L(w_k)‖.
    objective : (R, K + 1) exact meta objective L(w_k).
    smoothness : (R, K) exact L_{w_k}.
    smoothness_estimate : (R, K) the L̂_k that set the stepsize (NaN-free; equals `smoothness` for exact MAML).
    meta_stepsize : (R, K) β_k.
    points : (R, K + 1, d) the iterates.
    diverged_at : (R,) first meta step whose iterate or gradient is not finite, −1 where the run stayed finite. From
        that step on a replica is frozen at its last finite iterate and its norms are infinite.
    gradient_calls, hessian_calls : oracle calls per replica over the whole run, in data points, counted as made.
    """

    gradient_norm: npt.NDArray[np.float64]
    objective: npt.NDArray[np.float64]
    smoothness: npt.NDArray[np.float64]
    smoothness_estimate: npt.NDArray[np.float64]
    meta_stepsize: npt.NDArray[np.float64]
    points: npt.NDArray[np.float64]
    diverged_at: npt.NDArray[np.intp]
    gradient_calls: int
    hessian_calls: int

    @property
    def mean_gradient_norm(self) -> npt.NDArray[np.float64]:
        """(R,) mean over the meta steps of ‖∇L(w_k)‖; its expectation is the paper's ḡ."""
        return np.asarray(self.gradient_norm.mean(axis=1))

    def describe(self, replica: int = 0) -> str:
        """Return one line: how the run of one replica ended."""
        step = int(self.diverged_at[replica])
        if step >= 0:
            return f"diverged at step {step}"
        return f"‖∇L‖ = {self.gradient_norm[replica, -1]:.3g} after {self.gradient_norm.shape[1]} steps"


@dataclass
class OracleCount:
    """Data points whose gradient or Hessian was asked for, per replica."""

    gradients: int = 0
    hessians: int = 0


@dataclass(frozen=True)
class Counted(Loss):
    """A loss that counts its oracle calls: `size` data points per task for each gradient and each Hessian."""

    loss: Loss
    size: int
    count: OracleCount

    def value(self, w: Array) -> Array:
        """Loss at `w`; not an oracle of the theory, so not counted."""
        return self.loss.value(w)

    def gradient(self, w: Array) -> Array:
        """Gradient at `w`, counted."""
        gradient = self.loss.gradient(w)
        self.count.gradients += gradient.shape[-2] * self.size
        return gradient

    def hvp(self, w: Array, v: Array) -> Array:
        """Hessian-vector product, counted as one Hessian."""
        product = self.loss.hvp(w, v)
        self.count.hessians += product.shape[-2] * self.size
        return product

    def take(self, tasks: TaskIndex) -> Self:
        """Losses of `tasks`, counted in the same place."""
        return type(self)(self.loss.take(tasks), self.size, self.count)

    def linearize(self, w: Array) -> tuple[Array, Callable[[Array], Array]]:
        """Gradient and Hessian at `w`; each is counted when it is asked for."""
        gradient, hessian = self.loss.linearize(w)
        self.count.gradients += gradient.shape[-2] * self.size

        def counted_hessian(v: Array) -> Array:
            product = hessian(v)
            self.count.hessians += product.shape[-2] * self.size
            return product

        return gradient, counted_hessian

    def fused_meta_gradient(self, w: Array, alpha: float, N: int, outer: Loss) -> Array | None:
        """Fused meta-gradient: N gradients and N Hessians of this loss, and one gradient of the outer loss."""
        plain = outer.loss if isinstance(outer, Counted) else outer
        fused = self.loss.fused_meta_gradient(w, alpha, N, plain)
        if fused is not None:
            self.count.gradients += fused.shape[-2] * self.size * N
            self.count.hessians += fused.shape[-2] * self.size * N
            if isinstance(outer, Counted):
                outer.count.gradients += fused.shape[-2] * outer.size
        return fused


def run(
    algorithm: Algorithm,
    tasks: Tasks,
    c: Constants,
    s: Schedule,
    start: Array,
    rng: np.random.Generator,
    *,
    replicas: int = 1,
    meta_stepsize: float | None = None,
) -> Trajectory:
    """Run `K` meta steps of exact MAML, Algorithm 2 ("finite-sum") or Algorithm 1 ("resampling").

    Parameters
    ----------
    tasks : the task losses (a Problem).
    c, s : constants that set the meta stepsize `1/(C_β L̂_k)`, and the schedule; every field of `s` is a number.
    start : (d,) common start, or (R, d) one a replica.
    rng : source of every draw of the run (exact MAML draws nothing).
    replicas : independent replicas R where `start` is (d,).
    meta_stepsize : a fixed β instead of the theorem's, or None.

    Raises
    ------
    ValueError : unknown algorithm, a start of the wrong shape or not finite, a bad fixed stepsize.

    Source: Ji, Yang, Liang (2022), Algorithms 1 and 2.
    """
    if algorithm not in get_args(Algorithm):
        raise ValueError(f"algorithm = {algorithm!r} is not allowed: algorithm must be one of {get_args(Algorithm)}")
    integer("replicas", replicas, low=1)
    start = np.asarray(start, dtype=np.float64)
    if start.ndim not in (1, 2) or not np.isfinite(start).all():
        raise ValueError(f"start of shape {start.shape} is not allowed: start must be finite, of shape (d,) or (R, d)")
    if meta_stepsize is not None:
        real("meta_stepsize", meta_stepsize)
    w = start.copy() if start.ndim == 2 else np.tile(start, (replicas, 1))
    R, K, N, alpha = len(w), int(s.K), int(s.N), float(s.alpha)
    count = OracleCount()
    draw = _estimator(algorithm, tasks, s, rng, R, count)
    gradient_norm, smoothness, estimate, stepsizes = (np.full((R, K), np.inf) for _ in range(4))
    objective = np.full((R, K + 1), np.inf)
    points = np.empty((R, K + 1, w.shape[1]))
    diverged_at = np.full(R, -1, dtype=np.intp)
    with np.errstate(all="ignore"):
        for k in range(K):
            points[:, k] = w
            exact = mean_over_tasks(meta_gradient(w[:, None], alpha, N, tasks.inner, tasks.outer))
            mean_norm = np.linalg.norm(tasks.outer.gradient(w[:, None]), axis=-1).mean(axis=-1)
            L_w = np.asarray(meta_smoothness(c, s, mean_norm))
            if algorithm == "exact":
                G_hat, L_hat = exact, L_w
                count.gradients += tasks.number_of_tasks * (N * tasks.train_size + 2 * tasks.test_size)
                count.hessians += tasks.number_of_tasks * N * tasks.train_size
            else:
                G_hat, norm_hat = draw(w)
                L_hat = np.asarray(meta_smoothness(c, s, norm_hat))
            beta = np.full(R, meta_stepsize) if meta_stepsize is not None else 1 / (float(s.C_beta) * L_hat)
            following = w - beta[:, None] * G_hat
            finite = np.isfinite(exact).all(axis=1) & np.isfinite(following).all(axis=1) & (diverged_at < 0)
            diverged_at[(diverged_at < 0) & ~finite] = k
            record = (np.linalg.norm(exact, axis=1), L_w, L_hat, beta)
            for target, values in zip((gradient_norm, smoothness, estimate, stepsizes), record, strict=True):
                target[finite, k] = values[finite]
            objective[finite, k] = meta_objective(w[:, None], alpha, N, tasks.inner, tasks.outer).mean(axis=-1)[finite]
            w = np.where(finite[:, None], following, w)
        points[:, K] = w
        final = meta_objective(w[:, None], alpha, N, tasks.inner, tasks.outer).mean(axis=-1)
        objective[diverged_at < 0, K] = final[diverged_at < 0]
    objective[np.isnan(objective)] = np.inf
    return Trajectory(
        gradient_norm,
        objective,
        smoothness,
        estimate,
        stepsizes,
        points,
        diverged_at,
        count.gradients,
        count.hessians,
    )


def _estimator(
    algorithm: Algorithm, tasks: Tasks, s: Schedule, rng: np.random.Generator, R: int, count: OracleCount
) -> Callable[[Array], tuple[Array, Array]]:
    """One step's random draws: `w` (R, d) ↦ stochastic meta-gradient (R, d) and mean gradient norm for L̂ (R,)."""
    N, alpha = int(s.N), float(s.alpha)
    B, S, D, T, B_prime, D_L = (int(n) for n in (s.B, s.S, s.D, s.T, s.B_prime, s.D_L))

    def draw_tasks(size: int) -> TaskIndex:
        return rng.integers(tasks.number_of_tasks, size=(R, size))

    def minibatch(chosen: TaskIndex, size: int) -> Loss:
        return Counted(tasks.minibatch(chosen, size, rng), size, count)

    def finite_sum(w: Array) -> tuple[Array, Array]:
        chosen = draw_tasks(B)
        inner = Counted(tasks.inner.take(chosen), tasks.train_size, count)
        outer = Counted(tasks.outer.take(chosen), tasks.test_size, count)
        G_hat = mean_over_tasks(meta_gradient(w[:, None], alpha, N, inner, outer))
        stepsize_loss = Counted(tasks.outer.take(draw_tasks(B_prime)), tasks.test_size, count)
        return G_hat, np.linalg.norm(stepsize_loss.gradient(w[:, None]), axis=-1).mean(axis=-1)

    def resampling(w: Array) -> tuple[Array, Array]:
        G_hat = stochastic_meta_gradient(w[:, None], alpha, N, draw_tasks(B), (S, D, T), minibatch)
        stepsize_loss = minibatch(draw_tasks(B_prime), D_L)
        norm_hat = np.linalg.norm(stepsize_loss.gradient(w[:, None]), axis=-1).mean(axis=-1)
        return mean_over_tasks(G_hat), norm_hat

    return finite_sum if algorithm == "finite-sum" else resampling


def stochastic_meta_gradient(
    w: Array,
    alpha: float,
    N: int,
    chosen: TaskIndex,
    sizes: tuple[int, int, int],
    minibatch: Callable[[TaskIndex, int], Loss],
) -> Array:
    """Algorithm 1's `Ĝ_i = ∏_{j<N}(I − α∇²l_i(w_j; D_j)) ∇l_i(w_N; T)`, per task.

    Parameters
    ----------
    w : (..., d) points that broadcast against `chosen`.
    chosen : task numbers, any shape.
    sizes : `(S, D, T)`, data per inner gradient, per Hessian, per outer gradient.
    minibatch : fresh, independent minibatch losses for given tasks and size.

    Source: Ji, Yang, Liang (2022), Algorithm 1.
    """
    S, D, T = sizes
    path = adapt(w, alpha, [minibatch(chosen, S) for _ in range(N)])
    v = minibatch(chosen, T).gradient(path[-1])
    return pull_back(v, path, alpha, [minibatch(chosen, D) for _ in range(N)])
