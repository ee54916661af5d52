"""Ridges along oblique directions: each constant is attained where the angles say, and none is exceeded."""

import numpy as np
import pytest

from problems.problem import Problem
from problems.random_ridges import RidgeLoss, random_ridges
from theory.loss import Array
from theory.maml import adapt


@pytest.fixture
def problem() -> Problem:
    return random_ridges()


def point_with_angles(loss: RidgeLoss, angles: Array, task: int) -> Array:
    """The point (1, 1, 3) at which the ridges of `task` have these angles."""
    return np.linalg.solve(loss.directions * loss.frequency[:, None], angles - loss.phase[task])[None, None]


def random_points() -> Array:
    return 5 * np.random.default_rng(3).normal(size=(4000, 1, 3))


def hessians(problem: Problem, w: Array) -> Array:
    """(P, tasks, 3, 3)"""
    return np.stack([problem.inner.hvp(w, v) for v in np.eye(3)], axis=-1)


def test_smoothness_is_attained_where_all_cosines_are_one(problem: Problem) -> None:
    assert isinstance(problem.inner, RidgeLoss)
    L = problem.constants.L
    top = np.linalg.norm(hessians(problem, point_with_angles(problem.inner, np.zeros(3), 1))[0, 1], ord=2)
    assert top == pytest.approx(L, rel=1e-12)
    assert np.linalg.norm(hessians(problem, random_points()), ord=2, axis=(2, 3)).max() <= L * (1 + 1e-12)


def test_hessians_turn_no_faster_than_rho_and_nearly_as_fast(problem: Problem) -> None:
    assert isinstance(problem.inner, RidgeLoss)
    rng = np.random.default_rng(4)
    w = np.concatenate([point_with_angles(problem.inner, np.full(3, np.pi / 2), 0), random_points()])
    v = np.concatenate([problem.inner.directions, rng.normal(size=(60, 3))])
    v /= np.linalg.norm(v, axis=1, keepdims=True)
    h = 1e-4
    change = hessians(problem, w[:200, None] + h * v[:, None]) - hessians(problem, w[:200, None])
    speed = np.linalg.norm(change, ord=2, axis=(-2, -1)).max() / h
    assert 0.85 * problem.constants.rho < speed <= problem.constants.rho


def test_spread_mismatch_and_gradient_bound_are_attained_where_all_angles_agree(problem: Problem) -> None:
    assert isinstance(problem.outer, RidgeLoss)
    c = problem.constants
    w = random_points()
    gradient = problem.outer.gradient(w)
    np.testing.assert_allclose(gradient.mean(axis=1), 0, atol=1e-14)
    assert np.sqrt((gradient**2).sum(axis=-1).mean(axis=1)).max() <= c.sigma
    assert np.linalg.norm(gradient, axis=-1).max() <= problem.gradient_bound
    equal = point_with_angles(problem.outer, np.full(3, 0.7), 0)
    at_equal = problem.outer.gradient(equal)[0]
    assert np.sqrt((at_equal**2).sum(axis=-1).mean()) == pytest.approx(c.sigma, rel=1e-12)
    steep = problem.outer.gradient(point_with_angles(problem.outer, np.full(3, np.pi / 2), 2))[0, 2]
    assert np.linalg.norm(steep) == pytest.approx(problem.gradient_bound, rel=1e-12)
    shift = np.array([0.3, 0.8, 1.4])
    worst = [
        np.linalg.norm((problem.inner.gradient(x) - problem.outer.gradient(x))[0, i])
        for i, x in enumerate(point_with_angles(problem.outer, np.full(3, -s / 2), i) for i, s in enumerate(shift))
    ]
    assert np.mean(worst) == pytest.approx(c.b, rel=1e-12)
    assert np.mean(np.square(worst)) == pytest.approx(c.b_sq, rel=1e-12)
    assert np.linalg.norm(problem.inner.gradient(w) - problem.outer.gradient(w), axis=-1).max(axis=0).mean() <= c.b


def test_the_lower_bound_is_the_bottom_of_a_task(problem: Problem) -> None:
    assert isinstance(problem.outer, RidgeLoss)
    bottom = problem.outer.value(point_with_angles(problem.outer, np.full(3, np.pi), 1))[0, 1]
    assert bottom == pytest.approx(problem.constants.lower_bound, rel=1e-12)
    assert problem.outer.value(random_points()).min() > problem.constants.lower_bound


def test_hessians_along_the_path_do_not_commute(problem: Problem) -> None:
    path = adapt(problem.start[None], 0.2, [problem.inner] * 2)
    H = [hessians(problem, point)[0] for point in path]
    assert np.linalg.norm(H[0] @ H[1] - H[1] @ H[0]) > 0.05


def test_linearize_and_take_agree_with_the_plain_calls(problem: Problem) -> None:
    w, v = random_points()[:5], np.array([0.3, -1.0, 2.0])
    gradient, hessian = problem.inner.linearize(w)
    np.testing.assert_array_equal(gradient, problem.inner.gradient(w))
    np.testing.assert_array_equal(hessian(v), problem.inner.hvp(w, v))
    chosen = np.array([[2, 0], [1, 1]])
    np.testing.assert_allclose(problem.inner.take(chosen).value(w[0]), problem.inner.value(w[0])[chosen], rtol=1e-15)
