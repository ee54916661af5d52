"""The numerical tools beneath problems made of functions."""

from __future__ import annotations

import itertools
import math
from typing import Any

import numpy as np
import pytest

from problems.user.box_search import least_value, maximise
from problems.user.derivatives import numerical_gradient, numerical_hessian, numerical_hvp, numerical_hvp_of_value
from problems.user.estimation import tensor_norm
from problems.user.loss import FunctionLoss, Functions

DIRECTION = np.array([0.6, -0.8])


@pytest.mark.parametrize("frequency", [0.3, 2.0, 40.0])
def test_derivatives_are_right_at_any_frequency(frequency: float) -> None:
    """The first step is 0.25, six periods of the fastest wave: the steps must adapt."""
    w = np.random.default_rng(0).normal(size=(20, 2))
    v = np.random.default_rng(1).normal(size=(20, 2))
    angle = frequency * w @ DIRECTION
    gradient = -frequency * np.sin(angle)[:, None] * DIRECTION
    hessian = -(frequency**2) * np.cos(angle)[:, None, None] * np.outer(DIRECTION, DIRECTION)
    product = np.einsum("nij,nj->ni", hessian, v)

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
    assert np.abs(numerical_hessian(value_at, w, 0.25) - hessian).max() <= tolerance


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


def test_the_norm_of_a_symmetric_tensor() -> None:
    rng = np.random.default_rng(2)
    raw = rng.normal(size=(50, 3, 3, 3))
    tensors = np.mean([raw.transpose(0, *np.add(p, 1)) for p in itertools.permutations(range(3))], axis=0)
    u = rng.normal(size=(40_000, 3))
    u /= np.linalg.norm(u, axis=1, keepdims=True)
    form = np.einsum("nijk,ui,uj,uk->nu", tensors, u, u, u, optimize=True)
    sampled = np.abs(form).max(axis=1)
    found = tensor_norm(tensors)
    assert (found >= sampled * (1 - 1e-12)).all()
    assert (found <= sampled * 1.005).all()
    assert np.isnan(tensor_norm(tensors[0] * np.nan))
    assert tensor_norm(np.zeros((2, 2, 2))) == 0


def test_maximise_climbs_to_the_top_and_stays_in_the_box() -> None:
    low, high = np.array([-2.0, -1.0]), np.array([2.0, 3.0])
    inside = maximise(lambda w: np.exp(-((w - [0.7, 1.9]) ** 2).sum(axis=1)), low, high)
    assert inside == pytest.approx(1.0, abs=1e-6)
    assert maximise(lambda w: w.sum(axis=1), low, high) == pytest.approx(5.0, abs=1e-9)


def test_least_value_leaves_the_box_and_knows_when_there_is_none() -> None:
    low, high = -np.ones(1), np.ones(1)

    def loss(value: object, gradient: object) -> FunctionLoss:
        batch = FunctionLoss.of([Functions("task 0", value, gradient)], 0.1)
        return batch.take(np.array(0))

    bowl = loss(lambda w: (w[0] - 7) ** 2 + 2, lambda w: 2 * (w - 7))
    assert least_value(bowl, low, high) == pytest.approx(2.0, abs=1e-9)
    assert least_value(loss(lambda w: w[0], lambda w: np.ones(1)), low, high) == -math.inf
