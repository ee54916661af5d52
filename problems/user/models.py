"""What `from_torch` and `from_jax` share: tasks as a user gives them, and the problem that is made of them."""

from __future__ import annotations

import importlib
import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from problems.problem import Problem
from problems.user.assembly import Parts
from problems.user.checks import AGREEMENT, show
from problems.user.derivatives import numerical_gradient, numerical_hvp
from problems.user.memory import once
from problems.user.model_loss import DataSets, Differentiator, ModelLoss
from problems.user.region import read_region
from problems.user.rows import Rows, every_task
from theory.constants import Constants
from theory.loss import Array
from theory.validation import integer, suggestion

logger = logging.getLogger("problems")

TRAIN, TEST = "train", "test"
CHECKED_POINTS, COMPARED_POINTS = 16, 2


class Framework(Protocol):
    """A framework, as far as data are concerned."""

    def read(self, data: Any) -> tuple[tuple[Any, ...], Any]:
        """Arrays of the data of one task, floats as float64, and their structure; ValueError where they are none."""

    def stack(self, leaves: Sequence[tuple[Any, ...]], structure: Any) -> Any:
        """One tree with a leading axis of tasks."""


@dataclass(frozen=True, kw_only=True)
class Options:
    """What a user may add to a loss, parameters and tasks; see `from_torch`."""

    constants: Constants | Mapping[str, float] | None
    name: str
    region: float | tuple[npt.ArrayLike, npt.ArrayLike]
    train_size: int | None
    test_size: int | None


def required(package: str, function: str) -> Any:
    """Import a framework; ValueError names the extra where it is missing."""
    try:
        return importlib.import_module(package)
    except ModuleNotFoundError as error:
        if error.name != package.split(".")[0]:
            raise
        install = f"python -m pip install 'maml-theory-verification[{package}]'"
        raise ValueError(f"{function} needs the package {package}: {install}") from error


def problem_of(
    function: Differentiator, framework: Framework, start: npt.NDArray[np.float64], tasks: Any, options: Options
) -> Problem:
    """Make a problem of one loss function and the data of each task; errors as `from_torch`."""
    sets = {which: _data_sets(framework, which, data) for which, data in read_tasks(tasks).items()}
    losses = [ModelLoss.of(function, data) for data, _ in sets.values()]
    sizes = _sizes([largest for _, largest in sets.values()], options) if TRAIN in sets else (1, 1)
    region, at = read_region(options.region, start, len(start))

    step = region.reach / 8

    def check() -> None:
        points = region.points(CHECKED_POINTS, np.random.default_rng(0))
        for which, loss in zip(sets, losses, strict=True):
            _check(loss, which, every_task(np.concatenate([at[None], points]), len(loss.tasks)), step)

    once(check)
    parts = Parts(
        name=options.name,
        case="finite-sum" if TRAIN in sets else "resampling",
        inner=losses[0],
        outer=losses[-1],
        tasks=len(losses[0].tasks),
        labels=tuple(f"task {number}" for number in range(len(losses[0].tasks))),
        region=region,
        start=at,
        step=step,
        train_size=sizes[0],
        test_size=sizes[1],
    )
    return parts.assemble(options.constants)


def _sizes(largest: Sequence[int], options: Options) -> tuple[int, int]:
    """Data points per training and test set: as given, or as many as the largest set has."""
    given = (options.train_size, options.test_size)
    train, test = (found if size is None else size for size, found in zip(given, largest, strict=True))
    integer("train_size", train, low=1)
    integer("test_size", test, low=1)
    return train, test


def read_tasks(tasks: Any) -> dict[str, list[Any]]:
    """Data by what they are: "train" and "test" where tasks have both, else "" (resampling).

    Raises ValueError, in one line that names the task, where there are none, or where tasks differ in form.
    """
    if isinstance(tasks, Mapping | str) or not isinstance(tasks, Iterable):
        raise ValueError(f"tasks is a {type(tasks).__name__}, must be a list of tasks")
    given = [_split(task, number) for number, task in enumerate(tasks)]
    if not given:
        raise ValueError("tasks is empty: at least one task is needed")
    for number, task in enumerate(given):
        if task.keys() != given[0].keys():
            raise ValueError(f"task {number} and task 0 differ: either all or none must have training and test data")
    return {which: [task[which] for task in given] for which in given[0]}


def _split(task: Any, number: int) -> dict[str, Any]:
    """Training and test data of a task: a pair of containers, or a mapping with these keys; anything else is data."""
    if isinstance(task, Mapping) and task.keys() & {TRAIN, TEST}:
        for key in task:
            if key not in (TRAIN, TEST):
                hint = suggestion(str(key), (TRAIN, TEST))
                raise ValueError(f"task {number}: {key!r} is not allowed{hint} (there are train, test)")
        for key in (TRAIN, TEST):
            if key not in task:
                raise ValueError(f"task {number}: {key} is missing: a task must have train and test")
        return dict(task)
    if isinstance(task, tuple) and len(task) == 2 and all(isinstance(part, tuple | list | Mapping) for part in task):
        return {TRAIN: task[0], TEST: task[1]}
    return {"": task}


def _data_sets(framework: Framework, which: str, data: Sequence[Any]) -> tuple[DataSets, int]:
    """Data of all tasks, those of equal shape stacked, and the size of the largest set (its leading axis)."""
    read: list[tuple[tuple[Any, ...], Any]] = []
    for number, task in enumerate(data):
        label = f"task {number}" + (f": {which}" if which else "")
        try:
            leaves, structure = framework.read(task)
        except (TypeError, ValueError) as error:
            raise ValueError(
                f"{label} is no data: {error}; must be arrays, or tuples, lists or mappings of them"
            ) from error
        if read and structure != read[0][1]:
            raise ValueError(f"{label} has data of another form than task 0: all must have the same")
        read.append((leaves, structure))
    shapes = [tuple(tuple(leaf.shape) for leaf in leaves) for leaves, _ in read]
    kinds = list(dict.fromkeys(shapes))
    stacks = tuple(
        framework.stack([leaves for (leaves, _), shape in zip(read, shapes, strict=True) if shape == kind], read[0][1])
        for kind in kinds
    )
    stack = np.array([kinds.index(shape) for shape in shapes])
    place = np.array([shapes[:number].count(shape) for number, shape in enumerate(shapes)])
    return DataSets(stacks, stack, place), max((shape[0] for leaves in shapes for shape in leaves if shape), default=1)


def _check(loss: ModelLoss, which: str, rows: Rows, step: float) -> None:
    """Require values and derivatives that are finite, the same at every call, and derivatives of one another."""
    of_rows, u = loss.take(rows.task), np.random.default_rng(0).normal(size=rows.w.shape)
    u /= np.linalg.norm(u, axis=1, keepdims=True)
    results = {"loss": of_rows.value(rows.w), "gradient": of_rows.gradient(rows.w), "hvp": of_rows.hvp(rows.w, u)}
    again = {"loss": of_rows.value(rows.w)}
    for name, result in results.items():
        finite = np.isfinite(result.reshape(len(rows.w), -1)).all(axis=1)
        for row in np.flatnonzero(~finite)[:1]:
            raise ValueError(f"{_place(which, name, rows, row)} is NaN or infinite, must be finite in the region")
    for row in np.flatnonzero(results["loss"] != again["loss"])[:1]:
        raise ValueError(f"{_place(which, 'loss', rows, row)} differs from call to call, must not be random")
    few = rows.take(np.arange(min(len(rows.w), COMPARED_POINTS * len(loss.tasks))))
    w, u = few.w, u[: len(few.w)]

    def along(t: Array, row: npt.NDArray[np.intp]) -> Array:
        return loss.take(few.task[row]).value(w[row] + t * u[row])

    def gradient(x: Array, row: npt.NDArray[np.intp]) -> Array:
        return loss.take(few.task[row]).gradient(x)

    slope = numerical_gradient(along, np.zeros((len(w), 1)), step)
    exact = (results["gradient"][: len(w)] * u).sum(axis=1, keepdims=True)
    scale = np.linalg.norm(results["gradient"][: len(w)], axis=1, keepdims=True)
    _require_agreement("gradient", "loss", exact, slope.value, slope.error, scale, which, few)
    change = numerical_hvp(gradient, w, u, step)
    exact = results["hvp"][: len(w)]
    scale = np.linalg.norm(exact, axis=1, keepdims=True)
    _require_agreement("hvp", "gradient", exact, change.value, change.error, scale, which, few)


def _require_agreement(
    name: str, of: str, exact: Array, found: Array, error: Array, scale: Array, which: str, rows: Rows
) -> None:
    with np.errstate(invalid="ignore"):
        off = np.abs(exact - found) > 10 * error + AGREEMENT * scale
    for row in np.flatnonzero(off.any(axis=1))[:1]:
        raise ValueError(
            f"{_place(which, name, rows, row)} is not the derivative of the {of}: {exact[row][off[row]][0]:.6g}, "
            f"numerically {found[row][off[row]][0]:.6g} (is something detached?)"
        )


def _place(which: str, name: str, rows: Rows, row: int) -> str:
    return f"task {rows.task[row]}: {which + ': ' if which else ''}{name} at w = {show(rows.w[row])}"
