"""Fitted exponents: exact on exact laws, and an interval that encloses every slope of the data."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from verify.evidence.fits import Fit, exponential, finding, line, power_law
from verify.verdict import judge


def test_laws_without_error_are_recovered() -> None:
    x = np.array([1.0, 3.0, 4.0, 11.0])
    for fit, slope in ((power_law(x, 0.7 * x**-1.9), -1.9), (exponential(x, 5 * np.exp(0.3 * x)), 0.3)):
        assert [fit.slope, fit.lower, fit.upper] == pytest.approx([slope] * 3, rel=1e-12)


@given(
    st.lists(st.floats(-1e3, 1e3), min_size=3, max_size=8),
    st.lists(st.floats(0.1, 10), min_size=8, max_size=8),
)
def test_the_interval_encloses_the_fit_and_the_slope_between_any_two_points(y: list[float], gaps: list[float]) -> None:
    x = np.cumsum(gaps[: len(y)])
    fit = line(x, y)
    rounding = 1e3 * np.finfo(float).eps * 8 / 0.1
    assert fit.lower <= fit.slope <= fit.upper
    for i in range(len(y)):
        for j in range(i):
            assert fit.lower - rounding <= (y[i] - y[j]) / (x[i] - x[j]) <= fit.upper + rounding


def test_the_slope_is_that_of_least_squares() -> None:
    x, y = np.array([0.0, 1.0, 2.5, 7.0]), np.array([1.0, -1.0, 2.0, 9.0])
    assert line(x, y).slope == pytest.approx(np.polyfit(x, y, 1)[0], rel=1e-12)


@pytest.mark.parametrize(
    ("x", "y", "message"),
    [
        ([1.0], [2.0], "two or more pairs"),
        ([1.0, 2.0], [2.0, 3.0, 4.0], "two or more pairs"),
        ([1.0, 1.0], [2.0, 3.0], "x must increase"),
        ([1.0, 2.0], [2.0, np.inf], "finite"),
    ],
)
def test_bad_points_are_refused(x: list[float], y: list[float], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        line(x, y)


def test_verdicts_on_a_fit_use_its_interval() -> None:
    fit = Fit(1.9, 1.8, 1.98)
    assert judge(finding(fit, 2.0)) == "holds"
    assert judge(finding(fit, 1.95)) == "inconclusive"
    assert judge(finding(fit, 1.7)) == "violated"
    assert judge(finding(fit, 2.0, shortfall=0.1)) == "holds"
    assert judge(finding(fit, 2.5, shortfall=0.1)) == "violated"
    assert judge(finding(fit, 1.97, slack=0.02)) == "holds"
