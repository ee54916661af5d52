from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from problems.noise import NoNoise
from problems.problem import Problem
from problems.registry import family
from theory.loss import Array
from theory.maml import adapt, meta_gradient, pull_back
from verify.cell import PROFILES, Cell
from verify.evidence.intervals import Interval, mean_interval
from verify.evidence.ranges import AlmostSure
from verify.evidence.sampling import linear_deviation, sample_estimator, sample_paths, sample_until
from verify.evidence.tree import conditional_second_moment, enumerate_paths
from verify.verdict import Values, judge

FINITE = ["quadratic", "rotated-cosine-finite-noise", "softmax-bandit", "saddle-hessian-noise", "tent-kink"]


def all_paths(problem: Problem, w: Array, alpha: float, N: int) -> tuple[list[Array], list[Array], Values]:
    """Every path of S = 1 in full, (paths, P, tasks, d) at each step, the exact path, and probabilities (paths,)."""
    tree = enumerate_paths(problem, w, alpha, N, 1)
    M = len(tree.probabilities)
    leaves = np.arange(M**N)
    points = [np.moveaxis(level[:, leaves // M ** (N - j)], 1, 0) for j, level in enumerate(tree.points)]
    probabilities = np.ones(1)
    for _ in range(N):
        probabilities = np.outer(probabilities, tree.probabilities).ravel()
    return points, tree.exact, probabilities


@pytest.mark.parametrize("name", FINITE)
def test_every_path_stays_in_its_almost_sure_range(name: str) -> None:
    N, alpha_L = 3, 0.15
    problem = family(name).build(N, alpha_L)
    alpha = alpha_L / problem.constants.L
    w = np.concatenate([problem.start[None], problem.probes(3, np.random.default_rng(5))])
    points, exact, _ = all_paths(problem, w, alpha, N)
    ranges = AlmostSure.of(problem, alpha, N)
    for j, bound in enumerate(ranges.deviations()):
        assert np.linalg.norm(points[j] - exact[j], axis=-1).max() <= bound * (1 + 1e-9)
    last = np.linalg.norm(problem.inner.gradient(exact[-1]), axis=-1)
    v = pull_back(problem.inner.gradient(points[-1]), points, alpha, [problem.inner] * N)
    control = problem.inner.hvp(exact[-1], linear_deviation(problem, points, exact, alpha))
    off = v - meta_gradient(w[:, None], alpha, N, problem.inner, problem.inner)
    off = off - pull_back(control, exact, alpha, [problem.inner] * N)
    assert (np.linalg.norm(off, axis=-1) <= ranges.controlled_bias(last) * (1 + 1e-9) + 1e-9 * (1 + last)).all()
    moment = conditional_second_moment(problem, points, alpha, 2, 3)
    assert (moment <= ranges.conditional_second_moment(last, 2, 3) * (1 + 1e-9)).all()
    G = sample_estimator(problem, points, alpha, 1, 1, np.random.default_rng(6))
    assert (np.linalg.norm(G, axis=-1) <= ranges.estimator(last) * (1 + 1e-9)).all()


def test_ranges_are_attained_at_the_top_of_a_well() -> None:
    N, alpha_L = 4, 0.1
    problem = family("saddle-noise").build(N, alpha_L)
    alpha = alpha_L / problem.constants.L
    points, exact, _ = all_paths(problem, np.zeros((1, 1)), alpha, N)
    reached = [float(np.abs(a - b).max()) for a, b in zip(points, exact, strict=True)]
    assert reached == pytest.approx(AlmostSure.of(problem, alpha, N).deviations(), rel=1e-12)


def test_the_range_of_the_controlled_bias_is_attained_at_the_edge_of_a_well() -> None:
    """There `l'` is a parabola, so that its linearisation is off by `ρe²/2`."""
    alpha_L = 0.2
    problem = family("well-edge").build(1, alpha_L)
    alpha, w = alpha_L / problem.constants.L, problem.start[None]
    points, exact, _ = all_paths(problem, w, alpha, 1)
    control = problem.inner.hvp(exact[-1], linear_deviation(problem, points, exact, alpha))
    off = problem.inner.gradient(points[-1]) - problem.inner.gradient(exact[-1]) - control
    off = pull_back(off, exact, alpha, [problem.inner])
    last = np.linalg.norm(problem.inner.gradient(exact[-1]), axis=-1)
    np.testing.assert_allclose(np.abs(off).max(), AlmostSure.of(problem, alpha, 1).controlled_bias(last), rtol=1e-9)


@pytest.mark.parametrize("name", ["rotated-cosine-finite-noise", "softmax-bandit", "tent"])
def test_the_linear_deviation_has_mean_zero_and_is_right_to_first_order(name: str) -> None:
    N, alpha_L = 3, 0.15
    problem = family(name).build(N, alpha_L)
    alpha = alpha_L / problem.constants.L
    w = problem.start[None]
    points, exact, probabilities = all_paths(problem, w, alpha, N)
    d = linear_deviation(problem, points, exact, alpha)
    assert np.abs(np.tensordot(probabilities, d, 1)).max() < 1e-12 * np.abs(d).max()
    if name == "tent":
        return  # its noise is not small
    rest = np.abs(points[-1] - exact[-1] - d).max()
    smaller = sample_small_noise(problem, w, alpha, N, exact)
    assert rest < 0.2 * np.abs(d).max()
    assert smaller < 0.1


def sample_small_noise(problem: Problem, w: Array, alpha: float, N: int, exact: list[Array]) -> float:
    """Largest relative rest of the linearisation under batches of 1000 data."""
    points = sample_paths(problem, w, alpha, N, 1000, 50, np.random.default_rng(9))
    d = linear_deviation(problem, points, exact, alpha)
    return float(np.abs(points[-1] - exact[-1] - d).max() / np.abs(d).max())


def test_without_noise_the_ranges_are_those_of_one_path_and_unbounded_noise_has_none() -> None:
    problem = family("quadratic").build(2, 0.1)
    still = AlmostSure.of(replace(problem, noise=NoNoise(problem.inner)), 0.05, 3)
    assert still.deviations() == [0, 0, 0, 0]
    assert still.controlled_bias(np.array([2.0])) == [0.0]
    assert still.estimator(np.array([2.0])) == pytest.approx([2.0 * still.q**3])
    assert still.bounded
    assert not replace(still, gradient_sup=np.inf).bounded


def test_sampled_paths_are_independent_and_follow_the_loss() -> None:
    problem = family("rotated-cosine").build(2, 0.1)
    w = problem.probes(2, np.random.default_rng(1))
    paths = sample_paths(problem, w, 0.1, 2, 3, 500, np.random.default_rng(2))
    assert [p.shape for p in paths] == [(500, 2, 6, 4)] * 3
    exact = adapt(np.broadcast_to(w[:, None], (2, 6, 4)), 0.1, [problem.inner])
    first = (paths[1] - exact[1]) / 0.1  # the noise of one batch of 3
    assert np.square(first).sum(axis=-1).mean() == pytest.approx(problem.constants.sigma_g**2 / 3, rel=0.05)
    correlation = np.corrcoef(first[:, 0, 0, 0], first[:, 1, 3, 0])[0, 1]
    assert abs(correlation) < 0.2


DELTA = 0.1


def cell(seed: int, delta: float, samples: int, rounds: int) -> Cell:
    effort = replace(PROFILES["quick"], samples=samples, rounds=rounds)
    problem = family("quadratic").build(1, 0.1)
    return Cell("sampling", "quadratic", problem, 1, "fixed", effort, seed, delta, lambda: None)


def bernoulli(p: float) -> Callable[[int, np.random.Generator], Values]:
    return lambda count, rng: (rng.uniform(size=(count, 2)) < p).astype(float)


def sampled(
    seed: int, p: float, bound: float, delta: float = DELTA, samples: int = 60, rounds: int = 3
) -> tuple[str, int]:
    interval = lambda x, d: mean_interval(x, d, 0.0, 1.0)  # noqa: E731
    finding, _ = sample_until(cell(seed, delta, samples, rounds), bernoulli(p), interval, np.full(2, bound), "here")
    return judge(finding), finding.samples


def test_false_alarms_are_no_more_frequent_than_promised() -> None:
    verdicts = [sampled(seed, 0.3, 0.3)[0] for seed in range(300)]
    assert verdicts.count("violated") <= DELTA * len(verdicts)
    assert verdicts.count("holds") <= DELTA * len(verdicts)


def test_sampling_goes_on_until_the_verdict_is_clear() -> None:
    assert sampled(1, 0.3, 0.9) == ("holds", 60)
    assert sampled(1, 0.3, 0.42)[1] > 60
    assert sampled(1, 0.3, 0.42)[0] == "holds"
    assert sampled(1, 0.5, 0.35) == ("violated", 240)
    assert sampled(1, 0.3, 0.3) == ("inconclusive", 960)
    assert sampled(1, 0.3, 0.3) == sampled(1, 0.3, 0.3)


def test_the_error_probability_is_split_over_rounds_entries_and_calls() -> None:
    asked: list[float] = []

    def interval(samples: Values, delta: float) -> Interval:
        asked.append(delta)
        return mean_interval(samples, delta, 0.0, 1.0)

    sample_until(cell(2, 0.12, 50, 3), bernoulli(0.3), interval, np.full(2, 0.3), share=2)
    assert asked == pytest.approx([0.12 / (3 * 2 * 2)] * 3)


def test_memory_is_bounded_however_many_tasks_there_are(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("verify.evidence.sampling.CHUNK_NUMBERS", 150)  # the quadratic has 5 tasks in 3 dimensions
    monkeypatch.setattr("verify.evidence.sampling.ROUND_NUMBERS", 6000)
    counts: list[int] = []

    def draw(count: int, rng: np.random.Generator) -> Values:
        counts.append(count)
        return bernoulli(0.3)(count, rng)

    interval = lambda x, d: mean_interval(x, d, 0.0, 1.0)  # noqa: E731
    finding, _ = sample_until(cell(3, 0.1, 205, 3), draw, interval, np.full(2, 0.3))
    assert max(counts) == 10
    assert finding.samples == 400
