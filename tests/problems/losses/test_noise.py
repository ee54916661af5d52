"""Linear and cosine noise: their moments at every point, summed over the atoms, and their minibatches."""

import numpy as np
import pytest

from problems.losses.curvature_spline import CurvatureSpline
from problems.losses.linear_noise import LinearNoise, two_point_noise
from problems.losses.wave_noise import WaveNoise
from problems.noise import FiniteNoise, NoNoise
from problems.quadratic import quadratic
from theory.loss import Loss

SIGMA_G, SIGMA_H = 0.7, 3.1
POINTS = np.linspace(-4, 4, 33)[:, None, None, None]
"""(P, 1, 1, 1): probes, atoms, tasks, d."""


def population() -> CurvatureSpline:
    return CurvatureSpline.draw([-1.0, 0.5, 2.0], [1.3, -0.8, 1.3], anchor=1, gradient=[0.4, -0.9])


def atoms(noise: FiniteNoise) -> Loss:
    """Loss of every datum for both tasks, batch shape (atoms, 2)."""
    n = len(noise.probabilities)
    return noise.weighted(np.tile([0, 1], (n, 1)), np.broadcast_to(np.eye(n)[:, None], (n, 2, n)))


def moments(noise: FiniteNoise) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Means and mean squares of gradient and Hessian noise, each (P, tasks)."""
    v, p = np.ones(1), noise.probabilities
    gradient = (atoms(noise).gradient(POINTS) - population().gradient(POINTS))[..., 0]
    hessian = (atoms(noise).hvp(POINTS, v) - population().hvp(POINTS, v))[..., 0]
    assert np.abs(gradient).max() <= noise.gradient_sup * (1 + 1e-13)
    assert np.abs(hessian).max() <= noise.hessian_sup * (1 + 1e-13)
    result = [np.einsum("pat,a->pt", x, p) for x in (gradient, gradient**2, hessian, hessian**2)]
    return result[0], result[1], result[2], result[3]


@pytest.mark.parametrize("phases", [3, 4, 5])
def test_wave_noise_has_its_moments_at_every_point(phases: int) -> None:
    mean, square, hessian_mean, hessian_square = moments(WaveNoise(population(), SIGMA_G, SIGMA_H, phases))
    np.testing.assert_allclose(mean, 0, atol=1e-14)
    np.testing.assert_allclose(hessian_mean, 0, atol=1e-14)
    np.testing.assert_allclose(square, SIGMA_G**2, rtol=1e-13)
    np.testing.assert_allclose(hessian_square, SIGMA_H**2, rtol=1e-13)


def test_two_point_noise_has_its_moments_at_every_point() -> None:
    mean, square, _, hessian_square = moments(two_point_noise(population(), SIGMA_G))
    np.testing.assert_allclose(mean, 0, atol=1e-15)
    np.testing.assert_allclose(square, SIGMA_G**2, rtol=1e-14)
    np.testing.assert_array_equal(hessian_square, 0)


def test_skewed_linear_noise_in_two_dimensions() -> None:
    problem = quadratic()
    d = problem.dim
    slopes = np.stack([np.arange(1.0, d + 1), -np.arange(1.0, d + 1) / 3])
    noise = LinearNoise(problem.inner, slopes, [0.25, 0.75])
    w = problem.probes(5, np.random.default_rng(1))
    tasks = np.array([0, 1, 1])
    weights = np.array([[0.0, 1.0], [1.0, 0.0], [0.25, 0.75]])
    difference = noise.weighted(tasks, weights).gradient(w[:, None]) - problem.inner.take(tasks).gradient(w[:, None])
    np.testing.assert_allclose(difference, np.broadcast_to(weights @ slopes, difference.shape), atol=1e-13)
    np.testing.assert_allclose(difference[:, 2], 0, atol=1e-13)
    assert noise.gradient_sup == pytest.approx(np.linalg.norm(slopes[0]))


def test_no_noise_is_the_population_loss() -> None:
    minibatch = NoNoise(population()).minibatch(np.array([1, 0]), 4, np.random.default_rng(2))
    w = np.linspace(-2, 2, 9)[:, None, None]
    np.testing.assert_array_equal(minibatch.gradient(w), population().take(np.array([1, 0])).gradient(w))


@pytest.mark.parametrize("noise", [two_point_noise(population(), 0.7), WaveNoise(population(), 0.7, 3.1)])
def test_noisy_losses_are_consistent_and_take_tasks(noise: FiniteNoise) -> None:
    """Gradients are derivatives of values, and Hessians of gradients, away from knots; `take` selects."""
    weights = np.array([[0.2, 0.8, 0.1], [0.5, 0.4, 0.3]])[:, : len(noise.probabilities)]
    loss = noise.weighted(np.array([0, 1]), weights / weights.sum(axis=1, keepdims=True))
    w, h = np.linspace(-3.03, 3.17, 12)[:, None, None], 1e-5
    slope = (loss.value(w + h) - loss.value(w - h)) / (2 * h)
    np.testing.assert_allclose(loss.gradient(w)[..., 0], slope, atol=1e-8)
    curvature = (loss.gradient(w + h) - loss.gradient(w - h)) / (2 * h)
    np.testing.assert_allclose(loss.hvp(w, np.ones(1)), curvature, atol=1e-8)
    gradient, hessian = loss.linearize(w)
    np.testing.assert_allclose(gradient, loss.gradient(w), rtol=1e-14)
    np.testing.assert_allclose(hessian(np.ones(1)), loss.hvp(w, np.ones(1)), rtol=1e-14)
    np.testing.assert_array_equal(loss.take(np.array([1])).gradient(w)[:, 0], loss.gradient(w)[:, 1])


def test_two_phases_are_not_enough() -> None:
    with pytest.raises(ValueError, match=r"phases = 2 is not allowed: phases must be an integer >= 3"):
        WaveNoise(population(), 1.0, 1.0, phases=2)
