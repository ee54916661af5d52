"""What each case settles about a problem, and what it leaves alone."""

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from problems.cases import finite_sum, resampling
from problems.convex_quadratic import IsotropicQuadratic
from problems.losses.linear_noise import LinearNoise
from problems.noise import NoNoise
from problems.probes import gaussian_probes
from theory.constants import Constants

TWO = IsotropicQuadratic(np.array([1.0, 2.0]), np.zeros((2, 3)))
ONE = TWO.take(np.array([1]))
COMMON: dict[str, Any] = {"start": [1, 2, 3], "probes": gaussian_probes(3, 1.0)}
LEFT_OUT = Constants(L=2.0)


def test_resampling_has_no_mismatch_and_without_noise_no_noise() -> None:
    problem = resampling(TWO, LEFT_OUT, **COMMON)
    assert problem.constants == Constants(L=2.0, b=0.0, b_sq=0.0, sigma_g=0.0, sigma_H=0.0)
    assert (problem.case, problem.dim, problem.number_of_tasks, problem.deterministic) == ("resampling", 3, 2, False)
    assert problem.inner is problem.outer is TWO
    assert problem.start.dtype == np.float64


def test_noise_that_is_given_is_not_taken_for_zero() -> None:
    problem = resampling(ONE, LEFT_OUT, noise=LinearNoise(ONE, np.zeros((1, 3)), [1.0]), **COMMON)
    assert (problem.constants.sigma_g, problem.constants.sigma, problem.deterministic) == (math.inf, 0.0, False)


def test_finite_sum_has_no_noise_and_one_task_no_spread() -> None:
    problem = finite_sum(ONE, replace(ONE, curvature=-ONE.curvature), replace(LEFT_OUT, b=3.0), **COMMON)
    assert problem.constants == Constants(L=2.0, sigma=0.0, sigma_g=0.0, sigma_H=0.0, b=3.0, b_sq=9.0)
    assert (problem.case, problem.number_of_tasks, problem.deterministic) == ("finite-sum", 1, True)
    with pytest.raises(ValueError, match="no data noise: Algorithm 1 needs the resampling case"):
        problem.minibatch(np.zeros(1, dtype=int), 1, np.random.default_rng(0))


def test_equal_training_and_test_loss_have_no_mismatch_and_others_an_unknown_one() -> None:
    assert finite_sum(TWO, TWO, LEFT_OUT, **COMMON).constants.b_sq == 0
    assert finite_sum(TWO, replace(TWO), LEFT_OUT, **COMMON).constants.b_sq == math.inf


def test_what_is_given_stays() -> None:
    given = replace(LEFT_OUT, sigma=0.5, sigma_g=0.25)
    assert resampling(ONE, given, **COMMON).constants == replace(given, sigma_H=0.0, b=0.0, b_sq=0.0)


def test_a_schedule_that_is_none_is_named() -> None:
    assert resampling(ONE, LEFT_OUT, made_for={"C_beta": 2, "K": 3}, **COMMON).made_for["K"] == 3
    with pytest.raises(ValueError, match=r"made_for: 'c_beta' is not allowed; did you mean C_beta\? \(a schedule"):
        resampling(ONE, LEFT_OUT, made_for={"c_beta": 2}, **COMMON)


def test_without_noise_every_minibatch_is_the_population_loss() -> None:
    noise, w = NoNoise(TWO), np.array([1.0, -2.0, 0.5])
    minibatch = noise.minibatch(np.array([[1, 0], [0, 0]]), 7, np.random.default_rng(0))
    np.testing.assert_array_equal(minibatch.gradient(w), TWO.gradient(w)[[[1, 0], [0, 0]]])
    assert (noise.gradient_sup, noise.hessian_sup, noise.quadrature()) == (0, 0, noise)
