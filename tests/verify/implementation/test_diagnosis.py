"""Every mistake, made on purpose by code of its own, is diagnosed as itself; no two look alike."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import combinations
from typing import Any

import numpy as np
import pytest

from theory.loss import Array
from theory.maml import mean_over_tasks, meta_gradient
from verify.implementation.cells import Cell, cells
from verify.implementation.check import check
from verify.implementation.diagnosis import Candidate, candidates, diagnose
from verify.implementation.mistakes import OVER_TASKS, PER_TASK

DATA, TASKS = 5, 4

Task = Any
OneTask = Callable[[Task, Array, float, int], Array]


def adapt(loss: Any, w: Array, alpha: float, N: int) -> list[Array]:
    path = [w]
    for _ in range(N):
        path.append(path[-1] - alpha * loss.gradient(path[-1]))
    return path


def back(loss: Any, v: Array, alpha: float, points: Sequence[Array]) -> Array:
    """Factors at `points`, the first point's first, each as a matrix."""
    for point in points:
        hessian = np.array([loss.hvp(point, axis) for axis in np.eye(len(v))])
        v = (np.eye(len(v)) - alpha * hessian) @ v
    return v


def right(train: Any, test: Any, w: Array, alpha: float, N: int) -> Array:
    path = adapt(train, w, alpha, N)
    return back(train, test.gradient(path[N]), alpha, path[N - 1 :: -1] if N else [])


def first_order(task: Task, w: Array, alpha: float, N: int) -> Array:
    gradient: Array = task.test.gradient(adapt(task.train, w, alpha, N)[N])
    return gradient


def late(task: Task, w: Array, alpha: float, N: int) -> Array:
    path = adapt(task.train, w, alpha, N)
    return back(task.train, task.test.gradient(path[N]), alpha, path[N:0:-1])


def backwards(task: Task, w: Array, alpha: float, N: int) -> Array:
    path = adapt(task.train, w, alpha, N)
    return back(task.train, task.test.gradient(path[N]), alpha, path[:N])


def truncated(task: Task, w: Array, alpha: float, N: int) -> Array:
    path = adapt(task.train, w, alpha, N)
    return back(task.train, task.test.gradient(path[N]), alpha, path[N - 1 : N])


def moved(task: Task, w: Array, alpha: float, N: int) -> Array:
    return w - adapt(task.train, w, alpha, N)[N]


ONE_TASK: dict[str, OneTask] = {
    "exact": lambda task, w, alpha, N: right(task.train, task.test, w, alpha, N),
    "first-order": first_order,
    "late Hessians": late,
    "reversed factors": backwards,
    "training and test swapped": lambda task, w, alpha, N: right(task.test, task.train, w, alpha, N),
    "training loss at the end": lambda task, w, alpha, N: right(task.train, task.train, w, alpha, N),
    "gradient before adaptation": lambda task, w, alpha, N: task.test.gradient(w),
    "N + 1 steps": lambda task, w, alpha, N: right(task.train, task.test, w, alpha, N + 1),
    "N - 1 steps": lambda task, w, alpha, N: right(task.train, task.test, w, alpha, N - 1),
    "alpha times data": lambda task, w, alpha, N: right(task.train, task.test, w, alpha * DATA, N),
    "alpha over data": lambda task, w, alpha, N: right(task.train, task.test, w, alpha / DATA, N),
    "alpha times tasks": lambda task, w, alpha, N: right(task.train, task.test, w, alpha * TASKS, N),
    "alpha over tasks": lambda task, w, alpha, N: right(task.train, task.test, w, alpha / TASKS, N),
    "truncated": truncated,
    "Reptile": moved,
    "Reptile over alpha": lambda task, w, alpha, N: moved(task, w, alpha, N) / alpha,
    "Reptile over N alpha": lambda task, w, alpha, N: moved(task, w, alpha, N) / (N * alpha),
}

ALL_TASKS: dict[str, Callable[[list[Array]], Array]] = {
    "exact": lambda each: np.mean(each, axis=0),
    "sum over tasks": lambda each: np.sum(each, axis=0),
    "only the last task": lambda each: each[-1],
    "sign": lambda each: -np.mean(each, axis=0),
}


def adapter(one_task: str, all_tasks: str) -> Callable[..., Array]:
    """An implementation that makes these mistakes."""

    def implementation(tasks: list[Task], w: np.ndarray[Any, Any], alpha: float, N: int) -> Array:
        return ALL_TASKS[all_tasks]([ONE_TASK[one_task](task, w, alpha, N) for task in tasks])

    return implementation


@pytest.fixture(scope="module")
def where() -> list[Cell]:
    return cells()


@pytest.fixture(scope="module")
def known(where: list[Cell]) -> list[Candidate]:
    return list(candidates(where))


def returned(implementation: Callable[..., Array]) -> Array:
    return check(implementation).returned


def test_the_catalogue_is_what_is_tested_here() -> None:
    assert [part.name or "exact" for part in PER_TASK] == list(ONE_TASK)
    assert [part.name or "exact" for part in OVER_TASKS] == list(ALL_TASKS)


@pytest.mark.parametrize("name", list(ONE_TASK))
def test_each_mistake_in_a_task_is_diagnosed_as_itself(name: str) -> None:
    result = check(adapter(name, "exact"))
    assert result.diagnosis.name == name
    assert (result.relative_error * np.linalg.norm(result.exact, axis=1) <= result.tolerance).all() == (name == "exact")


@pytest.mark.parametrize("all_tasks", list(ALL_TASKS)[1:])
@pytest.mark.parametrize("one_task", ["exact", "first-order", "N - 1 steps", "Reptile over alpha"])
def test_each_mistake_over_tasks_is_diagnosed_as_itself_also_beside_another(one_task: str, all_tasks: str) -> None:
    diagnosis = check(adapter(one_task, all_tasks)).diagnosis
    assert diagnosis.name == (all_tasks if one_task == "exact" else f"{one_task} and {all_tasks}")


def test_what_is_exact_is_what_the_theory_says(known: list[Candidate], where: list[Cell]) -> None:
    assert known[0].diagnosis.is_exact
    for vector, cell in zip(known[0].vectors, where, strict=True):
        expected = mean_over_tasks(meta_gradient(cell.w, cell.alpha, cell.N, cell.train, cell.test))
        np.testing.assert_allclose(vector, expected, rtol=1e-12, atol=1e-13)


def test_no_two_candidates_look_alike(known: list[Candidate]) -> None:
    """At some cell they are a tenth of the meta-gradient apart: a hundred times what single precision explains."""
    size = np.linalg.norm(known[0].vectors, axis=1)
    assert len(known) == len(PER_TASK) * len(OVER_TASKS)
    assert len({candidate.diagnosis.name for candidate in known}) == len(known)
    for one, other in combinations(known, 2):
        apart, names = one.distance(other.vectors), (one.diagnosis.name, other.diagnosis.name)
        assert (apart / size).max() > 0.1, names
        assert (apart / (one.tolerance(np.float32) + other.tolerance(np.float32))).max() > 100, names


def test_tolerances_are_rounding(known: list[Candidate]) -> None:
    """Per candidate and cell: some ten to some thousand units of the precision, relative to what is returned."""
    for candidate in known:
        relative = candidate.tolerance(np.float64) / np.linalg.norm(candidate.vectors, axis=1)
        assert relative.min() > 10 * np.finfo(np.float64).eps
        assert relative.max() < 3e4 * np.finfo(np.float64).eps


def test_each_candidate_is_found_in_single_precision(known: list[Candidate]) -> None:
    for candidate in known:
        found = diagnose(candidate.vectors.astype(np.float32).astype(np.float64), known)
        name = candidate.diagnosis.name
        assert found.name == ("single precision" if name == "exact" else f"{name} and single precision")


def test_single_precision_throughout_is_found() -> None:
    def implementation(tasks: list[Task], w: np.ndarray[Any, Any], alpha: float, N: int) -> Array:
        total = np.zeros(3, dtype=np.float32)
        for task in tasks:
            path = [w.astype(np.float32)]
            for _ in range(N):
                path.append((path[-1] - alpha * task.train.gradient(path[-1])).astype(np.float32))
            v = task.test.gradient(path[N]).astype(np.float32)
            for point in path[N - 1 :: -1]:
                v = (v - alpha * task.train.hvp(point, v)).astype(np.float32)
            total += v
        return total / len(tasks)

    assert check(implementation).diagnosis.name == "single precision"


def test_derivatives_by_differences_are_not_exact() -> None:
    def hvp(loss: Any, w: Array, v: Array) -> Array:
        gradient: Array = (loss.gradient(w + 1e-5 * v) - loss.gradient(w - 1e-5 * v)) / 2e-5
        return gradient

    def implementation(tasks: list[Task], w: np.ndarray[Any, Any], alpha: float, N: int) -> Array:
        total = np.zeros(3)
        for task in tasks:
            path = adapt(task.train, w, alpha, N)
            v = task.test.gradient(path[N])
            for point in path[N - 1 :: -1]:
                v = v - alpha * hvp(task.train, point, v)
            total += v
        return total / len(tasks)

    assert check(implementation).diagnosis.name == "single precision"


def test_what_is_no_known_mistake_is_unknown_and_the_nearest_is_named(
    known: list[Candidate], where: list[Cell]
) -> None:
    found = diagnose(1.001 * known[0].vectors, known)
    assert found.name == "unknown"
    assert "the nearest, 'exact', is 0.001 off" in found.says
    assert diagnose(np.random.default_rng(0).normal(size=known[0].vectors.shape), known).name == "unknown"


def test_one_wrong_cell_is_enough(known: list[Candidate]) -> None:
    for i in range(len(known[0].vectors)):
        vectors = known[0].vectors.copy()
        vectors[i] *= 1 + 1e-9
        assert not diagnose(vectors, known).is_exact
