"""Noise floors: their constants, the law on which runs settle, and the ball that runs stay in."""

import math

import numpy as np
import pytest

from problems.convex_quadratic import IsotropicQuadratic
from problems.noise import FiniteNoise
from problems.noise_floor import noise_floor, noise_floor_data
from theory.algorithms import Algorithm, run
from theory.constants import Schedule
from theory.loss import Loss, TaskIndex
from theory.maml import meta_objective, stochastic_meta_gradient

EPS = np.finfo(float).eps

N, ALPHA_L = 3, 0.07


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


@pytest.mark.parametrize(("dim", "least"), [(4, 0.93), (64, 0.995)])
@pytest.mark.parametrize("case", ["tasks", "data"])
def test_the_noise_floors_attain_the_own_bounds_as_the_stepsize_falls(case: str, dim: int, least: float) -> None:
    """The stationary mean of ‖∇L‖ beside the own theorems at K → ∞, whose variance term is the mean square.

    `Γ = 0` as ρ = 0: `ḡ² ≤ κn_v/(2C_βB c_1)`, with `c_1 = 1 − (κ/(2C_β))(1 + (A_v − 1)/B)`; κ = 1 as `C_L = 0`.
    """
    alpha_L, N, replicas, steps = 1e-4, 1, {4: 100, 64: 10}[dim], 1200
    C_beta, B = (8.0, 16) if case == "tasks" else (20.0, 8)
    build = noise_floor if case == "tasks" else noise_floor_data
    problem = build(N, alpha_L, dim=dim)
    c = problem.constants
    s = Schedule(N=N, alpha=alpha_L / c.L, C_beta=C_beta, B=B, K=steps)
    algorithm: Algorithm = "finite-sum" if case == "tasks" else "resampling"
    norms = run(algorithm, problem, c, s, problem.start, np.random.default_rng(8), replicas=replicas).gradient_norm
    settled = norms[:, 200:]
    x, Q = 2 * alpha_L, (1 + alpha_L) ** 2
    A_v = (1 / (1 - x)) if case == "tasks" else Q**2 * ((1 + x) / (Q * (1 - x))) ** 2
    variance = (Q * c.sigma) ** 2 if case == "tasks" else Q * c.sigma_g**2 * (1 + alpha_L**2)
    bound = math.sqrt(variance / (2 * C_beta * B * (1 - (1 + (A_v - 1) / B) / (2 * C_beta))))
    # Replicas are independent: five standard errors of the mean of their means.
    error = 5 * settled.mean(axis=1).std() / math.sqrt(replicas) / bound
    assert least - error < settled.mean() / bound <= 1 + error
    assert math.sqrt((settled**2).mean()) / bound == pytest.approx(1, abs=2 * error + 1e-3)
    assert error < 0.03
