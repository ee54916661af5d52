"""Losses in JAX: compiled and vectorised over points, each with the data of its task."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, TypeAlias

import jax
import jax.numpy as jnp
import numpy as np
import numpy.typing as npt

from problems.user.model_loss import Differentiator
from theory.loss import Array, TaskIndex
from theory.validation import one_line

Rebuild: TypeAlias = Callable[[Any], Any]
"""A vector (d,) ↦ the parameters as the user's loss takes them."""

SIZES = (4096, 512, 64, 8)
"""Numbers of rows that are compiled for; others are put together of them, so that a run compiles little."""
HINT = 'write jax.config.update("jax_enable_x64", True) before the first array is made'


class JaxLoss(Differentiator):
    """`loss(rebuild(w), data)`."""

    def __init__(self, loss: Callable[[Any, Any], Any], rebuild: Rebuild) -> None:
        def one(w: Any, data: Any) -> Any:
            return loss(rebuild(w), data)

        def hvp(w: Any, v: Any, data: Any) -> Any:
            return jax.jvp(lambda at: jax.grad(one)(at, data), (w,), (v,))[1]

        self._compiled = {
            "value": _many(one),
            "gradient": _many(jax.grad(one)),
            "hvp": _many(hvp),
        }

    def evaluate(self, what: str, stack: Any, place: TaskIndex, *points: Array) -> Array:
        """Evaluate rows; ValueError where the loss cannot be."""
        parts = []
        for first, last, size in _pieces(len(place)):
            index = np.minimum(np.arange(first, first + size), last - 1)  # the last row again, to fill up
            try:
                found = self._compiled[what](stack, place[index], *(array[index] for array in points))
            except Exception as error:  # whatever a user's code raises
                raise ValueError(f"loss cannot be evaluated at many points at once: {one_line(error)}") from error
            if found.shape != (size, *points[0].shape[1:])[: 1 if what == "value" else 2] or found.dtype != np.float64:
                raise ValueError(f"loss returned {found.dtype} of shape {found.shape[1:]}, must be a float64 scalar")
            parts.append(np.asarray(found)[: last - first])
        return np.concatenate(parts) if parts else np.empty((0, *points[0].shape[1:]))

    def floats(self, stack: Any) -> int:
        """Numbers in the data of one task."""
        return sum(leaf[0].size for leaf in jax.tree_util.tree_leaves(stack))


class Jax:
    """Data as trees of arrays."""

    def read(self, data: Any) -> tuple[tuple[Any, ...], Any]:
        """Arrays, floats as float64, and the structure of the tree."""
        leaves, structure = jax.tree_util.tree_flatten(data)
        return tuple(_array(leaf) for leaf in leaves), structure

    def stack(self, leaves: Sequence[tuple[Any, ...]], structure: Any) -> Any:
        """One tree of arrays with a leading axis of tasks."""
        return jax.tree_util.tree_unflatten(structure, [jnp.stack(same) for same in zip(*leaves, strict=True)])


def read_parameters(parameters: Any) -> tuple[npt.NDArray[np.float64], Rebuild]:
    """Return the parameters as a vector (d,), and what rebuilds them of one; ValueError unless they are float64."""
    if jnp.zeros(1).dtype != np.float64:
        raise ValueError(f"parameters are float32, must be float64: {HINT}")
    leaves, structure = jax.tree_util.tree_flatten(parameters)
    try:
        arrays = [np.asarray(leaf) for leaf in leaves]
    except (TypeError, ValueError) as error:
        raise ValueError(f"parameters are no tree of arrays: {one_line(error)}") from error
    if not sum(array.size for array in arrays):
        raise ValueError("parameters are none: at least one number is needed")
    for array in arrays:
        if array.dtype != np.float64:
            raise ValueError(f"parameters are {array.dtype}, must be float64: {HINT}")
    shapes, ends = [array.shape for array in arrays], np.cumsum([array.size for array in arrays])[:-1].tolist()

    def rebuild(w: Any) -> Any:
        parts = jnp.split(w, ends)
        return jax.tree_util.tree_unflatten(
            structure, [part.reshape(shape) for part, shape in zip(parts, shapes, strict=True)]
        )

    return np.concatenate([array.reshape(-1) for array in arrays]), rebuild


def _many(function: Callable[..., Any]) -> Callable[..., Any]:
    """Compile a function of points and data for many rows, which say where in a stack their data are."""

    def rows(stack: Any, place: Any, *points: Any) -> Any:
        return jax.vmap(function)(*points, jax.tree_util.tree_map(lambda leaf: leaf[place], stack))

    compiled: Callable[..., Any] = jax.jit(rows)
    return compiled


def _pieces(count: int) -> Iterator[tuple[int, int, int]]:
    """First row, last row and compiled size of each piece of `count` rows."""
    first = 0
    while first < count:
        size = next((size for size in SIZES if size <= count - first), SIZES[-1])
        last = min(first + size, count)
        yield first, last, size
        first = last


def _array(leaf: Any) -> Any:
    array = np.asarray(leaf)
    if array.dtype.kind not in "biuf":
        raise TypeError(f"{array.dtype} is no type of numbers")
    return jnp.asarray(array.astype(np.float64) if array.dtype.kind == "f" else array)
