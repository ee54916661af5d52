"""The evolution asks for the points that scipy's asks for, bit by bit, and reaches a minimum."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from scipy import optimize

from theory.loss import Array
from verify.evidence.evolution import evolve


def rosenbrock(points: Array) -> Array:
    return np.asarray((100 * (points[:, 1:] - points[:, :-1] ** 2) ** 2 + (1 - points[:, :-1]) ** 2).sum(axis=1))


def terraces(points: Array) -> Array:
    """Many equal values, and the minimum outside the box: members draw anew, and ties count as better."""
    return np.asarray(np.floor(points.sum(axis=1)))


def huge_somewhere(points: Array) -> Array:
    return np.where(points[:, 0] > 0, -1e100, rosenbrock(points))


def asked(search: Callable[[Callable[[Array], Array]], object], objective: Callable[[Array], Array]) -> list[Array]:
    questions: list[Array] = []

    def remember(points: Array) -> Array:
        questions.append(points.copy())
        return objective(points)

    search(remember)
    return questions


@pytest.mark.parametrize("objective", [rosenbrock, terraces, huge_somewhere])
@pytest.mark.parametrize(("P", "n"), [(5, 2), (32, 3), (12, 9)])
def test_the_points_are_those_of_scipy(objective: Callable[[Array], Array], P: int, n: int) -> None:
    rng = np.random.default_rng(91)
    population = rng.normal(size=(P, n))
    low, high = population.min(axis=0) - rng.uniform(0, 1, n), population.max(axis=0) - 0.1
    if n > 3:  # a coordinate that cannot move
        population[:, -1] = low[-1] = high[-1] = 1e10
    theirs_rng, ours_rng = np.random.default_rng(92), np.random.default_rng(92)
    # the stubs know no vectorized objective
    differential_evolution: Any = optimize.differential_evolution

    def scipys(question: Callable[[Array], Array]) -> object:
        return differential_evolution(
            lambda columns: question(columns.T),
            list(zip(low, high, strict=True)),
            init=population,
            maxiter=30,
            polish=False,
            updating="deferred",
            vectorized=True,
            tol=0.0,
            rng=theirs_rng,
        )

    theirs = asked(scipys, objective)
    ours = asked(lambda question: evolve(question, population, (low, high), 30, ours_rng), objective)
    assert len(ours) == len(theirs)
    np.testing.assert_array_equal(ours, theirs)
    assert ours_rng.uniform() == theirs_rng.uniform()


def test_the_search_ends_where_all_members_are_equal() -> None:
    population = np.random.default_rng(93).normal(size=(8, 2))
    box = np.full(2, -3.0), np.full(2, 3.0)
    constant = lambda points: np.zeros(len(points))  # noqa: E731
    assert len(asked(lambda question: evolve(question, population, box, 50, np.random.default_rng(94)), constant)) == 2


def test_the_minimum_is_found_and_the_population_left_alone() -> None:
    population = np.random.default_rng(95).uniform(-2, 2, size=(30, 3))
    given = population.copy()
    box = np.full(3, -2.0), np.full(3, 2.0)
    questions = asked(lambda question: evolve(question, population, box, 200, np.random.default_rng(96)), rosenbrock)
    assert min(rosenbrock(points).min() for points in questions) < 1e-6
    np.testing.assert_array_equal(population, given)
    assert all((np.abs(points) <= 2).all() for points in questions)
