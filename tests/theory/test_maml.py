"""The inner path, the pull-back and the meta-gradient, against closed forms and dense matrices."""

import numpy as np
import pytest

from problems.problem import Problem
from problems.registry import families
from theory.loss import Array, Loss
from theory.maml import adapt, mean_over_tasks, meta_gradient, meta_objective, pull_back
from theory.oracle import Counted, OracleCount

BAD_STEPSIZES = [-0.1, float("nan"), float("inf")]


@pytest.fixture(scope="module")
def quadratic() -> Problem:
    return families()["quadratic"].build(1, 0.1)


@pytest.fixture(scope="module")
def regression() -> Problem:
    return families()["geman-mcclure"].build(1, 0.1)


def dense_hessian(loss: Loss, w: Array) -> Array:
    """(..., d, d), from products with the unit vectors."""
    return np.stack([loss.hvp(w, e) for e in np.eye(w.shape[-1])], axis=-1)


def test_path_on_a_quadratic_is_the_closed_form(quadratic: Problem) -> None:
    """`w̃_j − c_i = (I − αH)^j (w − c_i)`."""
    w, alpha, N = np.array([0.7, -1.1, 0.4]), 0.23, 6
    H = dense_hessian(quadratic.inner, w[None])[0]
    centres = w - np.linalg.solve(H, quadratic.inner.gradient(w[None]).T).T
    path = adapt(w[None], alpha, [quadratic.inner] * N)
    assert len(path) == N + 1
    for j, point in enumerate(path):
        step = np.linalg.matrix_power(np.eye(3) - alpha * H, j)
        np.testing.assert_allclose(np.broadcast_to(point, centres.shape), centres + (w - centres) @ step, atol=1e-13)


def test_path_uses_each_loss_once_and_in_order(regression: Problem) -> None:
    """Losses that differ from step to step, as the minibatches of Algorithm 1 do."""
    w, alpha = np.array([0.2, -0.4, 0.9, 0.1]), 0.05
    one, other = regression.inner.take(np.array([0])), regression.inner.take(np.array([3]))
    first = w - alpha * one.gradient(w[None])
    second = first - alpha * other.gradient(first)
    np.testing.assert_array_equal(adapt(w[None], alpha, [one, other])[2], second)


def test_a_path_may_have_a_stepsize_for_each_replica(regression: Problem) -> None:
    w = np.array([0.2, -0.4, 0.9, 0.1])
    alpha = np.array([0.03, 0.11])
    both = adapt(w[None, None], alpha[:, None, None], [regression.inner] * 3)[-1]
    for r, stepsize in enumerate(alpha):
        alone = adapt(w[None], float(stepsize), [regression.inner] * 3)[-1]
        np.testing.assert_allclose(both[r], alone, rtol=1e-14, atol=1e-14)


def test_pull_back_is_the_ordered_product_of_dense_factors(regression: Problem) -> None:
    rng = np.random.default_rng(51)
    losses = [regression.inner.take(np.array([i])) for i in (2, 0, 3)]
    path = [rng.normal(size=(1, 4)) for _ in losses]
    v, alpha = rng.normal(size=(1, 4)), 0.13
    factors = [np.eye(4) - alpha * dense_hessian(loss, w)[0] for loss, w in zip(losses, path, strict=True)]
    expected = factors[0] @ factors[1] @ factors[2] @ v[0]
    wrong = factors[2] @ factors[1] @ factors[0] @ v[0]
    np.testing.assert_allclose(pull_back(v, path, alpha, losses)[0], expected, rtol=1e-13)
    assert np.abs(wrong - expected).max() > 1e-3


def test_pull_back_needs_a_point_for_each_hessian(regression: Problem) -> None:
    w = np.zeros((1, 4))
    with pytest.raises(ValueError, match=r"^path has 1 points, but 2 Hessians need one point each$"):
        pull_back(w, [w], 0.1, [regression.inner] * 2)


def test_without_steps_or_stepsize_the_meta_gradient_is_the_gradient(regression: Problem) -> None:
    w = np.random.default_rng(52).normal(size=(3, 1, 4))
    expected = regression.outer.gradient(w)
    np.testing.assert_array_equal(meta_gradient(w, 0.2, 0, regression.inner, regression.outer), expected)
    np.testing.assert_allclose(meta_gradient(w, 0.0, 4, regression.inner, regression.outer), expected, rtol=1e-13)


@pytest.mark.parametrize("N", [1, 2, 5])
def test_meta_gradient_is_the_pull_back_of_the_outer_gradient(regression: Problem, N: int) -> None:
    w, alpha = np.random.default_rng(53).normal(size=(3, 1, 4)), 0.08
    path = adapt(w, alpha, [regression.inner] * N)
    expected = pull_back(regression.outer.gradient(path[-1]), path, alpha, [regression.inner] * N)
    actual = meta_gradient(w, alpha, N, regression.inner, regression.outer)
    np.testing.assert_allclose(actual, expected, rtol=1e-12, atol=1e-14)


def test_meta_objective_is_the_outer_loss_at_the_end_of_the_path(regression: Problem) -> None:
    w, alpha = np.random.default_rng(54).normal(size=(2, 1, 4)), 0.08
    end = adapt(w, alpha, [regression.inner] * 3)[-1]
    np.testing.assert_array_equal(
        meta_objective(w, alpha, 3, regression.inner, regression.outer), regression.outer.value(end)
    )


@pytest.mark.parametrize("name", ["geman-mcclure", "rotated-cosine"])
def test_meta_gradient_asks_for_one_gradient_and_one_hessian_a_step(name: str) -> None:
    problem = families()[name].build(1, 0.1)
    inner_count, outer_count = OracleCount(), OracleCount()
    inner, outer = Counted(problem.inner, 7, inner_count), Counted(problem.outer, 5, outer_count)
    meta_gradient(problem.start[None, None], 0.05, 4, inner, outer)
    tasks = problem.number_of_tasks
    assert (inner_count.gradients, inner_count.hessians) == (4 * 7 * tasks, 4 * 7 * tasks)
    assert (outer_count.gradients, outer_count.hessians) == (5 * tasks, 0)


def test_mean_over_tasks() -> None:
    per_task = np.arange(24.0).reshape(2, 3, 4) ** 2
    np.testing.assert_allclose(mean_over_tasks(per_task), per_task.sum(axis=1) / 3)


@pytest.mark.parametrize("alpha", BAD_STEPSIZES)
def test_bad_stepsizes_are_named(regression: Problem, alpha: float) -> None:
    w = np.zeros((1, 4))
    message = r"^alpha = (-0\.1|nan|inf) is not allowed: alpha must be a finite number >= 0$"
    with pytest.raises(ValueError, match=message):
        meta_gradient(w, alpha, 1, regression.inner, regression.outer)
    with pytest.raises(ValueError, match=message):
        adapt(w, alpha, [regression.inner])
    with pytest.raises(ValueError, match=message):
        pull_back(w, [w], alpha, [regression.inner])


@pytest.mark.parametrize("N", [-1, 1.5])
def test_bad_numbers_of_steps_are_named(regression: Problem, N: float) -> None:
    w = np.zeros((1, 4))
    message = r"^N = (-1|1\.5) is not allowed: N must be an integer >= 0$"
    with pytest.raises(ValueError, match=message):
        meta_gradient(w, 0.1, N, regression.inner, regression.outer)
    with pytest.raises(ValueError, match=message):
        meta_objective(w, 0.1, N, regression.inner, regression.outer)
