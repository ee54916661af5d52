"""Instances of the convergence theorems: constants attacked by maximisation, and the geometry that makes them sharp."""

from collections.abc import Callable

import numpy as np
import pytest

from problems.convex_quadratic import IsotropicQuadratic
from problems.noise import FiniteNoise
from problems.noise_floor import noise_floor, noise_floor_data
from problems.problem import Problem
from problems.ramp import MADE_FOR, ramp, ramp_finite_sum
from problems.slow_slope import slow_slope
from theory.algorithms import run
from theory.constants import Schedule
from theory.loss import Loss, TaskIndex
from theory.maml import meta_gradient, meta_objective, stochastic_meta_gradient
from theory.smoothness import meta_smoothness

EPS = np.finfo(float).eps
N, ALPHA_L = 3, 0.07
RAMPS: list[tuple[Callable[..., Problem], dict[str, float]]] = [
    (build, options)
    for build in (ramp, ramp_finite_sum)
    for options in ({}, {"L": 0.7, "rho": 3.1, "slope": 0.15}, {"L": 4.0, "rho": 0.2, "slope": 5.0})
]


def line(problem: Problem) -> np.ndarray:
    """Points (P, 1) around the bend, evenly spaced."""
    return np.linspace(-4 * problem.scale, 6 * problem.scale, 20_001)[:, None]


def curvature(problem: Problem, w: np.ndarray) -> np.ndarray:
    return problem.inner.hvp(w, np.ones_like(w))[:, 0]


@pytest.mark.parametrize(("build", "options"), RAMPS)
def test_the_constants_of_a_ramp_hold_and_rho_is_attained(
    build: Callable[..., Problem], options: dict[str, float]
) -> None:
    problem = build(N, ALPHA_L, **options)
    c, w = problem.constants, line(problem)
    h = curvature(problem, w)
    slopes = np.abs(np.diff(h)) / np.diff(w[:, 0])
    # An h is known to a few roundings, and neighbours are 5e-4 scale apart.
    rounding = 16 * EPS * np.abs(h).max() / np.diff(w[:, 0]).min()
    assert np.abs(h).max() < c.L
    assert 0.999 * c.rho <= slopes.max() <= c.rho + rounding
    gradient = problem.inner.gradient(w)[:, 0]
    assert np.abs(gradient).max() == pytest.approx(problem.gradient_bound, rel=1e-14)
    assert (gradient <= 8 * EPS * problem.gradient_bound).all()
    value = problem.outer.value(w)
    assert value.min() == pytest.approx(c.lower_bound, rel=1e-13)


def test_a_ramp_that_bends_too_fast_is_refused() -> None:
    with pytest.raises(ValueError, match=r"slope = 2 is not allowed: ρg must be < L² = 1"):
        ramp(N, ALPHA_L, L=1.0, rho=0.5, slope=2.0)


@pytest.mark.parametrize(("build", "options"), RAMPS)
def test_a_ramp_is_just_as_long_as_the_run(build: Callable[..., Problem], options: dict[str, float]) -> None:
    problem = build(N, ALPHA_L, **options)
    c, g, alpha = problem.constants, problem.gradient_bound, ALPHA_L / problem.constants.L
    L_w = float(meta_smoothness(c, Schedule(N=N, alpha=alpha), g))
    last = problem.start + (MADE_FOR["K"] - 1) * g / (MADE_FOR["C_beta"] * L_w)
    assert last[0] + N * alpha * g == pytest.approx(0.0, abs=1e-12 * abs(problem.start[0]))
    for w in (problem.start, last - 1e-9):
        assert meta_gradient(w[None], alpha, N, problem.inner, problem.outer) == pytest.approx(-g, rel=1e-14)
    beyond = meta_gradient(last[None] + 0.1 * problem.scale, alpha, N, problem.inner, problem.outer)
    assert abs(float(beyond[0, 0])) < 0.999 * g
    gap = (MADE_FOR["K"] - 1) * g**2 / (MADE_FOR["C_beta"] * L_w) + g * problem.scale
    assert problem.initial_gap(alpha, N) == pytest.approx(gap, rel=1e-12)


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


@pytest.mark.parametrize("alpha_L", [0.001, 0.2])
def test_the_noise_floor_has_its_constants_and_its_lower_bound_is_the_minimum(alpha_L: float) -> None:
    problem = noise_floor(N, alpha_L, L=2.3, sigma=0.6)
    c, rng = problem.constants, np.random.default_rng(4)
    w = problem.probes(50, rng)[:, None]
    gradients = problem.outer.gradient(w)
    spread = ((gradients - gradients.mean(axis=1, keepdims=True)) ** 2).sum(axis=-1).mean(axis=1)
    assert spread == pytest.approx(c.sigma**2, rel=1e-13)
    objective = meta_objective(w, alpha_L / c.L, N, problem.inner, problem.outer).mean(axis=1)
    assert objective.min() > c.lower_bound
    assert problem.initial_gap(alpha_L / c.L, N) == pytest.approx(0.0, abs=8 * EPS * c.lower_bound)


def test_the_data_of_the_noise_floor_have_the_declared_noise() -> None:
    problem = noise_floor_data(N, 0.05, L=2.3, sigma_g=0.6)
    assert problem.noise is not None
    slopes, law = problem.noise.slopes, problem.noise.probabilities  # type: ignore[attr-defined]
    assert law @ slopes == pytest.approx(np.zeros(problem.dim), abs=EPS)
    assert law @ (slopes**2).sum(axis=1) == pytest.approx(problem.constants.sigma_g**2, rel=1e-14)


@pytest.mark.parametrize("alpha_L", [0.002, 0.2])
@pytest.mark.parametrize("B", [1, 5])
def test_algorithm_2_settles_on_the_noise_floor(alpha_L: float, B: int) -> None:
    """The stationary second moment is the closed form of the docstring, and no run leaves the ball."""
    problem = noise_floor(N, alpha_L, L=2.3, sigma=0.6)
    c = problem.constants
    s = Schedule(N=N, alpha=alpha_L / c.L, C_beta=2.0, B=B, K=40)
    trajectory = run("finite-sum", problem, c, s, problem.start, np.random.default_rng(6), replicas=4000)
    h = (1 - alpha_L) ** (2 * N) * c.L
    beta = 1 / (2.0 * (1 + alpha_L) ** (2 * N) * c.L)
    expected = beta * h / (2 - beta * h) * h**2 * (c.sigma / c.L) ** 2 / B * (1 - (1 - beta * h) ** 78)
    squares = trajectory.gradient_norm[:, -1] ** 2
    # A mean of 4000 terms: five standard errors.
    assert squares.mean() == pytest.approx(expected, abs=5 * squares.std() / np.sqrt(4000))
    assert np.linalg.norm(trajectory.points, axis=-1).max() <= c.sigma / c.L * (1 + 8 * EPS)


def test_algorithm_1_stays_within_the_gradient_bound_of_the_noise_floor() -> None:
    problem = noise_floor_data(N, 0.2, L=2.3, sigma_g=0.6)
    c = problem.constants
    s = Schedule(N=N, alpha=0.2 / c.L, C_beta=1.0, K=60)
    trajectory = run("resampling", problem, c, s, problem.start, np.random.default_rng(6), replicas=1000)
    largest = c.L * np.linalg.norm(trajectory.points, axis=-1).max()
    assert 0.3 * problem.gradient_bound < largest <= problem.gradient_bound


def test_the_gradients_of_the_noise_floors_are_as_large_as_the_draws_can_make_them() -> None:
    alpha_L = 0.15
    tasks = noise_floor(N, alpha_L, L=0.7, sigma=0.4)
    assert isinstance(tasks.inner, IsotropicQuadratic)
    gradients = tasks.inner.gradient(tasks.inner.center[:, None])  # the centres span the ball that runs stay in
    assert np.linalg.norm(gradients, axis=-1).max() == pytest.approx(tasks.gradient_bound, rel=1e-14)
    data = noise_floor_data(N, alpha_L, L=0.7, sigma_g=0.4)
    noise = data.noise
    assert isinstance(noise, FiniteNoise)
    inwards, outwards = np.eye(8)[[0, 4]]  # the atoms ±σ_g e_1

    def worst(chosen: TaskIndex, size: int) -> Loss:
        """All data of the inner steps pull inwards, all of the outer gradient outwards."""
        return noise.weighted(chosen, (outwards if size == 5 else inwards)[None])

    edge = data.gradient_bound / 0.7 * np.eye(4)[:1]
    step = stochastic_meta_gradient(edge, alpha_L / 0.7, N, np.array([0]), (2, 3, 5), worst)
    np.testing.assert_allclose(step, 0, atol=1e-14)
