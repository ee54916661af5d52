"""Losses in PyTorch: one call of `torch.func.vmap` for many points, each with the data of its task.

Rows do not mix, so that gradients of the sum of their losses are the gradients of each, twice over.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
import torch
from torch.utils import _pytree as pytree

from problems.user.model_loss import Differentiator
from theory.loss import Array, TaskIndex
from theory.validation import one_line

Tensor: TypeAlias = Any
"""A torch.Tensor; types of PyTorch are not asked for, so that they are checked alike where it is not installed."""
Rebuild: TypeAlias = Callable[[Tensor], Any]
"""A vector (d,) ↦ the parameters as the user's loss takes them."""


class TorchLoss(Differentiator):
    """`loss(rebuild(w), data)`."""

    def __init__(self, loss: Callable[[Any, Any], Any], rebuild: Rebuild) -> None:
        self._many = torch.func.vmap(lambda w, data: loss(rebuild(w), data))

    def evaluate(self, what: str, stack: Any, place: TaskIndex, *points: Array) -> Array:
        """Evaluate rows; ValueError where the loss cannot be."""
        w = torch.tensor(points[0], requires_grad=what != "value")
        at = torch.from_numpy(place)
        value = self._values(w, pytree.tree_map(lambda leaf: leaf[at], stack))
        if what == "value":
            return _numpy(value)
        if not value.requires_grad:
            raise ValueError("loss does not depend on the parameters (is it detached, or under no_grad?)")
        gradient = _derivative(value.sum(), w, create_graph=what == "hvp")
        if what == "gradient" or not gradient.requires_grad:
            return _numpy(gradient if what == "gradient" else torch.zeros_like(w))
        return _numpy(_derivative(gradient, w, torch.tensor(points[1])))

    def _values(self, w: Tensor, data: Any) -> Tensor:
        try:
            value = self._many(w, data)
        except Exception as error:  # whatever a user's code raises
            raise ValueError(f"loss cannot be evaluated at many points at once: {one_line(error)}") from error
        if not isinstance(value, torch.Tensor) or value.shape != w.shape[:1] or value.dtype != torch.float64:
            found = (
                f"{value.dtype} of shape {tuple(value.shape[1:])}" if isinstance(value, torch.Tensor) else repr(value)
            )
            raise ValueError(f"loss returned {found}, must be a float64 scalar")
        return value

    def floats(self, stack: Any) -> int:
        """Numbers in the data of one task."""
        return sum(leaf[0].numel() for leaf in pytree.tree_leaves(stack))


class Torch:
    """Data as trees of tensors."""

    def read(self, data: Any) -> tuple[tuple[Any, ...], Any]:
        """Tensors, floats as float64, and the structure of the tree."""
        leaves, structure = pytree.tree_flatten(data)
        return tuple(_tensor(leaf) for leaf in leaves), structure

    def stack(self, leaves: Sequence[tuple[Any, ...]], structure: Any) -> Any:
        """One tree of tensors with a leading axis of tasks."""
        return pytree.tree_unflatten([torch.stack(same) for same in zip(*leaves, strict=True)], structure)


def read_parameters(parameters: Any) -> tuple[npt.NDArray[np.float64], Rebuild, bool]:
    """Return the parameters as a vector (d,), what rebuilds them of one, and whether they were of single precision.

    Raises ValueError where they are no module with trainable parameters and no tree of floating tensors.
    """
    if isinstance(parameters, torch.nn.Module):
        return _of_module(parameters)
    leaves, structure = pytree.tree_flatten(parameters)
    start, pieces, cast = _flat(leaves, "parameters")
    return start, lambda w: pytree.tree_unflatten(pieces(w), structure), cast


def _of_module(module: Any) -> tuple[npt.NDArray[np.float64], Rebuild, bool]:
    trainable = {name: value for name, value in module.named_parameters() if value.requires_grad}
    start, pieces, cast = _flat(list(trainable.values()), f"the trainable parameters of {type(module).__name__}")
    double = copy.deepcopy(module).double()  # buffers and frozen parameters too

    def rebuild(w: Tensor) -> Callable[..., Any]:
        named = dict(zip(trainable, pieces(w), strict=True))
        return lambda *inputs, **more: torch.func.functional_call(double, named, inputs, more)

    return start, rebuild, cast


def _flat(leaves: Sequence[Any], what: str) -> tuple[npt.NDArray[np.float64], Callable[[Tensor], list[Tensor]], bool]:
    """Return the leaves as one vector, what cuts one into such leaves, and whether any was of single precision."""
    try:
        tensors = [torch.as_tensor(leaf).detach().cpu() for leaf in leaves]
    except (TypeError, ValueError, RuntimeError) as error:
        raise ValueError(f"parameters are no tree of tensors: {one_line(error)}") from error
    if not sum(tensor.numel() for tensor in tensors):
        raise ValueError(f"{what} are none: at least one number is needed")
    for tensor in tensors:
        if not tensor.is_floating_point():
            raise ValueError(f"parameters are {tensor.dtype}, must be floating-point tensors")
    shapes = [tensor.shape for tensor in tensors]
    sizes = [tensor.numel() for tensor in tensors]
    start = torch.cat([tensor.reshape(-1).double() for tensor in tensors]).numpy()

    def pieces(w: Tensor) -> list[Tensor]:
        return [part.reshape(shape) for part, shape in zip(w.split(sizes), shapes, strict=True)]

    return start, pieces, any(tensor.dtype != torch.float64 for tensor in tensors)


def _tensor(leaf: Any) -> Tensor:
    tensor = torch.as_tensor(leaf).detach().cpu()
    return tensor.double() if tensor.is_floating_point() else tensor


def _derivative(of: Tensor, w: Tensor, along: Tensor | None = None, create_graph: bool = False) -> Tensor:
    return torch.autograd.grad(of, w, along, create_graph=create_graph, allow_unused=True, materialize_grads=True)[0]


def _numpy(tensor: Tensor) -> Array:
    return np.asarray(tensor.detach().numpy())
