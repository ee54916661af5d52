"""Moments of linear runs, beside brute force and beside runs."""

from itertools import product

import numpy as np
import pytest

from problems.noise_floor import both_ways, noise_floor, noise_floor_data
from problems.opposed_floor import opposed_floor
from problems.problem import Problem
from problems.registry import family
from tests.problems.test_opposed_floor import stationary
from theory.algorithms import Algorithm, run
from theory.constants import Schedule
from verify.evidence.moments import Law, is_linear, mean_gradient_norm

D = 3
VECTORS = np.concatenate([both_ways(1.3, D), both_ways(0.4, D)])
PROBABILITIES = np.repeat([0.11, 1 / 6 - 0.11], 2 * D)


def brute_force(vectors: list[np.ndarray], probabilities: list[float]) -> tuple[float, float]:
    """Second and fourth moment of a law with these atoms."""
    square = np.square(vectors).sum(axis=-1)
    return float(square @ probabilities), float(square**2 @ probabilities)


def test_a_law_of_a_mean_and_of_a_sum_is_that_of_all_draws() -> None:
    law = Law.of(VECTORS, PROBABILITIES)
    draws = list(product(range(4 * D), repeat=3))
    chances = [float(np.prod(PROBABILITIES[list(draw)])) for draw in draws]
    means = [VECTORS[list(draw)].mean(axis=0) for draw in draws]
    assert (law.mean(3).second, law.mean(3).fourth) == pytest.approx(brute_force(means, chances), rel=1e-12)
    sums = [0.7 * VECTORS[i] + VECTORS[[j, k]].mean(axis=0) for i, j, k in draws]
    found = law.times(-0.7).plus(law.mean(2))
    assert (found.second, found.fourth) == pytest.approx(brute_force(sums, chances), rel=1e-12)


@pytest.mark.parametrize(
    ("problem", "algorithm", "sizes"),
    [
        (noise_floor(3, 0.07, L=2.3, sigma=0.6), "finite-sum", {"C_beta": 3.0, "B": 5, "K": 30}),
        (noise_floor_data(3, 0.2, L=2.3, sigma_g=0.6), "resampling", {"C_beta": 2.0, "B": 3, "S": 2, "T": 4, "K": 30}),
    ],
)
def test_the_limits_enclose_the_mean_of_runs(problem: Problem, algorithm: Algorithm, sizes: dict[str, float]) -> None:
    alpha_L = 0.07 if algorithm == "finite-sum" else 0.2
    s = Schedule(N=3, alpha=alpha_L / 2.3, **sizes)
    norms = run(algorithm, problem, problem.constants, s, problem.start, np.random.default_rng(5), replicas=3000)
    mean, error = norms.mean_gradient_norm.mean(), 5 * norms.mean_gradient_norm.std() / np.sqrt(3000)
    found = mean_gradient_norm(problem, s)
    assert found.lower[0] - error < mean < found.upper[0] + error
    assert error < 0.05 * mean
    assert found.upper[0] < 1.35 * found.lower[0]


def test_a_run_that_has_settled_is_as_long_as_it_should_be() -> None:
    """Each limit is a mean over the steps, so that of 4000 is that of 2000 once the beginning is taken off."""
    problem = noise_floor(1, 0.01, dim=8)
    lower, upper = (
        np.array(
            [
                x[0]
                for x in vars(
                    mean_gradient_norm(problem, Schedule(N=1, alpha=0.01 / 1.3, C_beta=8.0, B=2, K=K))
                ).values()
            ]
        )
        for K in (2000, 4000)
    )
    settled = 2 * upper - lower
    assert (settled > upper).all()
    assert settled == pytest.approx(upper, rel=4e-3)


@pytest.mark.parametrize(("N", "alpha_L"), [(1, 0.125), (5, 0.03)])
def test_the_limits_enclose_the_stationary_mean_on_the_opposed_floor(N: int, alpha_L: float) -> None:
    """Where ĥ varies from step to step, together with the size of the noise."""
    problem = opposed_floor(N, alpha_L, dim=6, ordinary=48, tasks_per_step=500)
    made_for = {**problem.made_for, "K": 10**12}
    found = mean_gradient_norm(problem, Schedule(N=N, alpha=alpha_L / problem.constants.L, **made_for))
    norms = stationary(problem, N, alpha_L)
    mean, error = norms.mean(), 5 * norms.mean(axis=1).std() / np.sqrt(len(norms))
    assert found.lower[0] - error < mean < found.upper[0] + error
    assert error < 0.05 * mean
    assert found.upper[0] < 1.25 * found.lower[0]


def test_only_runs_that_are_linear_are_so_computed() -> None:
    assert is_linear(family("noise-floor-wide").build(1, 0.1))
    assert is_linear(family("noise-floor-data").build(1, 0.1))
    assert is_linear(family("opposed-floor").build(1, 0.1))
    assert not is_linear(family("quadratic").build(1, 0.1))
    assert not is_linear(family("opposed-curvature-quadratic").build(1, 0.1))
