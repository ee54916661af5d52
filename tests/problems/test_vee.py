"""SECOND MOMENT is attained on V-shaped gradients: per task for every g, σ_g, T; over tasks in many dimensions."""

import math

import numpy as np
import pytest

from problems.noise import FiniteNoise
from problems.problem import Problem
from problems.vee import coordinate_vee, vee
from theory.constants import Schedule
from theory.paper import Paper


def second_moment(problem: Problem, alpha: float, T: float) -> float:
    """`E‖Ĝ_i‖²` over tasks at the first probe, where the Hessian is `−L I`: single data in the inner step."""
    noise, w, tasks = problem.noise, problem.probes(1, np.random.default_rng(0)), problem.number_of_tasks
    assert isinstance(noise, FiniteNoise)
    atoms = len(noise.probabilities)
    one_each = np.broadcast_to(np.eye(atoms)[:, None], (atoms, tasks, atoms))
    data = noise.weighted(np.tile(np.arange(tasks), (atoms, 1)), one_each)
    v = problem.inner.gradient(w - alpha * data.gradient(w))
    v = v - alpha * problem.inner.hvp(np.broadcast_to(w, v.shape), v)
    squares = (v**2).sum(axis=-1)
    outer = (1 + alpha * problem.constants.L) ** 2 * problem.constants.sigma_g**2 / T
    return float((noise.probabilities @ squares).mean() + outer)


def bound(problem: Problem, alpha: float, T: float, y: float) -> float:
    """`V[(y + αL√(y² + σ_g²))² + σ_g²/T]`, V = q², at N = S = 1 without Hessian noise."""
    c, a = problem.constants, alpha * problem.constants.L
    return (1 + a) ** 2 * ((y + a * math.hypot(y, c.sigma_g)) ** 2 + c.sigma_g**2 / T)


@pytest.mark.parametrize("alpha_L", [0.02, 0.125, 0.4])
@pytest.mark.parametrize("loudness", [0.3, 1.5, 20.0])
@pytest.mark.parametrize("T", [1, 7])
def test_vee_attains_the_second_moment_per_task(alpha_L: float, loudness: float, T: int) -> None:
    problem = vee(1, alpha_L, L=0.6, rho=4.1, loudness=loudness, steepness=1e6)
    alpha, g = alpha_L / 0.6, float(problem.inner.gradient(problem.start)[0, 0])
    ratio = second_moment(problem, alpha, T) / bound(problem, alpha, T, g)
    assert 1 - 2e-6 < ratio <= 1 + 1e-12


def test_the_cross_term_is_needed() -> None:
    problem, alpha = vee(1, 0.4), 0.4 / 1.7
    g, sigma_g = float(problem.inner.gradient(problem.start)[0, 0]), problem.constants.sigma_g
    without = 1.4**2 * (g**2 + 0.16 * (g**2 + sigma_g**2) + sigma_g**2)
    assert second_moment(problem, alpha, 1) > 1.1 * without


@pytest.mark.parametrize(
    ("alpha_L", "dim", "least", "of_paper"),
    [(0.01, 64, 0.995, 0.985), (0.001, 64, 0.995, 0.995), (0.01, 256, 0.998, 0.988)],
)
def test_coordinate_vee_attains_the_second_moment_over_tasks(
    alpha_L: float, dim: int, least: float, of_paper: float
) -> None:
    """At G = 0, y = σ; T so large that the outer noise does not count."""
    problem, T = coordinate_vee(1, alpha_L, dim=dim), 10**12
    c, alpha = problem.constants, alpha_L / problem.constants.L
    measured = second_moment(problem, alpha, T)
    np.testing.assert_allclose(problem.inner.gradient(problem.start).mean(axis=0), 0, atol=1e-12 * c.sigma)
    assert least < measured / bound(problem, alpha, T, c.sigma) <= 1
    paper = Paper(c, Schedule(N=1, alpha=alpha, T=T)).second_moment(0.0)
    assert of_paper < measured / paper <= 1


def test_coordinate_vee_is_the_sharper_the_quieter_the_tasks() -> None:
    problem, alpha = coordinate_vee(1, 0.01, dim=256, quietness=0.1), 0.01 / 1.7
    assert second_moment(problem, alpha, 10**12) > 0.9996 * bound(problem, alpha, 10**12, problem.constants.sigma)
