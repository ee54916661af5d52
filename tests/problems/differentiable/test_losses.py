"""The losses in each array library: its automatic derivatives are the derivatives that the suite has by hand."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import pytest

from problems.differentiable.instances import Instance, instances
from problems.differentiable.losses import DifferentiableTask, tasks_of
from theory.loss import Array

pytestmark = pytest.mark.filterwarnings("ignore:.torch.jit.script.:DeprecationWarning")  # torch.func's own

STEP = 1e-100
ROUNDING = 1e-14

Derivatives = Callable[[Callable[[Any], Any], Array], tuple[Array, Array, Array]]
"""Value, gradient and Hessian of a loss at a point, by means of a library."""


def by_numpy(loss: Any, w: Array) -> tuple[Array, Array, Array]:
    """A complex step along each axis differentiates the value, and another the gradient."""
    axes = np.eye(len(w))
    gradient = [loss(w + 1j * STEP * axis).imag / STEP for axis in axes]
    hessian = [loss.gradient(w + 1j * STEP * axis).imag / STEP for axis in axes]
    return loss(w), np.array(gradient), np.array(hessian)


def by_torch(loss: Any, w: Array) -> tuple[Array, Array, Array]:
    torch = pytest.importorskip("torch", reason="the extra implementations is not installed")
    pytest.importorskip("array_api_compat", reason="the extra implementations is not installed")
    point = torch.tensor(w)
    each = (loss(point), torch.func.grad(loss)(point), torch.func.hessian(loss)(point))
    value, gradient, hessian = (np.asarray(result.numpy()) for result in each)
    return value, gradient, hessian


def by_jax(loss: Any, w: Array) -> tuple[Array, Array, Array]:
    jax = pytest.importorskip("jax", reason="the extra implementations is not installed")
    pytest.importorskip("array_api_compat", reason="the extra implementations is not installed")
    with jax.enable_x64(True):
        point = jax.numpy.asarray(w)
        each = (jax.jit(loss)(point), jax.grad(loss)(point), jax.hessian(loss)(point))
        value, gradient, hessian = map(np.asarray, each)
    return value, gradient, hessian


@pytest.fixture(params=instances(), ids=lambda instance: instance.name)
def instance(request: pytest.FixtureRequest) -> Instance:
    found: Instance = request.param
    return found


def first_task() -> DifferentiableTask:
    instance = instances()[1]
    return tasks_of(instance.train, instance.test)[0]


@pytest.mark.parametrize("derivatives", [by_numpy, by_torch, by_jax])
def test_derivatives_of_each_library_are_ours(instance: Instance, derivatives: Derivatives) -> None:
    w = np.array([0.3, -1.1, 0.8])
    tasks = tasks_of(instance.train, instance.test)
    for i in (0, -1):
        task = tasks[i]
        for loss, ours in ((task.train, instance.train), (task.test, instance.test)):
            value, gradient, hessian = derivatives(loss, w)
            size = instance.smoothness
            assert value == pytest.approx(ours.value(w[None])[i], rel=ROUNDING)
            np.testing.assert_allclose(gradient, ours.gradient(w[None])[i], rtol=0, atol=10 * ROUNDING * size)
            by_hand = [ours.hvp(w[None], axis[None])[i] for axis in np.eye(3)]
            np.testing.assert_allclose(hessian, by_hand, rtol=0, atol=10 * ROUNDING * size)
            np.testing.assert_allclose(loss.gradient(w), ours.gradient(w[None])[i], rtol=ROUNDING)
            np.testing.assert_allclose(loss.hvp(w, w), ours.hvp(w[None], w[None])[i], rtol=0, atol=ROUNDING * size)


@contextmanager
def library(name: str) -> Iterator[Any]:
    """The function `asarray` of a library."""
    module = pytest.importorskip(name, reason="the extra implementations is not installed")
    pytest.importorskip("array_api_compat", reason="the extra implementations is not installed")
    yield module.numpy.asarray if name == "jax" else module.asarray


@pytest.mark.parametrize("name", ["numpy", "torch", "jax"])
def test_a_loss_is_in_the_precision_of_its_point(name: str) -> None:
    with library(name) as asarray:
        value = first_task().train(asarray(np.ones(3, dtype=np.float32)))
        assert str(value.dtype).endswith("float32")
        assert value.shape == ()


def test_points_may_come_in_batches_that_the_library_maps_over() -> None:
    torch = pytest.importorskip("torch", reason="the extra implementations is not installed")
    pytest.importorskip("array_api_compat", reason="the extra implementations is not installed")
    loss, points = first_task().test, torch.randn(5, 3, dtype=torch.float64)
    together = torch.func.vmap(loss)(points)
    np.testing.assert_allclose(together.numpy(), [float(loss(point)) for point in points], rtol=ROUNDING)


@pytest.mark.parametrize(
    ("point", "line"),
    [
        (np.ones(2), "w of shape (2,) is not allowed: w must be of shape (3,)"),
        (np.ones((1, 3)), "w of shape (1, 3) is not allowed"),
        ([1.0, 2.0, 3.0], "w = [1.0, 2.0, 3.0] is not allowed: w must be an array of shape (3,)"),
    ],
)
def test_a_point_of_another_shape_is_refused(point: Any, line: str) -> None:
    for call in (first_task().train, *([first_task().train.gradient] if isinstance(point, np.ndarray) else [])):
        with pytest.raises(ValueError, match="is not allowed") as caught:
            call(point)
        assert line in str(caught.value)


def test_derivatives_by_hand_are_for_numpy_alone() -> None:
    torch = pytest.importorskip("torch", reason="the extra implementations is not installed")
    loss, w = first_task().train, torch.ones(3)
    with pytest.raises(ValueError, match=r"w is a Tensor: gradient is for NumPy arrays"):
        loss.gradient(w)
    with pytest.raises(ValueError, match=r"v is a Tensor: hvp is for NumPy arrays"):
        loss.hvp(np.ones(3), w)


def test_each_evaluation_is_announced() -> None:
    instance, heard = instances()[0], list[str]()
    first, second, *_ = tasks_of(instance.train, instance.test, heard.append)
    second.train(instance.start)
    first.test.gradient(instance.start)
    second.train.hvp(instance.start, instance.start)
    assert heard == ["training loss of task 1", "test loss of task 0", "training loss of task 1"]
