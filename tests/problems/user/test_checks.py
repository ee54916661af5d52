"""Every mistake in a user's functions is one line that names the task, the field and what is allowed."""

from __future__ import annotations

import itertools
import math
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

import problems
from theory.constants import Constants

A = np.array([[2.0, 0.3], [0.3, -1.0]])
QUADRATIC: dict[str, Any] = {
    "value": lambda w: 0.5 * w @ A @ w,
    "gradient": lambda w: A @ w,
    "hessian": lambda w: A,
}
GIVEN = Constants(L=3.0)
SKEW = np.array([[0.0, 1e-7], [0.0, 0.0]])
COUNTER = itertools.count()


def but(**changes: Any) -> dict[str, Any]:
    """Return the quadratic task with some fields changed."""
    return {**QUADRATIC, **changes}


def tilted(slope: float) -> dict[str, Any]:
    """Return the quadratic task, tilted."""
    return but(value=lambda w: 0.5 * w @ A @ w + slope * w[0], gradient=lambda w: A @ w + [slope, 0.0])


def message(tasks: Any, **options: Any) -> str:
    with pytest.raises(ValueError, match=r"\w") as caught:
        problems.from_functions(tasks, **{"dim": 2, "constants": GIVEN, **options})
    text = str(caught.value)
    assert "\n" not in text
    return text


def test_the_task_itself_is_accepted() -> None:
    problems.from_functions([QUADRATIC, QUADRATIC], dim=2, constants=GIVEN)


@pytest.mark.parametrize(
    ("wrong", "line"),
    [
        (but(value=lambda w: w), "task 1: value returned float64 of shape (2,), must be a float64 number"),
        (but(value=lambda w: None), "task 1: value returned object None, must be a float64 number"),
        (but(value=lambda w: np.float32(1)), "task 1: value returned float32 1.0, must be a float64 number"),
        (but(value=lambda w: 1j), "task 1: value returned complex128 1j, must be a float64 number"),
        (but(value=lambda w: math.nan), "is NaN or infinite, must be finite"),
        (but(value=lambda w: w.nothing), "task 1: value raised AttributeError"),
        (but(value=lambda w: np.log(-np.ones(2)).sum()), "task 1: value at w = ("),  # and no warning
        (but(gradient=lambda w: [0.0, [0.0]]), "task 1: gradient returned no array: ValueError: "),
        (but(value=lambda w: next(COUNTER)), "differs from call to call, must not be random"),
        (but(gradient=lambda w: (A @ w)[:1]), "gradient returned float64 of shape (1,), must be float64 of shape (2,)"),
        (but(gradient=lambda w: np.array([w[0], math.inf])), "task 1: gradient at w = ("),
        (but(gradient=lambda w: 1.01 * A @ w), "task 1: gradient is not the derivative of value: gradient(w)["),
        (but(gradient=lambda w: A @ w + [0, 1e-3]), "gradient is not the derivative of value: gradient(w)[1] ="),
        (but(hessian=lambda w: A[0]), "hessian returned float64 of shape (2,), must be float64 of shape (2, 2)"),
        (but(hessian=lambda w: 1.001 * A), "task 1: hessian is not the derivative of gradient"),
        (but(hessian=lambda w: A + SKEW), "task 1: hessian is not symmetric"),
        (but(hvp=lambda w, v: 2 * A @ v), "differ in hvp"),
        (but(gradient=3), "task 1: gradient is a int, must be a function"),
        ({"gradient": QUADRATIC["gradient"]}, "task 1 and task 0 differ in value and hessian"),
        (but(sample=lambda rng: QUADRATIC), "task 1 and task 0 differ in sample: all tasks must have the same form"),
        (but(train=QUADRATIC, test=QUADRATIC), "task 1 and task 0 differ in train and test"),
        (but(hessien=lambda w: A), "task 1: 'hessien' is not allowed; did you mean hessian?"),
    ],
)  # fmt: skip
def test_a_wrong_task_among_right_ones(wrong: Any, line: str) -> None:
    assert line in message([QUADRATIC, wrong])


@pytest.mark.parametrize(
    ("tasks", "line"),
    [
        ([], "tasks is empty: at least one task is needed"),
        (3, "tasks is a int, must be a list of tasks"),
        (QUADRATIC, "tasks is a dict, must be a list of tasks"),
        ([but(sample=lambda: QUADRATIC)], "task 0: sample(rng) raised TypeError: "),
        ([but(sample=lambda rng: rng.nothing)], "task 0: sample(rng) raised AttributeError: "),
        ([{}], "task 0 has nothing: a task must have value (resampling), or train and test only (finite-sum)"),
        ([SimpleNamespace(loss=abs)], "task 0 is a SimpleNamespace and has none of value, gradient, "),
        ([None], "task 0 is a NoneType and has none of value, gradient, "),
        ([but(sample=lambda rng: None)], "task 0: sample(rng) is a NoneType and has none of value, "),
        ([but(sample=lambda rng: but(train=QUADRATIC))], "task 0: sample(rng): 'train' is not allowed"),
        ([{"train": but(sample=lambda rng: QUADRATIC), "test": QUADRATIC}], "task 0: train: 'sample' is not allowed"),
        ([{"train": QUADRATIC, "test": QUADRATIC}, {"train": but(hessian=None), "test": QUADRATIC}],
         "task 1: train and task 0: train differ in hessian: all must have the same form"),
        ([but(sample=lambda rng: QUADRATIC), but(sample=lambda rng: but(gradient=None))],
         "task 1: sample and task 0: sample differ in gradient: all must have the same form"),
        ([but(train=QUADRATIC, test=QUADRATIC)], "task 0 has value, gradient, hessian, train, test"),
        ([{"train": QUADRATIC}], "task 0 has train"),
        ([{"train": QUADRATIC, "test": {"gradient": abs}}], "task 0: test: value is missing"),
        ([{"train": QUADRATIC, "test": but(gradient=lambda w: w)}], "task 0: test: gradient is not the derivative"),
        ([but(hessian=None, hvp=lambda w, v: 2 * A @ v)], "task 0: hvp is not the derivative of gradient"),
        ([but(hvp=lambda w, v: A @ v + 1e-5)], "task 0: hvp is not the derivative of gradient"),
        ([but(sample=3)], "task 0: sample is a int, must be a function"),
        ([but(sample=lambda rng: {"value": lambda w: w})], "task 0: sample: value returned float64 of shape (2,)"),
        ([but(sample=lambda rng: but(hessian=lambda w: 2 * A))], "task 0: sample: hessian is not the derivative"),
        ([but(sample=lambda rng: {"gradient": abs})], "task 0: sample: value is missing"),
        ([but(sample=lambda rng: QUADRATIC), but(sample=lambda rng: tilted(np.random.default_rng().normal()))],
         "task 1: sample(rng) differs for equal rng, must draw from rng alone"),
        ([but(sample=lambda rng: tilted(next(COUNTER)))], "task 0: sample(rng) differs for equal rng"),
    ],
)  # fmt: skip
def test_wrong_forms(tasks: Any, line: str) -> None:
    assert line in message(tasks)


@pytest.mark.parametrize(
    ("constants", "line"),
    [
        ({"L": -1.0}, "L = -1 is not allowed"),
        ({"L": 0.0}, "L = 0 is not allowed"),
        ({"L": "large"}, "L = 'large' is not allowed"),
        ({"lower_bound": "low"}, "lower_bound = 'low' is not allowed: lower_bound must be a number"),
        ({"sigma": [1.0, 2.0]}, "sigma = [1.0, 2.0] is not allowed: sigma must be a number"),
        ({"l": 3.0}, "constants: 'l' is not allowed; did you mean L?"),
        ({"sigma": math.nan}, "sigma = nan is not allowed"),
        ({"lower_bound": math.inf}, "lower_bound = inf is not allowed"),
        ({"roh": 1.0}, "constants: 'roh' is not allowed; did you mean rho?"),
        ({"b": 0.1}, "b = 0.1 is not allowed: b is 0 in the resampling case"),
        ({"sigma_g": 0.1}, "sigma_g = 0.1 is not allowed: sigma_g is inf where tasks have no sample"),
    ],
)
def test_wrong_constants(constants: Any, line: str) -> None:
    rest = {"L": 3.0, "rho": 0.1, "sigma": 1.0, "lower_bound": 0.0, "gradient_bound": 9.0}
    assert line in message([QUADRATIC], constants={**rest, **constants})


def test_constants_that_are_no_mapping() -> None:
    assert message([QUADRATIC], constants=[3.0]) == "constants is a list, must be a mapping of names to numbers"


def test_finite_sum_problems_have_no_data_noise_but_consistent_mismatch() -> None:
    task = {"train": QUADRATIC, "test": QUADRATIC}
    given = {"L": 3.0, "rho": 0.1, "sigma": 1.0, "lower_bound": 0.0, "gradient_bound": 9.0}
    line = "sigma_g = 0.1 is not allowed: sigma_g is 0 in the finite-sum case"
    assert line in message([task], constants={**given, "sigma_g": 0.1})
    assert "b_sq = 0.01 is not allowed" in message([task], constants={**given, "b": 0.2, "b_sq": 0.01})
    completed = problems.from_functions([task], dim=2, constants={**given, "b": 0.2}).constants
    assert completed.b_sq == pytest.approx(0.04)


def test_a_loss_that_cannot_be_estimated_says_why() -> None:
    linear = {
        "value": lambda w: w[0],
        "gradient": lambda w: np.array([1.0, 0.0]),
        "hessian": lambda w: np.zeros((2, 2)),
    }
    assert "L is estimated as 0: the losses are linear there" in message([linear], constants={})


def test_a_loss_that_is_not_finite_where_searches_come_is_named() -> None:
    log = but(value=lambda w: QUADRATIC["value"](w) if w[0] > -3.5 else np.log(w[0]))
    line = message([QUADRATIC, log], region=4.0)
    assert line.startswith("task 1: value at w = (-3.")
    assert line.endswith(" is NaN or infinite, must be finite in the region")
    problems.from_functions([QUADRATIC, log], dim=2, constants=GIVEN, region=3.0)
    for name in ("gradient", "hessian"):
        jump = but(**{name: lambda w, name=name: QUADRATIC[name](w) * (1 if w[0] < 3 else math.nan)})
        assert f"task 0: {name} at w = (" in message([jump], region=4.0)


@pytest.mark.parametrize(
    ("options", "line"),
    [
        ({"dim": 0}, "dim = 0 is not allowed"),
        ({"dim": 3}, "task 0: gradient raised ValueError"),
        ({"region": -1.0}, "region = -1.0 is not allowed"),
        ({"region": (0.0, [1.0, -1.0])}, "region = (0.0, [1.0, -1.0]) is not allowed"),
        ({"region": "big"}, "region = 'big' is not allowed"),
        ({"region": (1.0, 2.0, 3.0)}, "is not allowed"),
        ({"start": "x"}, "start is no array of numbers, must be finite, of shape (2,)"),
        ({"start": [1.0]}, "start of shape (1,) is not allowed"),
        ({"start": [1.0, math.nan]}, "start must be finite"),
        ({"train_size": 0}, "train_size = 0 is not allowed"),
    ],
)
def test_wrong_options(options: Any, line: str) -> None:
    assert line in message([but(value=lambda w: 0.5 * w[:2] @ A @ w[:2])], **options)
