"""Constants of every registered problem, attacked by maximisation: none is exceeded, and none could be 1 % smaller.

Where a docstring proves an upper bound that no point attains, `UPPER_BOUNDS` says how much of it must be reached.
"""

from functools import cache

import numpy as np
import pytest

from problems.losses.curvature_spline import VALUE, CurvatureSpline
from problems.noise import NoNoise
from problems.problem import Problem
from problems.registry import families
from tests.problems.suprema import H, declared, knot_points, on_splines, points, suprema
from theory.loss import Array
from theory.maml import meta_objective
from verify.running.evaluation import evaluate
from verify.running.selection import Selection, plan

SCHEDULES = ((3, 0.07), (1, 0.125))
OTHER = 1.2
"""Factor on every free parameter of the other member of a family that is attacked."""
UPPER_BOUNDS = {
    "geman-mcclure": {"rho": 0.97, "sigma": 0.6, "b": 0.7, "b_sq": 0.5, "gradient_bound": 0.9},
    "welsch": {"rho": 0.9, "sigma": 0.6, "b": 0.7, "b_sq": 0.55},
    "sigmoid-classification": {"L": 0.97, "rho": 0.88, "sigma": 0.6, "b": 0.4, "b_sq": 0.15, "gradient_bound": 0.9},
    "random-ridges": {"rho": 0.8},
    "ramp": {"L": 0.7},
    "ramp-finite-sum": {"L": 0.7},
    "gentle-ramp": {"L": 0.3},
    "gentle-ramp-finite-sum": {"L": 0.3},
}
NAMES = {"L", "rho", "sigma", "sigma_g", "sigma_H", "b", "b_sq"}
ATTAINED, ATTAINED_ON_SPLINES = 0.991, 1 - 1e-6
ROUNDING = 1e-9
"""Relative: eps·L over the steps of differences of Hessians, which are 1e-4 and more of the scale."""
EPS = float(np.finfo(np.float64).eps)


def members() -> list[tuple[str, int, float, float]]:
    """(name, N, αL, factor): each problem, and where it has free parameters another member of its family."""
    found = []
    for name, known in families().items():
        N, alpha_L = SCHEDULES[0]
        found.append((name, N, alpha_L, 1.0))
        if known.free:
            found.append((name, *SCHEDULES[1], OTHER))
    return found


@cache
def build(name: str, N: int, alpha_L: float, factor: float) -> Problem:
    known = families()[name]
    free = {} if factor == 1 else {parameter: factor * default for parameter, default in known.free.items()}
    return known.build(N, alpha_L, **free)


@cache
def measured(name: str, N: int, alpha_L: float, factor: float) -> dict[str, float]:
    return suprema(build(name, N, alpha_L, factor))


@pytest.fixture(params=members(), ids=lambda member: f"{member[0]} x{member[3]:g}")
def member(request: pytest.FixtureRequest) -> tuple[str, int, float, float]:
    return request.param


def rounding(problem: Problem, name: str) -> float:
    """Of differences: of gradients, where spread or noise are far below these, and of Hessians over small steps."""
    if name == "rho" and on_splines(problem):
        at = knot_points(problem)
        return 8 * EPS * problem.constants.rho * float(np.abs(at).max() / np.diff(at, axis=0).min())
    if name == "rho":
        return 8 * EPS * problem.constants.L / (H * problem.scale)
    if name not in ("sigma", "sigma_g", "b"):
        return 0.0
    return 64 * EPS * float(np.abs(problem.outer.gradient(points(problem)[:, None])).max())


def test_no_constant_is_exceeded_and_none_could_be_one_percent_smaller(member: tuple[str, int, float, float]) -> None:
    problem, found = build(*member), measured(*member)
    attained = ATTAINED_ON_SPLINES if on_splines(problem) else ATTAINED
    for name, value in found.items():
        limit = declared(problem, name)
        assert value <= limit * (1 + ROUNDING) + rounding(problem, name), name
        if limit > 0:
            assert value >= UPPER_BOUNDS.get(problem.name, {}).get(name, attained) * limit, name


def test_the_audit_of_the_suite_reaches_what_is_attained(member: tuple[str, int, float, float]) -> None:
    name, N, _, factor = member
    if factor != 1:
        pytest.skip("the suite audits the registered member")
    build(*member)
    for job in plan(Selection(claims=("constants",), problems=(name,), inner_steps=(N,), profile="quick")):
        for record in evaluate(job):
            assert record.verdict == "holds"
            if record.bound > 0 and record.label in NAMES - UPPER_BOUNDS.get(name, {}).keys():
                assert record.tightness > 0.99, record.label


def test_upper_bounds_are_told_of_problems_that_exist() -> None:
    assert UPPER_BOUNDS.keys() <= families().keys()


def test_lower_bound_is_below_the_meta_objective(member: tuple[str, int, float, float]) -> None:
    problem, (_, N, alpha_L, _) = build(*member), member
    w, alpha = points(problem)[:, None], alpha_L / problem.constants.L
    objective = meta_objective(w, alpha, N, problem.inner, problem.outer)
    size = EPS * np.abs(objective).max() * 64
    assert objective.mean(axis=1).min() >= problem.constants.lower_bound - size


def stationary_values(loss: CurvatureSpline, grid: Array) -> Array:
    """Least value of each task (tasks,): on the grid, and where bisection finds `l' = 0` between its points."""
    low, high = (np.broadcast_to(x, (len(grid) - 1, len(loss.knots), 1)) for x in (grid[:-1, None], grid[1:, None]))
    sign = np.sign(loss.gradient(low))
    for _ in range(60):
        middle = (low + high) / 2
        left = np.sign(loss.gradient(middle)) == sign
        low, high = np.where(left, middle, low), np.where(left, high, middle)
    return np.asarray(np.minimum(loss.value(low).min(axis=0), loss.value(grid[:, None]).min(axis=0)))


def test_the_lower_bound_of_splines_is_the_mean_of_their_minima(member: tuple[str, int, float, float]) -> None:
    problem = build(*member)
    if not on_splines(problem) or problem.name == "kink":
        pytest.skip("its lower bound speaks of the meta objective")
    assert isinstance(problem.outer, CurvatureSpline)
    least = stationary_values(problem.outer, knot_points(problem)).mean()
    size = np.abs(problem.outer.pieces[VALUE]).max() + abs(least)
    assert least == pytest.approx(problem.constants.lower_bound, rel=0, abs=1e-12 * size)


def test_problem_is_complete(member: tuple[str, int, float, float]) -> None:
    problem, known = build(*member), families()[member[0]]
    assert (problem.name, problem.case) == (member[0], known.case)
    assert problem.start.shape == (problem.dim,)
    for count in (1, 2, 40):
        assert problem.probes(count, np.random.default_rng(0)).shape == (count, problem.dim)
    assert isinstance(problem.noise, NoNoise) or problem.case == "resampling"
    assert len(problem.outer.value(problem.start)) == problem.number_of_tasks
    assert problem.constants.L > 0
    one, other = (problem.probes(40, np.random.default_rng(seed)) for seed in (1, 2))
    assert (one != other).any()
    if on_splines(problem):
        np.testing.assert_array_equal(one[0], other[0])


@pytest.mark.parametrize("N", [0, 1, 2, 5, 10, 20, 50])
@pytest.mark.parametrize("rule", ["recommended", "fixed", "past cap"])
def test_problems_can_be_built_for_every_schedule_of_the_suite(N: int, rule: str) -> None:
    past = 2 * (2 ** (1 / (2 * max(N, 1))) - 1)
    alpha_L = {"recommended": 1 / (8 * max(N, 1)), "fixed": 0.25, "past cap": past}[rule]
    for name, known in families().items():
        if known.scheduled:
            assert known.build(N, alpha_L).name == name
