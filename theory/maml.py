"""Multi-step MAML on one batch of tasks: the inner path, the pull-back through it, the meta-gradient."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, TypeAlias

import numpy as np

from theory.loss import Array, Loss, TaskIndex
from theory.validation import integer, real

Direction: TypeAlias = Callable[[Array, Any, int, Loss, Loss], Array]
"""`(w, alpha, N, inner, outer)` ↦ a direction for each task: `meta_gradient`, or one of `theory.neighbours`."""


def adapt(w: Array, alpha: float | Array, losses: Iterable[Loss]) -> list[Array]:
    """Inner path `w̃_0 = w`, `w̃_{j+1} = w̃_j − α ∇l_j(w̃_j)`, one loss a step.

    Parameters
    ----------
    w : (..., d) starting points; leading axes broadcast against the losses' batch of tasks.
    alpha : inner stepsize, a number or an array that broadcasts against `(..., d)`.
    losses : N losses; N copies of one loss for the deterministic path. Each is asked for when its step comes.

    Returns
    -------
    The N + 1 points of the path, each (..., d).

    Raises
    ------
    ValueError : `alpha` is negative or not finite.

    Source: Ji, Yang, Liang (2022), inner loop of Algorithms 1 and 2.
    """
    real("alpha", alpha)
    path = [w]
    for loss in losses:
        path.append(path[-1] - alpha * loss.gradient(path[-1]))
    return path


def pull_back(v: Array, path: Sequence[Array], alpha: float | Array, losses: Sequence[Loss]) -> Array:
    """Return `(I − αH_0)(I − αH_1)⋯(I − αH_{N−1}) v`, `H_j` the Hessian of `losses[j]` at `path[j]`.

    Computed from right to left with N Hessian-vector products; the order of the factors matters for d > 1.
    `path` holds at least N points (..., d) and `v` is (..., d), as is the result.
    Raises ValueError where `path` is shorter, or `alpha` is negative or not finite.

    Source: Ji, Yang, Liang (2022), the meta-gradient of N-step MAML.
    """
    real("alpha", alpha)
    if len(path) < len(losses):
        raise ValueError(f"path has {len(path)} points, but {len(losses)} Hessians need one point each")
    for point, loss in zip(reversed(path[: len(losses)]), reversed(losses), strict=True):
        v = v - alpha * loss.hvp(point, v)
    return v


def meta_gradient(w: Array, alpha: float | Array, N: int, inner: Loss, outer: Loss) -> Array:
    """Exact meta-gradient `∇L_i(w)` of `L_i(w) = outer_i(w̃_N)`, the path descending `inner_i`.

    Parameters
    ----------
    w : (..., d) points; leading axes broadcast against the batch of tasks.
    alpha, N : inner stepsize ≥ 0, a number or an array that broadcasts against `(..., d)`, and inner steps ≥ 0.
    inner, outer : training and test losses (resampling: the same loss twice).

    Returns
    -------
    (..., d) meta-gradients, per task. Memory is O(N) points; no Hessian is formed.

    Raises
    ------
    ValueError : `alpha` is negative or not finite, or `N` is not an integer ≥ 0.

    Source: Ji, Yang, Liang (2022), meta-gradients of the resampling and the finite-sum case.
    """
    real("alpha", alpha)
    integer("N", N, low=0)
    if not isinstance(alpha, np.ndarray):
        fused = inner.fused_meta_gradient(w, alpha, N, outer)
        if fused is not None:
            return fused
    hessians: list[Callable[[Array], Array]] = []
    for _ in range(N):
        gradient, hessian = inner.linearize(w)
        hessians.append(hessian)
        w = w - alpha * gradient
    v = outer.gradient(w)
    for hessian in reversed(hessians):
        v = v - alpha * hessian(v)
    return v


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
    path = adapt(w, alpha, (minibatch(chosen, S) for _ in range(N)))
    v = minibatch(chosen, T).gradient(path[-1])
    return pull_back(v, path, alpha, [minibatch(chosen, D) for _ in range(N)])


def meta_objective(w: Array, alpha: float, N: int, inner: Loss, outer: Loss) -> Array:
    """Meta objective `L_i(w) = outer_i(w̃_N)` per task: (..., d) gives (...). Errors and source as `meta_gradient`."""
    integer("N", N, low=0)
    return outer.value(adapt(w, alpha, [inner] * N)[-1])


def mean_over_tasks(per_task: Array) -> Array:
    """Mean over the task axis of per-task vectors: (..., tasks, d) gives (..., d)."""
    tasks = per_task.shape[-2]
    # The digits of `mean`, whose own Python costs more than the sum of few numbers does.
    return np.add.reduce(per_task, axis=-2) / tasks if tasks > 1 else per_task[..., 0, :]
