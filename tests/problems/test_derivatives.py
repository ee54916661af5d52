"""Gradients, Hessians and meta-gradients of every registered problem, against derivatives that use values only.

Analytic losses are differentiated by a complex step (no cancellation), others by an eighth-order central difference.
"""

from collections.abc import Callable

import numpy as np
import pytest

from problems.problem import Problem
from problems.registry import families
from theory.loss import Array, Loss
from theory.maml import adapt, meta_gradient, meta_objective

N, ALPHA_L = 3, 0.2
EIGHTH_ORDER = {1: 4 / 5, 2: -1 / 5, 3: 4 / 105, 4: -1 / 280}
COMPLEX_STEP = 1e-40
KINK = 1e-3
"""Relative error of a difference across a kink of l'', at most."""


@pytest.fixture(params=list(families()), scope="module")
def problem(request: pytest.FixtureRequest) -> Problem:
    return families()[request.param].build(N, ALPHA_L)


def probes(problem: Problem, count: int = 6) -> Array:
    """Generic points: instances that are sharp at a point are also looked at beside it."""
    rng = np.random.default_rng(11)
    return problem.probes(count, rng) + 0.03 * problem.scale * rng.normal(size=(count, problem.dim))


def derivative(function: Callable[[Array], Array], w: Array, direction: Array, problem: Problem) -> Array:
    """Derivative of `function` at `w` along `direction`, by means that use the function's values only."""
    if problem.analytic:
        return function(w + 1j * COMPLEX_STEP * direction).imag / COMPLEX_STEP
    h = 2e-4 * problem.scale
    terms = [
        weight / h * (function(w + k * h * direction) - function(w - k * h * direction))
        for k, weight in EIGHTH_ORDER.items()
    ]
    return np.sum(terms, axis=0)


def tolerance(problem: Problem) -> float:
    """Relative to the largest entry: rounding for the complex step; step² times kinks of l″ for the difference."""
    return 1e-12 if problem.analytic else 2e-7


def assert_derivative(measured: Array, expected: Array, problem: Problem) -> None:
    size = np.abs(expected).max() + np.abs(measured).max()
    if not problem.analytic:
        near_a_kink = np.abs(measured - expected) > tolerance(problem) * size  # of l'', within the steps taken
        assert near_a_kink.mean() < 0.01, f"{measured[near_a_kink][:3]} for {expected[near_a_kink][:3]}"
        measured = np.where(near_a_kink, expected + (measured - expected) * tolerance(problem) / KINK, measured)
    np.testing.assert_allclose(measured, expected, rtol=0, atol=tolerance(problem) * size)


def numerical_gradient(function: Callable[[Array], Array], w: Array, problem: Problem) -> Array:
    return np.stack([derivative(function, w, e, problem) for e in np.eye(problem.dim)], axis=-1)


def loss_of(problem: Problem, which: str) -> Loss:
    """Training losses, test losses, or a minibatch of each task."""
    if which != "minibatch":
        return problem.inner if which == "inner" else problem.outer
    return problem.noise.minibatch(np.arange(problem.number_of_tasks), 3, np.random.default_rng(15))


LOSSES = pytest.mark.parametrize("which", ["inner", "outer", "minibatch"])


@LOSSES
def test_gradient_is_the_derivative_of_the_value(problem: Problem, which: str) -> None:
    loss = loss_of(problem, which)
    w = probes(problem)[:, None]
    assert_derivative(loss.gradient(w), numerical_gradient(loss.value, w, problem), problem)


@LOSSES
def test_hessian_is_the_derivative_of_the_gradient(problem: Problem, which: str) -> None:
    loss = loss_of(problem, which)
    w, v = probes(problem)[:, None], np.random.default_rng(12).normal(size=(6, problem.number_of_tasks, problem.dim))
    assert_derivative(loss.hvp(w, v), derivative(loss.gradient, w, v, problem), problem)


@LOSSES
def test_linearize_agrees_with_gradient_and_hessian(problem: Problem, which: str) -> None:
    loss = loss_of(problem, which)
    w, v = probes(problem)[:, None], np.random.default_rng(13).normal(size=(6, problem.number_of_tasks, problem.dim))
    gradient, hessian = loss.linearize(w)
    np.testing.assert_allclose(gradient, loss.gradient(w), rtol=1e-13, atol=1e-13)
    np.testing.assert_allclose(hessian(v), loss.hvp(w, v), rtol=1e-13, atol=1e-13)


def test_losses_broadcast_over_replicas_and_take_tasks(problem: Problem) -> None:
    """A batch of replicas and chosen tasks gives what each point and task gives alone."""
    chosen = np.random.default_rng(14).integers(problem.number_of_tasks, size=(4, 3))
    w = probes(problem, 4)
    together = problem.inner.take(chosen)
    for r, b in [(0, 0), (3, 1), (2, 2)]:
        alone = problem.inner.take(np.array([chosen[r, b]]))
        point = w[r][None]
        np.testing.assert_allclose(together.value(w[:, None])[r, b], alone.value(point)[0], rtol=1e-12, atol=1e-13)
        np.testing.assert_allclose(
            together.gradient(w[:, None])[r, b], alone.gradient(point)[0], rtol=1e-12, atol=1e-13
        )


def test_meta_gradient_is_the_derivative_of_the_meta_objective(problem: Problem) -> None:
    w, alpha = probes(problem)[:, None], ALPHA_L / problem.constants.L
    expected = numerical_gradient(lambda x: meta_objective(x, alpha, N, problem.inner, problem.outer), w, problem)
    assert_derivative(meta_gradient(w, alpha, N, problem.inner, problem.outer), expected, problem)


def reversed_meta_gradient(w: Array, alpha: float, steps: int, inner: Loss, outer: Loss) -> Array:
    """The meta-gradient with its Hessian factors in the wrong order."""
    path = adapt(w, alpha, [inner] * steps)
    v = outer.gradient(path[-1])
    for point in path[:-1]:
        v = v - alpha * inner.hvp(point, v)
    return v


@pytest.mark.parametrize("name", ["random-ridges", "geman-mcclure", "welsch", "softmax-bandit"])
def test_reversed_hessian_factors_are_found_out(name: str) -> None:
    """Where Hessians along the path do not commute, the wrong order fails the test of the meta-gradient."""
    problem = families()[name].build(N, ALPHA_L)
    w, alpha = probes(problem)[:, None], ALPHA_L / problem.constants.L
    expected = numerical_gradient(lambda x: meta_objective(x, alpha, N, problem.inner, problem.outer), w, problem)
    with pytest.raises(AssertionError, match="Not equal to tolerance"):
        assert_derivative(reversed_meta_gradient(w, alpha, N, problem.inner, problem.outer), expected, problem)
