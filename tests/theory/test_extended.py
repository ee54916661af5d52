"""Arithmetic on [0, ∞]: the same for numbers and arrays, never a NaN, and no warning."""

import math
from collections.abc import Callable
from itertools import product
from operator import add, mul, truediv

import numpy as np
import pytest

from theory.extended import Extended, ceil, choose, exp, expm1, hypot, log1p, maximum, plain, sqrt

INF = math.inf
NUMBERS = [0.0, 1e-320, 1e-200, 0.7, 3.0, 1e200, INF]


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (Extended(0.0) * INF, 0.0),
        (INF * Extended(0.0), 0.0),
        (Extended(INF) * 2, INF),
        (Extended(1e200) * 1e200, INF),
        (Extended(INF) / INF, INF),
        (Extended(3.0) / 0, INF),
        (Extended(0.0) / 0, 0.0),
        (3 / Extended(INF), 0.0),
        (0 / Extended(0.0), 0.0),
        (7 / Extended(2.0), 3.5),
        (Extended(2.0) ** 2, 4.0),
        (Extended(4.0) ** 1.5, 8.0),
        (1 + Extended(INF), INF),
        (Extended(1e-200) * 1e-200 * INF, INF),  # the product underflows, but no factor is absent
        (1e-200 / Extended(1e200) * INF, INF),
        (Extended(1e-200) ** 2 * 0.0 * INF, 0.0),
        (2.0 / (Extended(1e-200) * 1e-200), INF),
        (sqrt(Extended(1e-200) ** 2) * INF, INF),
        (exp(1000.0), INF),
        (expm1(Extended(1e-20)), 1e-20),
        (log1p(Extended(INF)), INF),
        (maximum(2, Extended(3.0)), 3.0),
        (hypot(Extended(3e200), 4e200), 5e200),
        (ceil(Extended(2.1)), 3.0),
        (choose(True, Extended(2.0), 1.0), 2.0),
    ],
)
def test_values(value: Extended, expected: float) -> None:
    assert type(plain(value)) is float
    assert plain(value) == pytest.approx(expected, rel=1e-15, abs=0)


@pytest.mark.parametrize("operation", [add, mul, truediv])
def test_arrays_are_numbers_side_by_side(operation: Callable[[Extended, Extended], Extended]) -> None:
    x, y = (np.array(side) for side in zip(*product(NUMBERS, repeat=2), strict=True))
    together = operation(Extended(x), Extended(y))
    one_by_one = [operation(Extended(a), Extended(b)) for a, b in zip(x.tolist(), y.tolist(), strict=True)]
    assert not np.isnan(plain(together)).any()
    np.testing.assert_array_equal(plain(together), [plain(value) for value in one_by_one])
    # What vanished still makes ∞ of ∞, in an array as alone.
    np.testing.assert_array_equal(plain(together * INF), [plain(value * INF) for value in one_by_one])
    np.testing.assert_array_equal(plain(1 / together), [plain(1 / value) for value in one_by_one])


def test_arrays_and_numbers_mix_on_either_side() -> None:
    array = np.array([0.0, 2.0])
    for value in (array * Extended(INF), Extended(INF) * array, np.float64(1.0) * Extended(array) * INF):
        np.testing.assert_array_equal(plain(value), [0.0, INF])
    np.testing.assert_array_equal(plain(array / Extended(0.0)), [0.0, INF])
    np.testing.assert_array_equal(array > Extended(1.0), [False, True])
    assert np.asarray(Extended(array)) is not array
    assert plain(Extended(3)) == 3.0


def test_differences_are_plain_numbers() -> None:
    assert type(1 - Extended(3.0)) is float
    assert 1 - Extended(3.0) == -2.0
    np.testing.assert_array_equal(Extended(np.array([1.0, 4.0])) - 3, [-2.0, 1.0])


def test_comparisons_are_those_of_the_numbers() -> None:
    assert Extended(2.0) == 2
    assert 1 < Extended(2.0) <= 2 <= Extended(INF)
    assert Extended(2.0) != Extended(3.0)
    assert Extended(3.0) > Extended(2.0) >= 2.0
    assert max(Extended(1.0), Extended(5.0)) == 5.0


def test_what_leaves_is_never_a_negative_zero() -> None:
    vanished = Extended(1e-200) * 1e-200
    for value in (plain(vanished), float(vanished), np.asarray(vanished)):
        assert value == 0
        assert not np.signbit(value)
    assert f"{vanished:g}, {vanished!r}" == "0, Extended(0.0)"
