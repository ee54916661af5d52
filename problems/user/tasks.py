"""Tasks as a user gives them: plain functions of one point, in the resampling or the finite-sum form."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, fields
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from problems.problem import Case
from problems.user.loss import DERIVATIVES, FunctionLoss, Functions, Vector
from theory.validation import one_line, suggestion

Sampler: TypeAlias = Callable[[np.random.Generator], Functions]
"""One random loss of a task."""


@dataclass(frozen=True, kw_only=True)
class Task:
    """One task, or one loss of it, given by plain functions of a point `w`, a float64 array of shape (d,).

    A resampling task has `value` (and derivatives, and perhaps `sample`); a finite-sum task has `train` and `test`,
    each a loss of the same form. A mapping with these keys, or any object with these attributes, serves as well.

    Attributes
    ----------
    value : `value(w)`, a number.
    gradient : `gradient(w)`, shape (d,). Left out: numerical differentiation of `value`.
    hessian : `hessian(w)`, shape (d, d), symmetric.
    hvp : `hvp(w, v)`, the Hessian times `v`, shape (d,). Both left out: numerical differentiation of `gradient`.
    sample : `sample(rng)`, a loss of the same form on one random datum; its mean is this loss.
    train, test : the mean losses on the training set and on the test set.
    """

    value: Callable[[Vector], float] | None = None
    gradient: Callable[[Vector], npt.ArrayLike] | None = None
    hessian: Callable[[Vector], npt.ArrayLike] | None = None
    hvp: Callable[[Vector, Vector], npt.ArrayLike] | None = None
    sample: Callable[[np.random.Generator], Any] | None = None
    train: Any = None
    test: Any = None


FIELDS = tuple(field.name for field in fields(Task))
LOSS_FIELDS = ("value", *DERIVATIVES)


def read_tasks(
    tasks: Iterable[Any], step: float, vectorised: bool = False
) -> tuple[Case, list[FunctionLoss], tuple[Sampler, ...]]:
    """Return the case, the losses ([population] or [training, test]) and the samplers (none without data noise).

    `step` is the first step of numerical differentiation, `vectorised` functions take many points.
    Raises ValueError, in one line that names the task, where there are none, where a task is incomplete or of no form,
    and where tasks differ in form.
    """
    if isinstance(tasks, Mapping) or not isinstance(tasks, Iterable):
        raise ValueError(f"tasks is a {type(tasks).__name__}, must be a list of tasks")
    given = [_read_fields(task, f"task {number}", FIELDS) for number, task in enumerate(tasks)]
    if not given:
        raise ValueError("tasks is empty: at least one task is needed")
    for number, task in enumerate(given):
        if missing := _difference(given[0], task):
            raise ValueError(f"task {number} and task 0 differ in {missing}: all tasks must have the same form")
    if "value" in given[0] and not given[0].keys() & {"train", "test"}:
        population = [_functions(task, f"task {number}", vectorised) for number, task in enumerate(given)]
        samplers = tuple(
            _sampler(task["sample"], f"task {n}: sample", vectorised)
            for n, task in enumerate(given)
            if "sample" in task
        )
        return "resampling", [FunctionLoss.of(population, step)], samplers
    if given[0].keys() == {"train", "test"}:
        losses = []
        for which in ("train", "test"):
            read = [_loss(task[which], f"task {number}: {which}", vectorised) for number, task in enumerate(given)]
            losses.append(FunctionLoss.of(read, step))
        return "finite-sum", losses, ()
    raise ValueError(
        f"task 0 has {', '.join(given[0]) or 'nothing'}: a task must have value (resampling), or train and test only "
        "(finite-sum)"
    )


def _read_fields(task: Any, label: str, allowed: tuple[str, ...]) -> dict[str, Any]:
    """Fields of a task, or of a loss of it, that are present, from a mapping or from attributes."""
    if not isinstance(task, Mapping):
        found = {name: getattr(task, name) for name in allowed if getattr(task, name, None) is not None}
        if not found:
            raise ValueError(f"{label} is a {type(task).__name__} and has none of {', '.join(allowed)}")
        return found
    for key in task:
        if key not in allowed:
            hint = suggestion(str(key), allowed)
            raise ValueError(f"{label}: {key!r} is not allowed{hint} (there are {', '.join(allowed)})")
    return {name: given for name, given in task.items() if given is not None}


def _difference(first: Mapping[str, Any], other: Mapping[str, Any]) -> str:
    return " and ".join(name for name in FIELDS if (name in first) != (name in other))


def _loss(given: Any, label: str, vectorised: bool) -> Functions:
    return _functions(_read_fields(given, label, LOSS_FIELDS), label, vectorised)


def _functions(given: Mapping[str, Any], label: str, vectorised: bool) -> Functions:
    """Functions of one loss; ValueError says what is missing or is not a function."""
    if "value" not in given:
        raise ValueError(f"{label}: value is missing: a loss must have at least value(w)")
    functions = {name: given[name] for name in LOSS_FIELDS if name in given}
    for name, function in functions.items():
        if not callable(function):
            raise ValueError(f"{label}: {name} is a {type(function).__name__}, must be a function")
    return Functions(label, **functions, vectorised=vectorised)


def _sampler(sample: Any, label: str, vectorised: bool) -> Sampler:
    if not callable(sample):
        raise ValueError(f"{label} is a {type(sample).__name__}, must be a function of a random generator")

    def draw(rng: np.random.Generator) -> Functions:
        try:
            drawn = sample(rng)
        except Exception as error:
            raise ValueError(f"{label}(rng) raised {one_line(error)}") from error
        return _functions(_read_fields(drawn, f"{label}(rng)", LOSS_FIELDS), label, vectorised)

    return draw
