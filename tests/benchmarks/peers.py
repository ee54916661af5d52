"""The same meta-gradient by automatic differentiation, on the same arrays: JAX, torch.func, and a loop over tasks.

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
    import torch

    torch.set_num_threads(1)
    inner, outer, w = case.build()
    value = value_of(inner, torch, torch.as_tensor)
    objective = meta_objective(value, torch.func.grad(value), case.N)
    over_tasks = torch.func.vmap(torch.func.grad(objective), (None, 0, 0))
    over_points = torch.func.vmap(over_tasks, (0, None, None))
    data = [tuple(map(torch.as_tensor, data_of(loss))) for loss in (inner, outer)]
    points = torch.as_tensor(w[:, 0])
    return lambda: over_points(points, *data).numpy()


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
