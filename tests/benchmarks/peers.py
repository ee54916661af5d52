"""The same meta-gradient on the same arrays as others would have it.

By automatic differentiation: JAX, torch.func (also compiled), and a loop over tasks. By hand: PyTorch (also compiled).

Each function returns a call that gives the meta-gradients (R, B, d).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from problems.losses.cosine_loss import RotatedCosine
from problems.losses.linear_model import LinearModel
from tests.benchmarks.cases import ALPHA, Case
from theory.loss import Array, Loss


def data_of(loss: Loss) -> tuple[Array, ...]:
    """Arrays of a loss with the tasks along their first axis."""
    if isinstance(loss, RotatedCosine):
        return (loss.phase,)
    assert isinstance(loss, LinearModel)
    return loss.design, loss.target


def value_of(loss: Loss, library: Any, to_array: Callable[[Array], Any]) -> Callable[..., Any]:
    """Loss of one task as a function of w (d,) and the task's own arrays, in the functions of a library."""
    if isinstance(loss, RotatedCosine):
        rotation, frequency, amplitude = map(to_array, (loss.rotation, loss.frequency, loss.amplitude))
        return lambda w, phase: (amplitude * library.cos(frequency * (w @ rotation) + phase)).sum()
    assert isinstance(loss, LinearModel)
    c = loss.penalty.c

    def geman_mcclure(w: Any, design: Any, target: Any) -> Any:
        square = ((design @ w - target) / c) ** 2
        return 0.5 * c * c * (square / (1 + square)).mean()

    return geman_mcclure


def meta_objective(value: Callable[..., Any], gradient: Callable[..., Any], N: int) -> Callable[..., Any]:
    """`L_i` of one task, from its loss and the gradient of it."""

    def objective(w: Any, inner: Any, outer: Any) -> Any:
        for _ in range(N):
            w = w - ALPHA * gradient(w, *inner)
        return value(w, *outer)

    return objective


def jax_meta_gradient(case: Case) -> Callable[[], Array]:
    """`jit(vmap(vmap(grad)))`."""
    import jax

    config: Any = jax.config
    config.update("jax_enable_x64", True)
    inner, outer, w = case.build()
    value = value_of(inner, jax.numpy, jax.numpy.asarray)
    objective = meta_objective(value, jax.grad(value), case.N)
    over_tasks = jax.vmap(jax.grad(objective), (None, 0, 0))
    compiled = jax.jit(jax.vmap(over_tasks, (0, None, None)))
    arrays = jax.tree.map(jax.numpy.asarray, (w[:, 0], data_of(inner), data_of(outer)))
    return lambda: compiled(*arrays).block_until_ready()


def torch_func_meta_gradient(case: Case) -> Callable[[], Array]:
    """`torch.func.vmap(vmap(grad))`."""
    over_points, arrays = _torch_func(case)
    return lambda: over_points(*arrays).numpy()


def torch_compiled_meta_gradient(case: Case) -> Callable[[], Array]:
    """`torch.compile(torch.func.vmap(vmap(grad)))`."""
    import torch

    over_points, arrays = _torch_func(case)
    compiled = torch.compile(over_points, fullgraph=True)
    return lambda: compiled(*arrays).numpy()


def torch_by_hand_compiled(case: Case) -> Callable[[], Array]:
    """`torch.compile` of the path by hand: passes fused, and vector code for sine and cosine."""
    return torch_by_hand(case, compiled=True)


def _torch_func(case: Case) -> tuple[Callable[..., Any], tuple[Any, ...]]:
    """The meta-gradient of points and the data of both losses, and those."""
    import torch

    torch.set_num_threads(1)
    inner, outer, w = case.build()
    value = value_of(inner, torch, torch.as_tensor)
    objective = meta_objective(value, torch.func.grad(value), case.N)
    over_tasks = torch.func.vmap(torch.func.grad(objective), (None, 0, 0))
    over_points = torch.func.vmap(over_tasks, (0, None, None))
    data = [tuple(map(torch.as_tensor, data_of(loss))) for loss in (inner, outer)]
    return over_points, (torch.as_tensor(w[:, 0]), *data)


def torch_by_hand(case: Case, compiled: bool = False) -> Callable[[], Array]:
    """The path in PyTorch without automatic differentiation, as one would write it who knows the Hessians."""
    import torch

    torch.set_num_threads(1)
    inner, outer, w = case.build()
    by_hand = _cosines_by_hand if isinstance(inner, RotatedCosine) else _regression_by_hand
    tensors = [tuple(map(torch.as_tensor, arrays)) for arrays in (_fields(inner), _fields(outer))]
    points = torch.as_tensor(w[:, 0])

    def meta_gradient(points: Any, inner: Any, outer: Any) -> Any:
        return by_hand(inner, outer, points, case.N)

    call = torch.compile(meta_gradient, fullgraph=True) if compiled else meta_gradient
    return lambda: call(points, *tensors).numpy()


def _fields(loss: Loss) -> tuple[Array, ...]:
    if isinstance(loss, RotatedCosine):
        return loss.rotation, loss.frequency, loss.amplitude, loss.phase
    assert isinstance(loss, LinearModel)
    return loss.design, loss.target, np.array(loss.penalty.c)


def _cosines_by_hand(loss: Any, _: Any, points: Any, N: int) -> Any:
    """In rotated coordinates, where Hessians are diagonal: (R, B, d)."""
    import torch

    rotation, frequency, amplitude, phase = loss
    slope, curvature = amplitude * frequency, amplitude * frequency**2
    x = (points @ rotation)[:, None]
    factors = torch.ones((), dtype=x.dtype)
    for _ in range(N):
        angle = torch.addcmul(phase, frequency, x[..., None, :])
        factors = factors * (1 + ALPHA * (torch.cos(angle) * curvature).sum(dim=-2))
        x = x + ALPHA * (torch.sin(angle) * slope).sum(dim=-2)
    angle = torch.addcmul(phase, frequency, x[..., None, :])
    return (factors * (torch.sin(angle) * -slope).sum(dim=-2)) @ rotation.T


def _regression_by_hand(train: Any, test: Any, points: Any, N: int) -> Any:
    """Every point of all tasks at once, as columns: (R, B, d)."""
    import torch

    (A, y, c), (A_test, y_test, _) = train, test
    step = ALPHA / A.shape[1]
    w = points.T.expand(len(A), -1, -1)
    kept = []
    for _ in range(N):
        r = torch.baddbmm(-y[..., None], A, w)
        k = 1 + (r / c) ** 2
        kept.append(k)
        w = torch.baddbmm(w, A.mT, r / k**2, alpha=-step)
    r = torch.baddbmm(-y_test[..., None], A_test, w)
    v = A_test.mT @ (r / (1 + (r / c) ** 2) ** 2) / A_test.shape[1]
    for k in reversed(kept):
        v = torch.baddbmm(v, A.mT, (4 - 3 * k) / k**3 * (A @ v), alpha=-step)
    return v.permute(2, 0, 1)


def loop_over_tasks(case: Case) -> Callable[[], Array]:
    """What libraries for MAML do: each task by itself, `autograd.grad(create_graph=True)` each inner step."""
    import torch

    torch.set_num_threads(1)
    inner, outer, w = case.build()
    value = value_of(inner, torch, torch.as_tensor)
    tasks = [
        [tuple(torch.as_tensor(array[i]) for array in data_of(loss)) for loss in (inner, outer)] for i in range(case.B)
    ]
    points = torch.as_tensor(w[:, 0])

    def gradient(w: Any, *data: Any) -> Any:
        return torch.autograd.grad(value(w, *data), w, create_graph=True)[0]

    objective = meta_objective(value, gradient, case.N)

    def one(point: Any, task: Any) -> Array:
        leaf = point.clone().requires_grad_()
        return torch.autograd.grad(objective(leaf, *task), leaf)[0].numpy()

    return lambda: np.array([[one(point, task) for task in tasks] for point in points])
