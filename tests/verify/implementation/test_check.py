"""What can be examined, and the one line for what cannot."""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from verify.implementation.check import check
from verify.implementation.frameworks import infer, points_of, to_vector


def right(tasks: Any, w: np.ndarray[Any, Any], alpha: float, N: int) -> Any:
    total = np.zeros_like(w)
    for task in tasks:
        path = [w]
        for _ in range(N):
            path.append(path[-1] - alpha * task.train.gradient(path[-1]))
        v = task.test.gradient(path.pop())
        for point in reversed(path):
            v = v - alpha * task.train.hvp(point, v)
        total += v
    return total / len(tasks)


def returns(what: Any) -> Callable[..., Any]:
    def implementation(tasks: Any, w: np.ndarray[Any, Any], alpha: float, N: int) -> Any:
        return what

    return implementation


def test_a_right_one_is_exact_and_has_its_errors() -> None:
    result = check(right)
    assert (result.name, result.framework) == ("right", "numpy")
    assert result.diagnosis.is_exact
    assert result.returned.shape == result.exact.shape == (len(result.cells), 3)
    assert len({(cell.problem, cell.N, cell.alpha) for cell in result.cells}) == len(result.cells) == 24
    assert result.relative_error.max() < 1e-14


def test_neither_the_point_nor_the_tasks_are_shared_between_calls() -> None:
    def implementation(tasks: Any, w: np.ndarray[Any, Any], alpha: float, N: int) -> Any:
        result = right(tasks, w, alpha, N)
        w += 1
        tasks.clear()
        return result

    assert check(implementation).diagnosis.is_exact


def test_any_callable_will_do() -> None:
    class Object:
        def __call__(self, tasks: Any, w: np.ndarray[Any, Any], alpha: float, N: int) -> Any:
            return right(tasks, w, alpha, N)

    assert check(Object()).name == "Object"
    assert check(functools.partial(right)).diagnosis.is_exact
    assert check(lambda tasks, w, alpha, N: right(tasks, w, alpha, N), "numpy").diagnosis.is_exact


@pytest.mark.parametrize(
    ("what", "line"),
    [
        (None, "returned None: it must return an array of 3 finite real numbers, shape (3,)"),
        ((np.zeros(3),), "returned a tuple"),
        (1.0, "returned a float"),
        (np.float64(1.0), "returned an array of shape ()"),
        (np.zeros((1, 3)), "returned an array of shape (1, 3)"),
        (np.zeros(4), "returned an array of shape (4,)"),
        (np.zeros(3, dtype=complex), "returned an array of complex128"),
        (np.array([1, 2, 3]), "returned an array of int64"),
        (np.array([0.5, np.nan, 1.0]), "returned [0.5 nan 1. ]"),
        (np.array([0.5, np.inf, 1.0]), "returned [0.5 inf 1. ]"),
    ],
)
def test_what_is_no_finite_vector_is_refused(what: Any, line: str) -> None:
    with pytest.raises(ValueError, match="it must return") as caught:
        check(returns(what), name="mine")
    assert str(caught.value).startswith("mine on problem quadratic, N = 1, alpha = 0.03475 returned ")
    assert line in str(caught.value)
    assert "\n" not in str(caught.value)


def test_an_error_says_where_it_was() -> None:
    def implementation(tasks: Any, w: np.ndarray[Any, Any], alpha: float, N: int) -> Any:
        if N == 2:
            tasks[1].train.gradient(w)
            raise KeyError("of\nmine")
        return right(tasks, w, alpha, N)

    with pytest.raises(ValueError, match="failed on") as caught:
        check(implementation)
    line = implementation.__code__.co_firstlineno + 3
    assert str(caught.value) == (
        "implementation failed on problem quadratic, N = 2, alpha = 0.03475; evaluated last: training loss of task 1: "
        f"KeyError: 'of\\nmine' (line {line})"
    )
    assert isinstance(caught.value.__cause__, KeyError)


@pytest.mark.parametrize("error", [SystemExit("enough"), ValueError("task: bad"), RecursionError()])
def test_whatever_it_raises_is_one_line(error: BaseException) -> None:
    def implementation(tasks: Any, w: np.ndarray[Any, Any], alpha: float, N: int) -> Any:
        raise error

    with pytest.raises(ValueError, match="evaluated last: no loss yet: ") as caught:
        check(implementation)
    assert "\n" not in str(caught.value)


def test_an_interrupt_interrupts() -> None:
    def implementation(tasks: Any, w: np.ndarray[Any, Any], alpha: float, N: int) -> Any:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        check(implementation)


def test_a_wrong_point_is_named() -> None:
    def implementation(tasks: Any, w: np.ndarray[Any, Any], alpha: float, N: int) -> Any:
        return tasks[3].test(w[:2])

    with pytest.raises(ValueError, match=r"test loss of task 3: w of shape \(2,\) is not allowed: w must be of shape"):
        check(implementation)


@pytest.mark.parametrize("function", [lambda tasks, w: w, lambda tasks, w, *, alpha, N: w])
def test_other_arguments_are_refused(function: Callable[..., Any]) -> None:
    with pytest.raises(ValueError, match=r"mine must take the arguments \(tasks, w, alpha, N\): "):
        check(function, "numpy", "mine")


def test_what_it_prints_is_no_result(capsys: pytest.CaptureFixture[str]) -> None:
    def implementation(tasks: Any, w: np.ndarray[Any, Any], alpha: float, N: int) -> Any:
        print("loss")
        return right(tasks, w, alpha, N)

    check(implementation)
    captured = capsys.readouterr()
    assert (captured.out, captured.err.count("loss")) == ("", 24)


class Tensor:
    __module__ = "torch"


class Array:
    __module__ = "jax"


def first(tasks: list[Any], w: Tensor, alpha: float, N: int) -> np.ndarray[Any, Any]: ...  # type: ignore[empty-body]
def second(tasks, w: Array, alpha, N): ...  # type: ignore[no-untyped-def]
def third(tasks, w, alpha, N) -> np.ndarray[Any, Any]: ...  # type: ignore[no-untyped-def, empty-body]
def fourth(tasks, w: jax.Array | NotThere, alpha, N): ...  # type: ignore[no-untyped-def, name-defined]  # noqa: F821
def fifth(tasks, w, alpha: float, N: int): ...  # type: ignore[no-untyped-def]


@pytest.mark.parametrize(
    ("function", "framework"), [(first, "torch"), (second, "jax"), (third, "numpy"), (fourth, "jax")]
)
def test_annotations_tell_the_framework(function: Callable[..., Any], framework: str) -> None:
    assert infer(function, "mine") == framework


def test_without_annotations_the_framework_must_be_chosen() -> None:
    with pytest.raises(ValueError, match=r"framework of mine is not known: annotate w, .* one of numpy, torch, jax"):
        check(fifth, name="mine")


@pytest.mark.parametrize("missing", ["torch", "jax", "array_api_compat"])
def test_a_missing_library_is_one_line_that_says_how_to_get_it(missing: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, missing, None)
    framework = "jax" if missing == "jax" else "torch"
    with pytest.raises(ValueError, match="which is not installed: python -m pip install") as caught:
        check(right, framework)
    assert "\n" not in str(caught.value)
    if missing != "array_api_compat":
        assert str(caught.value).startswith(f"framework = '{missing}' needs {missing}, ")
    assert "maml-theory-verification[implementations]" in str(caught.value)


def test_an_unknown_framework_is_refused() -> None:
    with pytest.raises(ValueError, match=r"framework = 'tensorflow' is not allowed: .* one of numpy, torch, jax"):
        check(right, "tensorflow")


def test_points_are_in_double_precision_and_settings_are_restored() -> None:
    jax = pytest.importorskip("jax", reason="the extra implementations is not installed")
    pytest.importorskip("array_api_compat", reason="the extra implementations is not installed")
    before = jax.numpy.asarray(1.0).dtype
    with points_of("jax") as to_point:
        assert to_point(np.ones(3)).dtype == np.float64
        np.testing.assert_array_equal(to_vector(to_point(np.ones(3)), 3), np.ones(3))
    assert jax.numpy.asarray(1.0).dtype == before


def test_points_of_torch_are_leaves_that_require_a_gradient() -> None:
    torch = pytest.importorskip("torch", reason="the extra implementations is not installed")
    pytest.importorskip("array_api_compat", reason="the extra implementations is not installed")
    with points_of("torch") as to_point:
        w = to_point(np.ones(3))
    assert (w.dtype, w.is_leaf, w.requires_grad) == (torch.float64, True, True)
    np.testing.assert_array_equal(to_vector(2 * w, 3), 2 * np.ones(3))
    with pytest.raises(ValueError, match="a list"):
        to_vector([w], 3)
