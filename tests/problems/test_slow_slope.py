"""The constants of the slow slope, at several powers."""

import numpy as np
import pytest

from problems.problem import Problem
from problems.slow_slope import slow_slope

EPS = np.finfo(float).eps


def curvature(problem: Problem, w: np.ndarray) -> np.ndarray:
    return problem.inner.hvp(w, np.ones_like(w))[:, 0]


@pytest.mark.parametrize("power", [0.05, 0.15, 1.3])
def test_the_constants_of_the_slow_slope_are_attained_and_not_exceeded(power: float) -> None:
    problem = slow_slope(power=power)
    c = problem.constants
    w = np.linspace(-6, 6, 120_001)[:, None]
    h = curvature(problem, w)
    assert np.abs(h).max() == pytest.approx(c.L, rel=1e-14)
    slopes = np.abs(np.diff(h)) / np.diff(w[:, 0])
    rounding = 16 * EPS * c.L / np.diff(w[:, 0]).min()
    assert 0.99999 * c.rho <= slopes.max() <= c.rho + rounding
    gradient = np.abs(problem.inner.gradient(w))
    assert 0.9999999 * problem.gradient_bound <= gradient.max() <= problem.gradient_bound * (1 + 8 * EPS)
    far = problem.outer.value(np.array([[1e3], [1e9], [1e100]]))
    assert (np.diff(far) < 0).all()
    assert (far >= c.lower_bound).all()
