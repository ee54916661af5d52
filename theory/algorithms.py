"""Algorithm 1, Algorithm 2 and exact MAML, batched over independent replicas."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal, Protocol, TypeAlias, get_args

import numpy as np
import numpy.typing as npt

from theory.constants import Constants, Schedule
from theory.extended import plain
from theory.loss import Array, Loss, TaskIndex
from theory.maml import Direction, mean_over_tasks, meta_gradient, meta_objective, stochastic_meta_gradient
from theory.norm import norm
from theory.oracle import Counted, OracleCount
from theory.smoothness import Smoothness
from theory.validation import integer, one_of, real

Algorithm: TypeAlias = Literal["exact", "finite-sum", "resampling"]

NUMBERS = ("N", "alpha", "B", "S", "D", "T", "B_prime", "D_L", "K")
"""Fields of a schedule of which a run has one."""

CHUNK = 30_000
"""Numbers that one batch of exact quantities holds per array: a few such arrays stay in the second-level cache."""


class Tasks(Protocol):
    """What the algorithms ask of a problem: all its task losses, and fresh minibatches in the resampling case."""

    @property
    def dim(self) -> int:
        """Dimension d of the points."""

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
        return self.gradient_norm.mean(axis=1)

    @property
    def mean_gradient_norm_so_far(self) -> npt.NDArray[np.float64]:
        """(R, K) mean of ‖∇L(w_k)‖ over the first 1, 2, …, K meta steps."""
        steps = np.arange(1, self.gradient_norm.shape[1] + 1)
        return self.gradient_norm.cumsum(axis=1) / steps

    def describe(self, replica: int = 0) -> str:
        """Return one line: how the run of one replica ended."""
        step = int(self.diverged_at[replica])
        if step >= 0:
            return f"diverged at step {step}"
        return f"‖∇L‖ = {self.gradient_norm[replica, -1]:.3g} after {self.gradient_norm.shape[1]} steps"


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
    direction: Direction = meta_gradient,
) -> Trajectory:
    """Run `K` meta steps of exact MAML, Algorithm 2 ("finite-sum") or Algorithm 1 ("resampling").

    Parameters
    ----------
    tasks : the task losses (a Problem).
    c, s : constants that set the meta stepsize `1/(C_β L̂_k)`, and the schedule; every field of `s` that the run reads
        is a number, except that `C_beta` may be (R,), one a replica.
    start : (d,) common start, or (R, d) one a replica.
    rng : source of every draw of the run (exact MAML draws nothing).
    replicas : independent replicas R where `start` is (d,).
    meta_stepsize : a fixed β instead of the theorem's, or None.
    direction : what exact MAML steps along; one of `theory.neighbours` makes it that method. The others have their own.

    Raises
    ------
    ValueError : unknown algorithm, a start of the wrong shape or not finite, a bad stepsize, an array in the schedule.

    Source: Ji, Yang, Liang (2022), Algorithms 1 and 2.
    """
    one_of("algorithm", algorithm, get_args(Algorithm))
    integer("replicas", replicas, low=1)
    for name in NUMBERS:
        if np.ndim(getattr(s, name)) > 0:
            raise ValueError(f"{name} = {getattr(s, name)} is not allowed: {name} of a run must be one number")
    start = np.asarray(start, dtype=np.float64)
    if start.ndim not in (1, 2) or start.shape[-1] != tasks.dim or not np.isfinite(start).all():
        shapes = f"({tasks.dim},) or (R, {tasks.dim})"
        raise ValueError(f"start of shape {start.shape} is not allowed: start must be finite, of shape {shapes}")
    if meta_stepsize is not None:
        real("meta_stepsize", meta_stepsize)
    w = start.copy() if start.ndim == 2 else np.tile(start, (replicas, 1))
    R, K = len(w), int(s.K)
    count = OracleCount()
    estimate = _estimator(algorithm, tasks, s, rng, R, count, direction)
    p = Smoothness(c, s)
    a, C_L = plain(p.a), plain(p.C_L)

    def smoothness(mean_norm: Array) -> Array:
        L_w = np.asarray(a + C_L * mean_norm)  # a step of few numbers takes less time than the formula beyond them
        return L_w if np.isfinite(L_w).all() else np.asarray(p.a + p.C_L * mean_norm)

    points = np.empty((R, K + 1, w.shape[1]))
    points[:, 0] = w
    L_hat, beta = np.empty((R, K)), np.empty((R, K))
    diverged = np.zeros((R, K), dtype=np.bool_)
    with np.errstate(all="ignore"):
        for k in range(K):
            G_hat, mean_norm = estimate(w)
            L_hat[:, k] = smoothness(mean_norm)
            beta[:, k] = 1 / (s.C_beta * L_hat[:, k]) if meta_stepsize is None else meta_stepsize
            following = w - beta[:, k, None] * G_hat
            finite = np.isfinite(following)
            if not finite.all():
                diverged[:, k] = ~finite.all(axis=1)
                following = np.where(diverged[:, k, None], w, following)
            points[:, k + 1] = w = following
        gradient_norm, mean_norm, objective = _examine(tasks, s, points)
        L_w = smoothness(mean_norm)
    diverged |= ~np.isfinite(gradient_norm[:, :K])
    diverged_at = np.where(diverged.any(axis=1), diverged.argmax(axis=1), -1)
    over = np.logical_or.accumulate(diverged, axis=1)
    last = points[np.arange(R), diverged_at, None]
    return Trajectory(
        gradient_norm=np.where(over, np.inf, gradient_norm[:, :K]),
        objective=np.where(np.column_stack([over, over[:, -1]]) | np.isnan(objective), np.inf, objective),
        smoothness=np.where(over, np.inf, L_w[:, :K]),
        smoothness_estimate=np.where(over, np.inf, L_hat),
        meta_stepsize=np.where(over, np.inf, beta),
        points=np.concatenate([points[:, :1], np.where(over[..., None], last, points[:, 1:])], axis=1),
        diverged_at=diverged_at,
        gradient_calls=count.gradients,
        hessian_calls=count.hessians,
    )


def _examine(tasks: Tasks, s: Schedule, points: Array) -> tuple[Array, Array, Array]:
    """Exact ‖∇L‖, E_i‖∇l_{T_i}‖ and L at `points` (R, K + 1, d), each (R, K + 1).

    Not part of the algorithms, so not counted; all points at once, a chunk at a time to stay in cache.
    """
    N, alpha = int(s.N), float(s.alpha)
    flat = points.reshape(-1, points.shape[-1])
    chunk = max(1, CHUNK // (tasks.number_of_tasks * flat.shape[1]))
    gradient_norm, mean_norm, objective = (np.empty(len(flat)) for _ in range(3))
    for at in (slice(first, first + chunk) for first in range(0, len(flat), chunk)):
        w = flat[at, None]
        exact = mean_over_tasks(meta_gradient(w, alpha, N, tasks.inner, tasks.outer))
        gradient_norm[at] = norm(exact)
        mean_norm[at] = _mean_gradient_norm(tasks.outer, w)
        objective[at] = meta_objective(w, alpha, N, tasks.inner, tasks.outer).mean(axis=-1)
    shape = points.shape[:2]
    return gradient_norm.reshape(shape), mean_norm.reshape(shape), objective.reshape(shape)


def _mean_gradient_norm(losses: Loss, w: Array) -> Array:
    """Mean over tasks of the gradient norm at `w` (..., 1, d): shape (...)."""
    return mean_over_tasks(norm(losses.gradient(w))[..., None])[..., 0]


def _estimator(
    algorithm: Algorithm,
    tasks: Tasks,
    s: Schedule,
    rng: np.random.Generator,
    R: int,
    count: OracleCount,
    direction: Direction,
) -> Callable[[Array], tuple[Array, Array]]:
    """What one meta step computes at `w` (R, d): the meta-gradient (R, d) and the mean gradient norm for L̂ (R,)."""
    N, alpha = int(s.N), float(s.alpha)
    B, S, D, T, B_prime, D_L = (int(n) for n in (s.B, s.S, s.D, s.T, s.B_prime, s.D_L))
    train = Counted(tasks.inner, tasks.train_size, count)
    test = Counted(tasks.outer, tasks.test_size, count)

    def draw_tasks(size: int) -> TaskIndex:
        return rng.integers(tasks.number_of_tasks, size=(R, size))

    def minibatch(chosen: TaskIndex, size: int) -> Loss:
        return Counted(tasks.minibatch(chosen, size, rng), size, count)

    def exact(w: Array) -> tuple[Array, Array]:
        gradient = mean_over_tasks(direction(w[:, None], alpha, N, train, test))
        return gradient, _mean_gradient_norm(test, w[:, None])

    def draw_losses(size: int) -> tuple[Loss, Loss, Callable[[Array], Array]]:
        """Training and test losses of `size` drawn tasks, and the mean over these: (R, tasks, n) ↦ (R, n)."""
        chosen = draw_tasks(size)
        if tasks.number_of_tasks > size:
            return train.take(chosen), test.take(chosen), mean_over_tasks
        # Each task once, weighted by how often it was drawn, costs less; it still counts as often.
        shares = (chosen[..., None] == np.arange(tasks.number_of_tasks)).mean(axis=1, keepdims=True)
        return replace(train, drawn=size), replace(test, drawn=size), lambda each: (shares @ each)[:, 0]

    def finite_sum(w: Array) -> tuple[Array, Array]:
        *losses, mean = draw_losses(B)
        G_hat = mean(meta_gradient(w[:, None], alpha, N, *losses))
        _, test, mean = draw_losses(B_prime)
        return G_hat, mean(norm(test.gradient(w[:, None]))[..., None])[:, 0]

    def resampling(w: Array) -> tuple[Array, Array]:
        G_hat = stochastic_meta_gradient(w[:, None], alpha, N, draw_tasks(B), (S, D, T), minibatch)
        return mean_over_tasks(G_hat), _mean_gradient_norm(minibatch(draw_tasks(B_prime), D_L), w[:, None])

    return {"exact": exact, "finite-sum": finite_sum, "resampling": resampling}[algorithm]
