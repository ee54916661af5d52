"""Losses given by plain functions of one point: the adapter that makes a batch of them a `Loss`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Self, TypeAlias

import numpy as np
import numpy.typing as npt

from problems.noise import DataNoise
from problems.user.derivatives import numerical_gradient, numerical_hvp, numerical_hvp_of_value
from theory.loss import Array, Loss, TaskIndex
from theory.validation import one_line

Vector: TypeAlias = npt.NDArray[np.float64]
"""A 1-D float64 array of length d."""

DERIVATIVES = ("gradient", "hessian", "hvp")


@dataclass(frozen=True)
class Functions:
    """The functions of one loss, and the `label` that names it in an error.

    They take one point (d,), or, where `vectorised`, many (n, d) at once.
    """

    label: str
    value: Callable[[Vector], Any]
    gradient: Callable[[Vector], Any] | None = None
    hessian: Callable[[Vector], Any] | None = None
    hvp: Callable[[Vector, Vector], Any] | None = None
    vectorised: bool = False

    @property
    def derivatives(self) -> frozenset[str]:
        """Names of the derivatives that are given."""
        return frozenset(name for name in DERIVATIVES if getattr(self, name) is not None)

    def call(self, name: str, shape: tuple[int, ...], *arguments: Vector) -> Array:
        """Call one function: an array of `shape`, NaN where the function overflows.

        Raises ValueError, naming the loss and the function, where it raises or its result has another shape or type.
        """
        try:
            returned = getattr(self, name)(*arguments)
        except OverflowError:
            return np.full(shape, np.nan)
        except Exception as error:
            raise ValueError(f"{self.label}: {name} raised {one_line(error)}") from error
        try:
            result = np.asarray(returned)
        except ValueError as error:
            raise ValueError(f"{self.label}: {name} returned no array: {one_line(error)}") from error
        # Single precision would show up as violations of size 1e-7.
        if result.shape != shape or not (result.dtype.kind in "iu" or result.dtype == np.float64):
            allowed = f"float64 of shape {shape}" if shape else "a float64 number"
            raise ValueError(f"{self.label}: {name} returned {_describe(result)}, must be {allowed}")
        return result.astype(np.float64, copy=False)


def _describe(result: npt.NDArray[Any]) -> str:
    return f"{result.dtype} {result.item()!r:.40}" if result.ndim == 0 else f"{result.dtype} of shape {result.shape}"


@dataclass(frozen=True)
class FunctionLoss(Loss):
    """A batch of losses given by plain functions: here, and only here, Python loops over tasks, and over points.

    `functions` is an array of `Functions`, all with the same derivatives, whose shape is the batch shape; `step` is
    the first step of numerical differentiation, where a derivative was left out.
    """

    functions: npt.NDArray[np.object_]
    step: float

    @classmethod
    def of(cls, functions: Iterable[Functions], step: float) -> Self:
        """Batch of shape (tasks,); raises ValueError where the losses differ in their derivatives."""
        return cls(_object_array(_alike(list(functions))), step)

    @property
    def derivatives(self) -> frozenset[str]:
        """Names of the derivatives that are given."""
        first: Functions = self.functions.reshape(-1)[0]
        return first.derivatives

    @property
    def differentiated(self) -> str:
        """Names of the derivatives that were left out and are computed numerically, or ""."""
        missing = [] if "gradient" in self.derivatives else ["gradient"]
        missing += [] if self.derivatives & {"hessian", "hvp"} else ["hvp"]
        return " and ".join(missing)

    def take(self, tasks: TaskIndex) -> Self:
        """Losses of `tasks`."""
        taken = np.empty(tasks.shape, dtype=object)
        taken[...] = self.functions[tasks]
        return type(self)(taken, self.step)

    def value(self, w: Array) -> Array:
        """Loss at `w` (..., d): shape (...)."""
        shape, functions, (rows,) = self._rows(w)
        return _evaluate(functions, "value", (), rows).reshape(shape)

    def gradient(self, w: Array) -> Array:
        """Gradient at `w` (..., d): shape (..., d)."""
        shape, functions, (rows,) = self._rows(w)
        return self._gradients(functions, rows).reshape(*shape, w.shape[-1])

    def hvp(self, w: Array, v: Array) -> Array:
        """Hessian at `w` (..., d) times `v` (..., d): shape (..., d)."""
        shape, functions, (rows, directions) = self._rows(w, v)
        d = w.shape[-1]
        if "hvp" in self.derivatives:
            products = _evaluate(functions, "hvp", (d,), rows, directions)
        elif "hessian" in self.derivatives:
            products = np.einsum("nij,nj->ni", _evaluate(functions, "hessian", (d, d), rows), directions)
        elif "gradient" in self.derivatives:
            products = numerical_hvp(
                lambda x, row: self._gradients(functions[row], x), rows, directions, self.step
            ).value
        else:
            products = numerical_hvp_of_value(
                lambda x, row: _evaluate(functions[row], "value", (), x), rows, directions, self.step
            )
        return products.reshape(*shape, d)

    def _rows(self, *arrays: Array) -> tuple[tuple[int, ...], npt.NDArray[np.object_], list[Array]]:
        """Broadcast batch and arrays (..., d), and flatten: the shape, and one function and one row of each array."""
        shape = np.broadcast_shapes(self.functions.shape, *(array.shape[:-1] for array in arrays))
        rows = [np.broadcast_to(array, (*shape, array.shape[-1])).reshape(-1, array.shape[-1]) for array in arrays]
        return shape, np.broadcast_to(self.functions, shape).reshape(-1), rows

    def _gradients(self, functions: npt.NDArray[np.object_], rows: Array) -> Array:
        if "gradient" in self.derivatives:
            return _evaluate(functions, "gradient", rows.shape[1:], rows)
        return numerical_gradient(lambda x, row: _evaluate(functions[row], "value", (), x), rows, self.step).value


def _evaluate(functions: npt.NDArray[np.object_], name: str, shape: tuple[int, ...], *rows: Array) -> Array:
    """Call one function a row: (n, *shape), NaN where a row is not finite (a run that has diverged)."""
    out = np.full((len(functions), *shape), np.nan)
    own = [array.astype(np.float64) for array in rows]  # a copy, so that a function may do with its point what it likes
    finite = np.flatnonzero(np.all([np.isfinite(array).all(axis=1) for array in own], axis=0))
    with np.errstate(all="ignore"):  # what is not finite is found where it matters
        for function, at in _together(functions, finite):
            out[at] = function.call(name, (*np.shape(at), *shape), *(array[at] for array in own))
    return out


def _together(
    functions: npt.NDArray[np.object_], rows: npt.NDArray[np.intp]
) -> Iterator[tuple[Functions, npt.NDArray[np.intp]]]:
    """Each function with the row that it is called for, or with all of its rows where it takes many."""
    if not len(rows) or not functions[rows[0]].vectorised:
        yield from ((functions[row], row) for row in rows)
        return
    of_function: dict[int, list[np.intp]] = {}
    for row in rows:
        of_function.setdefault(id(functions[row]), []).append(row)
    yield from ((functions[at[0]], np.array(at)) for at in of_function.values())


def _object_array(items: Sequence[Functions]) -> npt.NDArray[np.object_]:
    array = np.empty(len(items), dtype=object)
    array[:] = items
    return array


@dataclass(frozen=True)
class FunctionNoise(DataNoise):
    """Data noise given by one `sample(rng)` a task; a minibatch is the mean of as many samples as it has data."""

    samples: tuple[Callable[[np.random.Generator], Functions], ...]
    step: float
    gradient_sup: float = np.inf
    hessian_sup: float = np.inf

    def minibatch(self, tasks: TaskIndex, size: int, rng: np.random.Generator) -> FunctionLoss:
        """Mean loss of `size` fresh samples for each entry of `tasks`."""
        draws = _alike([self.samples[task](rng) for task in tasks.ravel().tolist() for _ in range(size)])
        means = [_mean(draws[first : first + size]) for first in range(0, len(draws), size)]
        return FunctionLoss(_object_array(means).reshape(tasks.shape), self.step)


def _alike(losses: Sequence[Functions]) -> Sequence[Functions]:
    """Return the losses; raises ValueError, naming one of them, where they differ in their derivatives."""
    for loss in losses:
        if differing := loss.derivatives ^ losses[0].derivatives:
            names = " and ".join(sorted(differing))
            raise ValueError(f"{loss.label} and {losses[0].label} differ in {names}: all must have the same form")
    return losses


def _mean(losses: Sequence[Functions]) -> Functions:
    """Mean of losses with the same derivatives."""
    if len(losses) == 1:
        return losses[0]

    def mean(name: str) -> Callable[..., Any]:
        functions = [getattr(loss, name) for loss in losses]
        return lambda *arguments: sum(np.asarray(f(*arguments)) for f in functions) / len(functions)

    means = {name: mean(name) for name in losses[0].derivatives}
    return Functions(losses[0].label, mean("value"), **means, vectorised=losses[0].vectorised)
