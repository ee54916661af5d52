from __future__ import annotations

import itertools
import math
from dataclasses import dataclass, replace
from typing import Self

import numpy as np
import pytest

from problems.noise import FiniteNoise, NoNoise
from problems.probes import gaussian_probes
from problems.problem import Problem
from problems.registry import family
from theory.constants import Constants
from theory.loss import Array, Loss, TaskIndex
from theory.maml import adapt, meta_gradient
from verify.evidence.intervals import Interval, mean_interval, norm_of_mean_interval
from verify.evidence.ranges import AlmostSure
from verify.evidence.sampling import sample_estimator, sample_paths
from verify.evidence.tree import (
    deviation_moments,
    enumerable_steps,
    enumerate_paths,
    mean_estimator,
    mean_gradient_norms,
    minibatches,
    number_of_minibatches,
    second_moment,
)
from verify.verdict import Values

WAVES = np.array([[1.1, 0.4], [-0.3, 0.9], [0.7, -0.8]])  # not orthogonal: the Hessians do not commute
PHASES = np.array([0.3, 1.2, -0.7])
ATOMS = np.array([[0.9, -0.2, 0.4], [-0.5, 0.7, 0.1]])
PROBABILITIES = np.array([0.65, 0.35])
TASKS = np.array([[0.4, 1.1, -0.6], [1.3, -0.4, 0.8]])


@dataclass(frozen=True)
class Waves(Loss):
    """`Σ_k a_k sin(⟨v_k, w⟩ + φ_k)`, amplitudes (..., 3)."""

    amplitude: Array

    def value(self, w: Array) -> Array:
        return np.asarray((self.amplitude * np.sin(w @ WAVES.T + PHASES)).sum(axis=-1))

    def gradient(self, w: Array) -> Array:
        return np.asarray((self.amplitude * np.cos(w @ WAVES.T + PHASES)) @ WAVES)

    def hvp(self, w: Array, v: Array) -> Array:
        return np.asarray((-self.amplitude * np.sin(w @ WAVES.T + PHASES) * (v @ WAVES.T)) @ WAVES)

    def take(self, tasks: TaskIndex) -> Self:
        return type(self)(self.amplitude[tasks])


class AmplitudeNoise(FiniteNoise):
    """A datum adds its own amplitudes, of mean zero."""

    probabilities = PROBABILITIES

    def weighted(self, tasks: TaskIndex, weights: Values) -> Waves:
        return Waves(TASKS[tasks] + weights @ (ATOMS - PROBABILITIES @ ATOMS))


def waves() -> Problem:
    return Problem(
        name="waves",
        case="resampling",
        dim=2,
        constants=Constants(L=4.0),
        inner=Waves(TASKS),
        outer=Waves(TASKS),
        number_of_tasks=2,
        probes=gaussian_probes(2, 1.0),
        start=np.zeros(2),
        noise=AmplitudeNoise(),
    )


ALPHA = 0.17
W = np.array([[0.4, -0.9], [1.3, 0.2], [-0.6, 0.5]])


def batches(size: int, steps: int) -> list[tuple[float, list[Array]]]:
    """Every ordered draw of `size` data in each of `steps` steps: its probability, and the mean amplitudes."""
    shifts = ATOMS - PROBABILITIES @ ATOMS
    found = []
    for draws in itertools.product(itertools.product(range(2), repeat=size), repeat=steps):
        probability = math.prod(PROBABILITIES[atom] for draw in draws for atom in draw)
        found.append((probability, [shifts[list(draw)].mean(axis=0) for draw in draws]))
    return found


def brute_force(w: Array, task: int, S: int, D: int, T: int) -> tuple[list[float], list[float], Array, float]:
    """Deviations in mean and mean square, E Ĝ and E‖Ĝ‖² at N = 2, draw by draw, with dense matrices."""
    N = 2
    exact = [w]
    for _ in range(N):
        exact.append(exact[-1] - ALPHA * Waves(TASKS[task]).gradient(exact[-1]))
    mean, square, estimate, second = [0.0] * (N + 1), [0.0] * (N + 1), np.zeros(2), 0.0
    for p_path, shifts in batches(S, N):
        path = [w]
        for shift in shifts:
            path.append(path[-1] - ALPHA * Waves(TASKS[task] + shift).gradient(path[-1]))
        for j in range(N + 1):
            distance = float(np.linalg.norm(path[j] - exact[j]))
            mean[j] += p_path * distance
            square[j] += p_path * distance**2
        for p_hessian, hessian_shifts in batches(D, N):
            product = np.eye(2)
            for point, shift in zip(path[:N], hessian_shifts, strict=True):
                loss = Waves(TASKS[task] + shift)
                H = np.stack([loss.hvp(point, e) for e in np.eye(2)], axis=-1)
                product = product @ (np.eye(2) - ALPHA * H)
            for p_outer, (outer_shift,) in batches(T, 1):
                G = product @ Waves(TASKS[task] + outer_shift).gradient(path[N])
                estimate += p_path * p_hessian * p_outer * G
                second += p_path * p_hessian * p_outer * float(G @ G)
    return mean, square, estimate, second


def test_enumeration_is_the_sum_over_all_draws() -> None:
    problem, (S, D, T) = waves(), (2, 2, 1)
    paths = enumerate_paths(problem, W[:2], ALPHA, 2, S)
    means, squares = deviation_moments(paths)
    estimates, seconds = mean_estimator(problem, paths, ALPHA), second_moment(problem, paths, ALPHA, D, T)
    for point, task in ((0, 1), (1, 0)):
        mean, square, estimate, second = brute_force(W[point], task, S, D, T)
        assert means[:, point, task] == pytest.approx(mean, rel=1e-12)
        assert squares[:, point, task] == pytest.approx(square, rel=1e-12)
        assert estimates[point, task] == pytest.approx(estimate, rel=1e-12)
        assert seconds[point, task] == pytest.approx(second, rel=1e-12)


def test_larger_batches_of_Hessians_and_outer_data_bring_the_second_moment_to_the_square_of_the_conditional_mean() -> (
    None
):
    problem = waves()
    paths = enumerate_paths(problem, W, ALPHA, 3, 1)

    def at(D: int, T: int) -> Array:
        return second_moment(problem, paths, ALPHA, D, T)

    limit = at(10**9, 10**9)
    assert (at(1, 10**9) - limit > 0).all()
    assert (at(10**9, 4) - limit) == pytest.approx((at(10**9, 1) - limit) / 4, rel=1e-6)  # linear in 1/T
    assert (limit >= np.square(mean_estimator(problem, paths, ALPHA)).sum(axis=-1)).all()


def test_without_noise_there_is_one_path() -> None:
    problem = replace(waves(), noise=NoNoise(waves().inner))
    paths = enumerate_paths(problem, W, ALPHA, 4, 3)
    exact = meta_gradient(W[:, None], ALPHA, 4, problem.inner, problem.inner)
    assert paths.points[-1].shape == (3, 1, 2, 2)
    assert mean_estimator(problem, paths, ALPHA) == pytest.approx(exact, rel=1e-14)
    assert second_moment(problem, paths, ALPHA, 1, 1) == pytest.approx(np.square(exact).sum(axis=-1), rel=1e-13)
    assert deviation_moments(paths)[1].max() == 0


def test_the_tree_is_as_large_as_it_is_said_to_be() -> None:
    problem = waves()
    for S in (1, 2, 5):
        batch = minibatches(problem, S)
        assert len(batch.probabilities) == number_of_minibatches(problem, S) == S + 1
        assert batch.probabilities.sum() == pytest.approx(1, rel=1e-14)
    paths = enumerate_paths(problem, W, ALPHA, 3, 2)
    assert [level.shape for level in paths.points] == [(3, 3**j, 2, 2) for j in range(4)]
    assert paths.mean(np.ones((3, 27))) == pytest.approx(np.ones(3), rel=1e-14)


def test_only_trees_that_fit_are_grown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("verify.evidence.tree.LARGEST", 3 * 2 * 2 * 27)
    problem = waves()
    assert enumerable_steps(problem, 3, 2, 10) == 3  # 3 points, 2 tasks, 2 dimensions, 3 minibatches a step
    assert enumerable_steps(problem, 3, 2, 2) == 2
    assert enumerable_steps(problem, 300, 2, 2) == 0
    assert enumerable_steps(replace(problem, noise=NoNoise(problem.inner)), 3, 2, 40) == 40
    assert enumerable_steps(family("rotated-cosine").build(1, 0.1), 1, 1, 3) == 0
    assert enumerable_steps(family("rotated-cosine").build(1, 0.1), 1, 1, 0) == 0
    monkeypatch.setattr("verify.evidence.tree.LARGEST_MATRICES", 3 * 2 * 4 * 2 * 9)
    assert enumerable_steps(problem, 3, 2, 10, matrices=True) == 2


def test_noise_without_finite_support_cannot_be_enumerated() -> None:
    problem = family("rotated-cosine").build(1, 0.1)
    assert number_of_minibatches(problem, 1) == math.inf
    with pytest.raises(ValueError, match="rotated-cosine has data noise without a finite support"):
        minibatches(problem, 1)


def contains(interval: Interval, truth: Values) -> bool:
    return bool(((interval.lower <= truth) & (truth <= interval.upper)).all())


@pytest.mark.parametrize("name", ["quadratic", "rotated-cosine-finite-noise", "softmax-bandit"])
def test_enumeration_and_monte_carlo_agree_within_their_intervals(name: str) -> None:
    problem = family(name).build(2, 0.2)
    c, N, S, D, T, delta = problem.constants, 2, 1, 2, 3, 1e-7
    alpha = 0.2 / c.L
    rng = np.random.default_rng(12)
    w = np.concatenate([problem.start[None], problem.probes(1, rng)])
    tree = enumerate_paths(problem, w, alpha, N, S)
    exact = adapt(np.broadcast_to(w[:, None], (2, problem.number_of_tasks, problem.dim)), alpha, [problem.inner] * N)
    ranges = AlmostSure.of(problem, alpha, N)
    sampled = sample_paths(problem, w, alpha, N, S, 4000, rng)
    distance = np.linalg.norm(sampled[-1] - exact[-1], axis=-1)
    mean, square = deviation_moments(tree)
    far = ranges.deviations()[-1]
    assert contains(mean_interval(distance, delta, 0.0, far), mean[-1])
    assert contains(mean_interval(distance**2, delta, 0.0, far**2), square[-1])

    G = sample_estimator(problem, sampled, alpha, D, T, rng)
    largest = ranges.estimator(np.linalg.norm(problem.inner.gradient(exact[-1]), axis=-1))
    squares = mean_interval(np.square(G).sum(axis=-1), delta, 0.0, largest**2)
    second = second_moment(problem, tree, alpha, D, T)
    assert contains(squares, second)
    assert not contains(squares, 1.3 * second)
    offset = mean_estimator(problem, tree, alpha)
    assert contains(norm_of_mean_interval(G - offset, delta, 2 * largest), np.zeros(distance.shape[1:]))
    assert not contains(norm_of_mean_interval(G - 1.5 * offset, delta, 3 * largest), np.zeros(distance.shape[1:]))


@pytest.mark.parametrize(("D_L", "B_prime"), [(1, 1), (2, 3)])
def test_the_law_of_the_mean_gradient_norm_is_that_of_independent_draws(D_L: int, B_prime: int) -> None:
    problem = waves()
    law = mean_gradient_norms(problem, W, D_L, B_prime)
    assert law is not None
    values, probabilities = law
    one = []
    for task in range(2):
        for p, (shift,) in batches(D_L, 1):
            one.append((p / 2, np.linalg.norm(Waves(TASKS[task] + shift).gradient(W), axis=-1)))
    for f in (np.square, np.exp):
        expected = np.zeros(3)
        for draws in itertools.product(one, repeat=B_prime):
            mean = sum(norms for _, norms in draws) / B_prime
            expected += math.prod(p for p, _ in draws) * f(mean)
        assert f(values) @ probabilities == pytest.approx(expected, rel=1e-12)


def test_whole_test_sets_are_drawn_in_the_finite_sum_case_and_too_many_draws_are_not_enumerated(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    problem = family("quadratic-finite-sum").build(1, 0.1)
    w = problem.probes(2, np.random.default_rng(1))
    law = mean_gradient_norms(problem, w, 1, 1)
    assert law is not None
    values, probabilities = law
    norms = np.linalg.norm(problem.outer.gradient(w[:, None]), axis=-1)
    assert np.sort(values @ np.diag(probabilities * 5), axis=1) == pytest.approx(np.sort(norms, axis=1), rel=1e-14)
    assert mean_gradient_norms(problem, w, 1, 40) is None
    for most, enumerated in ((math.comb(3 + 4, 3), True), (math.comb(3 + 4, 3) - 1, False)):
        monkeypatch.setattr("verify.evidence.tree.MOST_MEANS", most)
        assert (mean_gradient_norms(problem, w, 1, 3) is not None) == enumerated


def test_draws_with_equal_norms_are_one() -> None:
    problem = family("two-point-stepsize").build(3, 0.05)
    law = mean_gradient_norms(problem, problem.start[None], 1, 8)
    assert law is not None
    assert law[0].shape == (1, math.comb(8 + 2, 8))  # σ_g for seven tasks, h ± σ_g for the eighth
