"""Ramps are as long as the run that they are made for, and bend as fast as they may."""

import math
from collections.abc import Callable

import numpy as np
import pytest

from problems.problem import Problem
from problems.ramp import MADE_FOR, gentle_ramp, gentle_ramp_finite_sum, ramp, ramp_finite_sum
from theory.constants import Schedule
from theory.maml import meta_gradient
from theory.paper import Paper

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
    L_w = Paper(c, Schedule(N=N, alpha=alpha)).L_w(g)
    last = problem.start + (MADE_FOR["K"] - 1) * g / (MADE_FOR["C_beta"] * L_w)
    assert last[0] + N * alpha * g == pytest.approx(0.0, abs=1e-12 * abs(problem.start[0]))
    for w in (problem.start, last - 1e-9):
        assert meta_gradient(w[None], alpha, N, problem.inner, problem.outer) == pytest.approx(-g, rel=1e-14)
    beyond = meta_gradient(last[None] + 0.1 * problem.scale, alpha, N, problem.inner, problem.outer)
    assert abs(float(beyond[0, 0])) < 0.999 * g
    gap = (MADE_FOR["K"] - 1) * g**2 / (MADE_FOR["C_beta"] * L_w) + g * problem.scale
    assert problem.initial_gap(alpha, N) == pytest.approx(gap, rel=1e-12)


@pytest.mark.parametrize("N", [1, 5])
@pytest.mark.parametrize("name", ["exact", "finite-sum", "resampling"])
def test_the_gentle_ramp_attains_the_own_theorems(name: str, N: int) -> None:
    """A run of K steps has ḡ = g, as on every ramp; the own theorems without noise, at α = 1/(8NL), allow g/0.996."""
    alpha_L = 1 / (8 * N)
    build = gentle_ramp_finite_sum if name == "finite-sum" else gentle_ramp
    problem = build(N, alpha_L, rho=0.1, slope=0.1, steps=1_000_000)
    c, alpha, g, made_for = problem.constants, alpha_L / problem.constants.L, problem.gradient_bound, problem.made_for
    C_beta, K, B, q_N = made_for["C_beta"], made_for["K"], made_for["B"], (1 + alpha_L) ** N
    Q, a, x = q_N**2, q_N**2 * c.L, N * alpha_L + q_N - 1 if name == "finite-sum" else 2 * N * alpha_L
    C_L = c.rho / c.L * q_N**2 / (1 + alpha_L) * (q_N - 1)
    p = Q * (1 - x) / (1 + x)
    A_v = {"exact": 0.0, "finite-sum": 1 / (1 - x), "resampling": (Q / p) ** 2}[name]
    kappa = {"exact": 1.0, "finite-sum": 1 + (A_v - 1) / B, "resampling": 1 - 1 / B + A_v / B}[name]
    c_1, Gamma = 1 - kappa / (2 * C_beta), C_L / p
    r = C_beta * problem.initial_gap(alpha, N) / K
    bound = (Gamma * r + math.sqrt((Gamma * r) ** 2 + 4 * c_1 * a * r)) / (2 * c_1)
    assert 0.9955 < g / bound <= 1
    meta = meta_gradient(problem.start[None], alpha, N, problem.inner, problem.outer)
    assert meta == pytest.approx(-g, rel=1e-12)
