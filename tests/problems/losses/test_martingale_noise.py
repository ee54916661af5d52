"""Noise blended between nodes, against numerical integration of its slope."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.integrate import quad

from problems.losses.curvature_spline import CurvatureSpline
from problems.losses.martingale_noise import Blended

NODES = np.array([-2.0, -1.5, 0.25, 1.0])
LEVELS = np.array([[0.5, -1.0, 2.0, -0.25], [1.5, 0.75, -0.5, 3.0]])


def flat(tasks: int) -> CurvatureSpline:
    return CurvatureSpline.draw([0.0], np.zeros((tasks, 1)), anchor=0)


def slope(x: float, levels: np.ndarray) -> float:
    """Written out: the level of a node, `t²(3 − 2t)` of the way to the next."""
    if x <= NODES[0] or x >= NODES[-1]:
        return float(levels[0] if x <= NODES[0] else levels[-1])
    k = int(np.flatnonzero(x >= NODES)[-1])
    t = (x - NODES[k]) / (NODES[k + 1] - NODES[k])
    return float(levels[k] * (1 - t**2 * (3 - 2 * t)) + levels[k + 1] * t**2 * (3 - 2 * t))


@pytest.mark.parametrize("base", range(4))
def test_slope_and_value_are_the_blend_and_its_integral_from_the_base(base: int) -> None:
    noise = Blended(flat(2), NODES, LEVELS, base)
    x = np.concatenate([NODES, np.linspace(-4, 4, 37)])
    got, value = noise.gradient(x[:, None, None])[..., 0], noise.value(x[:, None, None])
    for task, levels in enumerate(LEVELS):
        np.testing.assert_allclose(got[:, task], [slope(at, levels) for at in x], rtol=0, atol=4e-15)
        integral = [quad(slope, NODES[base], at, args=(levels,), points=NODES, epsabs=1e-12)[0] for at in x]
        np.testing.assert_allclose(value[:, task], integral, rtol=0, atol=1e-10)


def test_second_derivative_is_that_of_the_slope() -> None:
    noise, x, h = Blended(flat(2), NODES, LEVELS, 1), np.linspace(-3, 2, 41)[:, None, None], 1e-6
    numerical = (noise.gradient(x + h) - noise.gradient(x - h)) / (2 * h)
    np.testing.assert_allclose(noise.hvp(x, np.ones(1)), numerical, rtol=0, atol=1e-5)


def test_one_node_tilts_the_loss() -> None:
    noise = Blended(flat(1), np.array([0.5]), np.array([[2.0]]), 0)
    x = np.array([[-1.0], [0.5], [3.0]])[:, None]
    np.testing.assert_array_equal(noise.gradient(x)[..., 0], np.full((3, 1), 2.0))
    np.testing.assert_array_equal(noise.value(x), 2.0 * (x[..., 0] - 0.5))
    np.testing.assert_array_equal(noise.hvp(x, np.ones(1)), np.zeros((3, 1, 1)))


def test_a_batch_meets_its_own_levels() -> None:
    noise, chosen = Blended(flat(2), NODES, LEVELS, 1), np.array([[1, 0], [1, 1], [0, 0]])
    x = np.linspace(-3, 2, 3)[:, None, None]
    alone = noise.gradient(x)[np.arange(3)[:, None], chosen]
    np.testing.assert_array_equal(noise.take(chosen).gradient(x), alone)
