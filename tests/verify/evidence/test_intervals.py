from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from verify.evidence.intervals import (
    Interval,
    exactly,
    mean_interval,
    norm_of_mean_interval,
    worst_entry,
)
from verify.verdict import EPS, Values, judge

DELTA = 0.1
SEEDS = 3000

# Name, law on [low, high] as a function of uniform numbers, its range and its mean.
LAWS: dict[str, tuple[Callable[[Values], Values], float, float, float]] = {
    "rare": (lambda u: (u < 0.03).astype(float), 0.0, 1.0, 0.03),
    "uniform": (lambda u: 3 * u - 1, -1.0, 2.0, 0.5),
    "fair coin": (lambda u: np.sign(u - 0.5) * 2.5, -2.5, 2.5, 0.0),
    "heavy end": (lambda u: 7 * u**20, 0.0, 7.0, 7 / 21),
}


def misses(interval: Interval, truth: float) -> float:
    return float(((interval.lower > truth) | (interval.upper < truth)).mean())


@pytest.mark.parametrize("name", LAWS)
@pytest.mark.parametrize("n", [40, 300])
def test_mean_intervals_miss_no_more_often_than_they_promise(name: str, n: int) -> None:
    law, low, high, mean = LAWS[name]
    samples = law(np.random.default_rng(n).uniform(size=(n, SEEDS)))
    assert misses(mean_interval(samples, DELTA, low, high), mean) <= DELTA


@pytest.mark.parametrize("name", LAWS)
def test_an_interval_of_one_standard_error_is_caught_missing(name: str) -> None:
    law, _, _, mean = LAWS[name]
    samples = law(np.random.default_rng(5).uniform(size=(300, SEEDS)))
    estimate, error = samples.mean(axis=0), samples.std(axis=0) / math.sqrt(300)
    assert misses(Interval(estimate, estimate - error, estimate + error), mean) > 2 * DELTA


def test_mean_intervals_are_as_wide_as_the_variance_asks() -> None:
    n, delta = 20_000, 1e-10
    samples = np.random.default_rng(8).uniform(size=n) * 3 - 1
    interval = mean_interval(samples, delta, -1.0, 2.0)
    half = float(interval.upper - interval.lower) / 2
    leading = math.sqrt(2 * (9 / 12) * math.log(4 / delta) / n)
    assert leading < half < 1.25 * leading
    # A variable of small variance on the same range profits.
    quiet = mean_interval(0.5 + 0.01 * samples, delta, -1.0, 2.0)
    assert quiet.upper - quiet.lower < 0.2 * (interval.upper - interval.lower)


def test_the_radius_is_that_of_the_theorem() -> None:
    """Maurer and Pontil's, at δ/2 a side, with the variance as they write it: over pairs."""
    n, delta, low, high = 60, 0.3, -0.4, 2.1
    samples = np.linspace(0.1, 1.2, n) ** 2
    variance = np.square(samples[:, None] - samples).sum() / (2 * n * (n - 1))
    x = math.log(2 / (delta / 2))
    radius = math.sqrt(2 * variance * x / n) + 7 * (high - low) * x / (3 * (n - 1))
    interval = mean_interval(samples, delta, low, high)
    assert interval.estimate == pytest.approx(samples.mean(), rel=1e-14)
    assert interval.upper - interval.estimate == pytest.approx(radius, rel=1e-11)
    assert interval.estimate - interval.lower == pytest.approx(radius, rel=1e-11)


def test_the_radius_around_a_norm_solves_the_inequality_of_bernstein() -> None:
    n, delta, radius = 301, 0.3, 1.4
    samples = np.random.default_rng(6).uniform(-0.2, 0.6, size=(n, 3))
    interval = norm_of_mean_interval(samples, delta, radius)
    halves = np.square(samples[1:-1:2] - samples[:-1:2]).sum(axis=-1) / 2
    s_squared = mean_interval(halves, delta, 0.0, 2 * radius**2).upper
    t = interval.upper - interval.estimate
    assert interval.estimate == pytest.approx(np.linalg.norm(samples.mean(axis=0)), rel=1e-14)
    tail = 2 * math.exp(-n * t**2 / (2 * (s_squared + 2 * radius * t / 3)))
    assert tail == pytest.approx(delta / 2, rel=1e-9)
    assert interval.lower == max(0.0, interval.estimate - t)


def test_a_constant_is_known_up_to_rounding() -> None:
    interval = mean_interval(np.full((50, 2), 0.7), 1e-3, 0.7, 0.7)
    assert np.abs(interval.upper - interval.lower).max() <= 4 * EPS
    assert interval.estimate == pytest.approx([0.7, 0.7], abs=4 * EPS)


def test_samples_that_refute_their_range_are_an_error() -> None:
    samples = np.linspace(0, 1, 20)
    with pytest.raises(ValueError, match=r"a sample 0\.947368 lies outside its almost-sure range \[0, 0\.9\]"):
        mean_interval(samples, 0.1, 0.0, 0.9)
    with pytest.raises(ValueError, match="lies outside its almost-sure range"):  # rounding does not go so far
        mean_interval(np.append(samples, 1 + 1e-9), 0.1, 0.0, 1.0)
    with pytest.raises(ValueError, match="samples = 1 is not allowed"):
        mean_interval(samples[:1], 0.1, 0.0, 1.0)
    with pytest.raises(ValueError, match="almost-sure ball"):
        norm_of_mean_interval(np.ones((20, 3)), 0.1, 1.7)


def vectors(n: int, seeds: int, shift: float, rng: np.random.Generator) -> tuple[Values, float]:
    """Vectors (n, seeds, 4) on three points, and the norm of their mean."""
    atoms = np.array([[1.0, 0.3, 0.0, -0.2], [-0.5, 0.9, 0.4, 0.0], [-0.2, -1.1, 0.1, 0.7]])
    p = np.array([0.5, 0.3, 0.2])
    atoms = atoms - p @ atoms + shift * np.array([0.6, 0.0, -0.8, 0.0])
    return atoms[rng.choice(3, p=p, size=(n, seeds))], float(np.linalg.norm(p @ atoms))


@pytest.mark.parametrize("shift", [0.0, 0.4])
def test_intervals_of_the_norm_of_a_mean_keep_their_promise(shift: float) -> None:
    samples, truth = vectors(200, 600, shift, np.random.default_rng(3))
    radius = float(np.linalg.norm(samples, axis=-1).max())
    interval = norm_of_mean_interval(samples, DELTA, radius)
    assert truth == pytest.approx(shift)
    assert misses(interval, truth) <= DELTA
    spread = samples.std(axis=0)
    too_narrow = interval.estimate - np.sqrt((spread**2).sum(axis=-1) / 200) / 4
    assert (too_narrow > truth).mean() > DELTA  # the same test refutes an interval that promises too much


def test_the_norm_of_a_mean_is_known_to_the_order_of_its_standard_error() -> None:
    samples, truth = vectors(5000, 20, 0.4, np.random.default_rng(4))
    interval = norm_of_mean_interval(samples, 1e-10, float(np.linalg.norm(samples, axis=-1).max()))
    standard_error = math.sqrt(float(samples.var(axis=0).sum(axis=-1).mean()) / 5000)
    half = float((interval.upper - interval.lower).mean()) / 2
    leading = math.sqrt(2 * math.log(4e10)) * standard_error
    assert leading < half < 1.4 * leading
    # The dimension does not enter: the same vectors in a larger space give the same interval.
    padded = np.concatenate([samples, np.zeros((*samples.shape[:-1], 30))], axis=-1)
    wider = norm_of_mean_interval(padded, 1e-10, float(np.linalg.norm(samples, axis=-1).max()))
    assert wider.upper == pytest.approx(interval.upper, rel=1e-12)
    assert abs(float(interval.estimate.mean()) - truth) < standard_error


def test_the_worst_entry_is_a_violated_one_then_an_undecided_one_then_the_largest_ratio() -> None:
    bound = np.array([1.0, 2.0, 1.0])
    held = Interval(np.array([0.5, 1.8, 0.7]), np.array([0.4, 1.7, 0.6]), np.array([0.6, 1.9, 0.8]))
    assert worst_entry(held, bound)[1] == (1,)
    undecided = replace(held, upper=np.array([0.6, 1.9, 1.1]))
    assert worst_entry(undecided, bound, 0.11)[1] == (1,)
    assert worst_entry(undecided, bound)[1] == (2,)
    violated = replace(undecided, lower=np.array([1.01, 1.7, 0.6]))
    finding, at = worst_entry(violated, bound)
    assert (at, judge(finding)) == ((0,), "violated")
    assert judge(worst_entry(violated, bound, 0.02)[0]) == "inconclusive"
    assert worst_entry(exactly(np.array([[0.1, np.nan]])), np.ones((1, 2)))[1] == (0, 1)
