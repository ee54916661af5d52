"""Constants of the sharp instances on the line, attacked by maximisation: each is attained, none is exceeded."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from problems.cusp import cusp, cusp_mismatch
from problems.kink import kink
from problems.losses.curvature_spline import CurvatureSpline
from problems.noise import FiniteNoise
from problems.problem import Problem
from problems.rare_mismatch import rare_mismatch
from problems.registry import families
from problems.saddle import saddle, saddle_hessian_noise, saddle_noise
from problems.teeth import teeth, teeth_finite_sum
from problems.tent import tent, tent_kink
from problems.two_point_stepsize import two_point_stepsize, two_point_tasks
from problems.well_edge import well_edge
from theory.loss import Array
from theory.maml import meta_objective

N, ALPHA_L = 3, 0.07
BUILDERS: dict[str, Callable[..., Problem]] = {
    "saddle": saddle,
    "saddle-noise": saddle_noise,
    "saddle-hessian-noise": saddle_hessian_noise,
    "teeth": teeth,
    "teeth-finite-sum": teeth_finite_sum,
    "kink": lambda N, alpha_L, **options: kink(**options),
    "cusp": cusp,
    "cusp-mismatch": cusp_mismatch,
    "tent": tent,
    "tent-kink": tent_kink,
    "well-edge": well_edge,
    "rare-mismatch": rare_mismatch,
    "two-point-stepsize": two_point_stepsize,
    "two-point-tasks": two_point_tasks,
}
OPTIONS: dict[str, dict[str, float]] = {
    **{name: {"L": 0.6, "rho": 4.1} for name in BUILDERS},
    "cusp-mismatch": {"L": 0.6, "mismatch": 5.3},
    "saddle-noise": {"L": 3.0, "rho": 0.4, "sigma_g": 1.9},
    "saddle-hessian-noise": {"L": 3.0, "rho": 0.4, "sigma_g": 1.9, "sigma_H": 0.8},
    "kink": {"L": 0.6, "rho": 4.1, "steepness": 0.3},
    "teeth-finite-sum": {"L": 3.0, "rho": 0.4, "steepness": 2.0, "mismatch": 7.0},
    "rare-mismatch": {"L": 3.0, "rho": 0.4, "mismatch": 1.1, "tasks": 10},
}
EPS = float(np.finfo(np.float64).eps)
NAMES = ("L", "rho", "sigma", "sigma_g", "sigma_H", "b", "b_sq")
ATTAINED = 1e-6
"""Relative distance of the maximisation from the supremum, at most."""
ROUNDING = 1e-9
"""Relative: second derivatives are known to eps·L and differ over segments of 1e-3 L/ρ, eight points each."""


def build(name: str, options: dict[str, float]) -> Problem:
    return BUILDERS[name](N, ALPHA_L, **options)


@pytest.fixture(params=[(name, which) for name in BUILDERS for which in ("registered", "other")], scope="module")
def problem(request: pytest.FixtureRequest) -> Problem:
    name, which = request.param
    return families()[name].build(N, ALPHA_L) if which == "registered" else build(name, OPTIONS[name])


def points(problem: Problem) -> Array:
    """Sorted points (P, 1): all knots, seven points on each segment between them, and far out on both sides."""
    assert isinstance(problem.inner, CurvatureSpline)
    assert isinstance(problem.outer, CurvatureSpline)
    knots = np.unique(np.concatenate([problem.inner.knots, problem.outer.knots], axis=None))
    span = max(np.ptp(knots), problem.scale)
    knots = np.concatenate([knots[:1] - span * np.array([9.0, 3.0]), knots, knots[-1:] + span * np.array([3.0, 9.0])])
    inside = knots[:-1, None] + np.diff(knots)[:, None] * np.linspace(0, 1, 8, endpoint=False)
    return np.append(inside, knots[-1])[:, None]


def measure(problem: Problem) -> dict[str, float]:
    """The constants of Assumptions 1 to 4 as far as maximisation over the points finds them."""
    w, one = points(problem)[:, None], np.ones(1)
    inner, outer = problem.inner, problem.outer
    curvature = inner.hvp(w, one)[..., 0]
    gradient, train = outer.gradient(w)[..., 0], inner.gradient(w)[..., 0]
    b = np.abs(train - gradient).max(axis=0)
    found = {
        "L": max(np.abs(curvature).max(), np.abs(outer.hvp(w, one)).max()),
        "rho": (np.abs(np.diff(curvature, axis=0)) / np.diff(w[..., 0], axis=0)).max(),
        "sigma": np.sqrt(((gradient - gradient.mean(axis=1, keepdims=True)) ** 2).mean(axis=1)).max(),
        "sigma_g": 0.0,
        "sigma_H": 0.0,
        "b": b.mean(),
        "b_sq": (b**2).mean(),
    }
    if isinstance(problem.noise, FiniteNoise):
        atoms, tasks = len(problem.noise.probabilities), problem.number_of_tasks
        weights = np.broadcast_to(np.eye(atoms)[:, None], (atoms, tasks, atoms))
        data = problem.noise.weighted(np.tile(np.arange(tasks), (atoms, 1)), weights)
        noise = {
            "sigma_g": data.gradient(w[:, None]) - inner.gradient(w)[:, None],
            "sigma_H": data.hvp(w[:, None], one) - inner.hvp(w, one)[:, None],
        }
        for name, n in noise.items():
            found[name] = np.sqrt(np.einsum("patd,a->pt", n**2, problem.noise.probabilities).max())
    return {name: float(value) for name, value in found.items()}


def exceeded(problem: Problem) -> set[str]:
    """Names of the constants that the maximisation refutes."""
    found, c = measure(problem), problem.constants
    # A spread or noise of zero is a difference of gradients, known to their rounding.
    gradients = problem.outer.gradient(points(problem)[:, None])
    slack = {"sigma": 16 * EPS * float(np.abs(gradients).max())}
    slack["sigma_g"] = slack["sigma"]
    return {name for name in NAMES if found[name] > getattr(c, name) * (1 + ROUNDING) + slack.get(name, 0.0)}


def test_every_constant_bounds_what_is_measured_and_is_attained(problem: Problem) -> None:
    assert exceeded(problem) == set()
    found = measure(problem)
    for name in NAMES:
        assert found[name] >= (1 - ATTAINED) * getattr(problem.constants, name), name


def test_a_constant_declared_one_percent_too_small_is_refuted(problem: Problem) -> None:
    c = problem.constants
    for name in NAMES:
        if getattr(c, name) > 0:
            smaller = {name: 0.99 * getattr(c, name)}
            if name == "b_sq":
                smaller["b"] = min(c.b, np.sqrt(smaller["b_sq"]))
            assert name in exceeded(replace(problem, constants=replace(c, **smaller)))


def stationary_values(loss: CurvatureSpline, grid: Array) -> Array:
    """Least value of each task (tasks,): on the grid, and where bisection finds `l' = 0` between its points."""
    low, high = (np.broadcast_to(x, (len(grid) - 1, len(loss.knots), 1)) for x in (grid[:-1, None], grid[1:, None]))
    sign = np.sign(loss.gradient(low))
    for _ in range(60):
        middle = (low + high) / 2
        left = np.sign(loss.gradient(middle)) == sign
        low, high = np.where(left, middle, low), np.where(left, high, middle)
    return np.asarray(np.minimum(loss.value(low).min(axis=0), loss.value(grid[:, None]).min(axis=0)))


def test_lower_bound_holds_and_is_attained_by_the_mean_of_the_minima(problem: Problem) -> None:
    if problem.name == "kink":
        pytest.skip("its lower bound speaks of the meta objective, tested below")
    assert isinstance(problem.outer, CurvatureSpline)
    least = stationary_values(problem.outer, points(problem)).mean()
    size = np.abs(problem.outer.pieces[..., 1]).max() + abs(least)
    assert least >= problem.constants.lower_bound - 1e-13 * size
    assert least <= problem.constants.lower_bound + 1e-12 * size
    if least != 0:
        assert least < problem.constants.lower_bound + 0.01 * abs(least)


@pytest.mark.parametrize("N", [1, 4])
def test_lower_bound_of_the_kink_is_the_minimum_of_its_meta_objective(N: int) -> None:
    problem = kink(L=0.6, rho=4.1, steepness=0.3)
    w = np.append(points(problem), 0.0)[:, None]
    objective = meta_objective(w[:, None], 0.1 / 0.6, N, problem.inner, problem.outer).mean(axis=1)
    assert objective.min() >= problem.constants.lower_bound - 1e-13
    assert objective[-1] == problem.constants.lower_bound


def test_first_probes_are_the_same_for_every_generator_and_the_others_are_near(problem: Problem) -> None:
    first, second = (problem.probes(40, np.random.default_rng(seed)) for seed in (1, 2))
    assert first.shape == (40, 1)
    np.testing.assert_array_equal(first[0], second[0])
    assert (first[5::2] != second[5::2]).all()
    assert problem.probes(1, np.random.default_rng(3)).shape == (1, 1)
    assert problem.start.shape == (1,)


def test_gradient_bound_holds(problem: Problem) -> None:
    w = points(problem)[:, None]
    gradients = [np.abs(loss.gradient(w)).max() for loss in (problem.inner, problem.outer)]
    assert max(gradients) <= problem.gradient_bound * (1 + ROUNDING)


@pytest.mark.parametrize("N", [0, 1, 2, 5, 10, 20, 50])
@pytest.mark.parametrize("rule", ["recommended", "fixed", "past cap"])
def test_instances_can_be_built_for_every_schedule_of_the_suite(N: int, rule: str) -> None:
    alpha_L = {"recommended": 1 / (8 * max(N, 1)), "fixed": 0.25, "past cap": 2 * (2 ** (1 / (2 * max(N, 1))) - 1)}[
        rule
    ]
    for name in BUILDERS:
        family = families()[name]
        problem = family.build(N, alpha_L)
        assert problem.name == name
        assert problem.case == family.case
        assert family.role == "sharp"
        assert all(np.isfinite(value) for value in vars(problem.constants).values())
