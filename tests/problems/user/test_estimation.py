"""The numerical tools beneath problems made of functions."""

from __future__ import annotations

import itertools
import math
from typing import Any

import numpy as np
import pytest

from problems.user.climbing import Objective, climb
from problems.user.derivatives import numerical_gradient, numerical_hvp, numerical_hvp_of_value
from problems.user.estimation import least_values
from problems.user.loss import FunctionLoss, Functions
from problems.user.objectives import curvature, third_derivative
from problems.user.rows import every_task

DIRECTION = np.array([0.6, -0.8])


@pytest.mark.parametrize("frequency", [0.3, 2.0, 40.0])
def test_derivatives_are_right_at_any_frequency(frequency: float) -> None:
    """The first step is 0.25, six periods of the fastest wave: the steps must adapt."""
    w = np.random.default_rng(0).normal(size=(20, 2))
    v = np.random.default_rng(1).normal(size=(20, 2))
    angle = frequency * w @ DIRECTION
    gradient = -frequency * np.sin(angle)[:, None] * DIRECTION
    product = -(frequency**2) * (np.cos(angle) * (v @ DIRECTION))[:, None] * DIRECTION

    def value_at(x: Any, row: Any) -> Any:
        return np.cos(frequency * x @ DIRECTION)

    def gradient_at(x: Any, row: Any) -> Any:
        return -frequency * np.sin(frequency * x @ DIRECTION)[:, None] * DIRECTION

    found = numerical_gradient(value_at, w, 0.25)
    assert np.abs(found.value - gradient).max() <= 1e-9 * frequency
    assert (np.abs(found.value - gradient) <= 10 * found.error).all()
    assert np.abs(numerical_hvp(gradient_at, w, v, 0.25).value - product).max() <= 1e-9 * frequency**2
    # Second differences lose the square of the step to rounding where the function hardly varies.
    tolerance = 1e-8 * frequency**2 + 1e-12
    assert np.abs(numerical_hvp_of_value(value_at, w, v, 0.25) - product).max() <= tolerance


def test_the_error_estimate_tells_a_kink() -> None:
    w = np.array([[1e-3], [1.0]])
    found = numerical_gradient(lambda x, row: np.abs(x[:, 0]), w, 0.25)
    assert found.error[0, 0] > 1e-3
    assert found.error[1, 0] < 1e-12


def test_points_that_are_not_finite_do_not_disturb_the_others() -> None:
    w = np.array([[np.nan, 0.0], [1e200, 1.0], [0.3, -0.2]])
    v = np.ones((3, 2))
    loss = FunctionLoss.of([Functions("task 0", lambda x: float((x**2) @ (x**2)))], 0.25)
    with np.errstate(all="ignore"):
        gradient, product = loss.gradient(w), loss.hvp(w, v)
    assert np.allclose(gradient[2], 4 * w[2] ** 3, rtol=1e-10)
    assert np.allclose(product[2], 12 * w[2] ** 2, rtol=1e-8)
    assert np.isnan(gradient[0]).all()
    assert not np.isfinite(product[:2]).any()


def test_alternating_products_find_the_norm_of_a_symmetric_tensor() -> None:
    """On `T[w, w, w]/6`, whose third derivative is T everywhere, from 40 states; none can exceed the norm."""
    rng = np.random.default_rng(2)
    raw = rng.normal(size=(3, 3, 3))
    T = np.mean([raw.transpose(p) for p in itertools.permutations(range(3))], axis=0)
    u = rng.normal(size=(40_000, 3))
    u /= np.linalg.norm(u, axis=1, keepdims=True)
    sampled = np.abs(np.einsum("ijk,ui,uj,uk->u", T, u, u, u, optimize=True)).max()
    objective = third_derivative(lambda w, v: np.einsum("ijk,ni,nj->nk", T, w, v), 1e-3)
    state = np.stack([u[:40], u[40:80]], axis=1)
    for _ in range(20):
        size, state = objective.value(np.zeros((40, 3)), state)
    assert sampled * (1 - 1e-9) <= size.max() <= sampled * 1.001


def test_power_iteration_finds_the_norm_of_a_hessian_of_either_sign_and_its_slope() -> None:
    """On `w_0³/6 − 2w_1²`: the Hessian is diag(w_0, −4)."""
    objective = curvature(lambda w, v: np.stack([w[:, 0] * v[:, 0], -4 * v[:, 1]], axis=1), 1e-3)
    w, v = np.array([[5.0, 0.0], [-6.0, 0.0], [1.0, 0.0]]), np.full((3, 2), math.sqrt(0.5))
    for _ in range(15):
        size, v = objective.value(w, v)
    assert size == pytest.approx([5, 6, 4], rel=1e-9)
    assert objective.slope(w, v)[:, 0] == pytest.approx([2e-3, -2e-3, 0], abs=1e-8)  # 2h times ±1, the slope of |w_0|


def test_climbing_reaches_the_top_and_stays_where_it_may_be() -> None:
    def hill(w: Any) -> Any:
        return np.exp(-((w - [0.7, 1.9]) ** 2).sum(axis=1))

    def up(w: Any, state: Any) -> Any:
        return -2 * (w - [0.7, 1.9]) * hill(w)[:, None]

    objective = Objective(lambda w, state: (hill(w), state), up)
    first = np.array([[0.0, 0.0], [-1.0, 1.0]])
    w, value = climb(objective, first, np.empty((2, 0)), 0.5, 40, lambda w: w)
    assert value == pytest.approx([1, 1], abs=1e-9)
    w, value = climb(objective, first, np.empty((2, 0)), 0.5, 40, lambda w: np.minimum(w, [0.5, 3.0]))
    assert w[:, 0].max() <= 0.5
    assert value == pytest.approx([math.exp(-0.04)] * 2, abs=1e-9)


def test_least_values_leave_the_region_and_know_when_there_is_none() -> None:
    rows = every_task(np.linspace(-1, 1, 9)[:, None], 2)

    def found(*functions: Functions) -> Any:
        loss = FunctionLoss.of(functions, 0.1)
        return least_values(loss, rows, loss.take(rows.task).value(rows.w), 1.0)

    bowl = Functions("task 0", lambda w: (w[0] - 7) ** 2 + 2, lambda w: 2 * (w - 7))
    assert found(bowl, bowl) == pytest.approx([2.0, 2.0], abs=1e-9)
    assert found(bowl, Functions("task 1", lambda w: w[0], lambda w: np.ones(1)))[1] == -math.inf
