"""Call an implementation at every cell, and hold what it returns against what it should be."""

from __future__ import annotations

import contextlib
import inspect
import sys
from collections.abc import Callable
from dataclasses import dataclass
from itertools import chain
from typing import Any

import numpy as np
import numpy.typing as npt

from problems.differentiable.losses import tasks_of
from theory.loss import Array
from theory.validation import one_line
from verify.implementation.cells import Cell, cells
from verify.implementation.diagnosis import Diagnosis, candidates, diagnose
from verify.implementation.frameworks import infer, points_of, to_vector
from verify.running.user_code import describe

Implementation = Callable[..., Any]
"""`meta_gradient(tasks, w, alpha, N)`, which returns a vector of the shape of `w`."""


@dataclass(frozen=True)
class Result:
    """What an implementation returned, beside what is right.

    Attributes
    ----------
    name : of the implementation.
    framework : "numpy", "torch" or "jax".
    cells : where it was called.
    returned, exact : (cells, d).
    tolerance : (cells,) distance that rounding explains.
    diagnosis : what it computes.
    """

    name: str
    framework: str
    cells: tuple[Cell, ...]
    returned: npt.NDArray[np.float64]
    exact: npt.NDArray[np.float64]
    tolerance: npt.NDArray[np.float64]
    diagnosis: Diagnosis

    @property
    def relative_error(self) -> npt.NDArray[np.float64]:
        """Distance from the exact meta-gradient over the norm of that, (cells,)."""
        return np.asarray(np.linalg.norm(self.returned - self.exact, axis=1) / np.linalg.norm(self.exact, axis=1))


def check(function: Implementation, framework: str | None = None, name: str | None = None) -> Result:
    """Call `function(tasks, w, alpha, N)` at every cell and diagnose what it returns.

    Parameters
    ----------
    function : the implementation. `tasks` is a list, `task.train(w)` and `task.test(w)` are scalar losses; in NumPy
        their `gradient(w)` and `hvp(w, v)` are there as well. It returns the meta-gradient, of the shape (d,) of `w`.
    framework : "numpy", "torch" or "jax"; where it is None, the annotation of `w` tells.
    name : what to call it.

    Raises
    ------
    ValueError : one line, where the function takes other arguments, raises, or returns no finite vector of that shape,
        and where the framework is unknown or not installed.
    """
    name = name or str(getattr(function, "__name__", type(function).__name__))
    _require_arguments(function, name)
    framework = framework or infer(function, name)
    where = tuple(cells())
    with points_of(framework) as to_point:
        returned = np.stack([_call(function, name, cell, to_point) for cell in where])
    known = candidates(where)
    right = next(known)
    return Result(
        name=name,
        framework=framework,
        cells=where,
        returned=returned,
        exact=right.vectors,
        tolerance=right.tolerance(np.float64),
        diagnosis=diagnose(returned, chain([right], known)),
    )


def _require_arguments(function: Implementation, name: str) -> None:
    try:
        inspect.signature(function).bind("tasks", "w", "alpha", "N")
    except TypeError as error:
        raise ValueError(f"{name} must take the arguments (tasks, w, alpha, N): {error}") from error


def _call(function: Implementation, name: str, cell: Cell, to_point: Callable[[Array], Any]) -> Array:
    """Return what the implementation returns at a cell, (d,)."""
    evaluated = ["no loss yet"]
    tasks = tasks_of(cell.train, cell.test, evaluated.append)
    (w,) = cell.w
    try:
        with contextlib.redirect_stdout(sys.stderr):  # standard output is for the result alone
            returned = function(tasks, to_point(w), cell.alpha, cell.N)
    except (Exception, SystemExit) as error:
        what = describe(error, _file(function))
        raise ValueError(f"{name} failed on {cell}; evaluated last: {evaluated[-1]}: {what}") from error
    try:
        return to_vector(returned, len(w))
    except Exception as error:
        raise ValueError(
            f"{name} on {cell} returned {one_line(error).removeprefix('ValueError: ')}: it must return an array of "
            f"{len(w)} finite real numbers, shape {w.shape}"
        ) from error


def _file(function: Implementation) -> str:
    """File in which a function is written, "" where that is unknown."""
    code = getattr(inspect.unwrap(function), "__code__", None)
    return getattr(code, "co_filename", "")
