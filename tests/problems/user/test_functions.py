"""Problems made of plain functions: what they compute, and what is filled in."""

from __future__ import annotations

import logging
import math
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

import problems
from problems.problem import Problem
from problems.user.estimation import SAFETY
from problems.user.loss import FunctionLoss
from problems.user.noise_levels import DRAWS
from theory.constants import Constants
from theory.maml import meta_gradient

OMEGA = np.array([0.5, 1.0, 1.5])
SIZE = np.array([2.0, 0.7, 0.4])
L = float((SIZE * OMEGA**2).max())
RHO = float((SIZE * OMEGA**3).max())
Q = np.linalg.qr(np.random.default_rng(5).normal(size=(3, 3)))[0]
PHASES = 2 * np.pi * np.arange(3) / 3
SIGMA = math.sqrt(0.5 * ((SIZE * OMEGA) ** 2).sum())  # three equally spaced phases: the same at every point
REGION = 6.0
ALL = ("value", "gradient", "hessian", "hvp")


def cosine(phase: float, shift: float = 0.0, names: tuple[str, ...] = ALL) -> dict[str, Any]:
    """Rotated cosines `Σ a cos(ω (Qᵀw) + φ) + shift · w_0` as a user writes them, one point at a time."""

    def angle(w: Any) -> Any:
        return OMEGA * (Q.T @ w) + phase

    axis = np.eye(3)[0]
    task = {
        "value": lambda w: float((SIZE * np.cos(angle(w))).sum()) + shift * w[0],
        "gradient": lambda w: -Q @ (SIZE * OMEGA * np.sin(angle(w))) + shift * axis,
        "hessian": lambda w: -(Q * (SIZE * OMEGA**2 * np.cos(angle(w)))) @ Q.T,
        "hvp": lambda w, v: -Q @ (SIZE * OMEGA**2 * np.cos(angle(w)) * (Q.T @ v)),
    }
    return {name: task[name] for name in names}


def build(tasks: list[Any], **options: Any) -> Problem:
    return problems.from_functions(tasks, **{"dim": 3, "constants": Constants(L=L), "region": REGION, **options})


def test_the_batch_agrees_with_the_functions_point_by_point() -> None:
    tasks = [cosine(phase) for phase in PHASES]
    loss = build(tasks).inner.take(np.array([[2, 0], [1, 1]]))
    rng = np.random.default_rng(1)
    w, v = rng.normal(size=(2, 5, 1, 1, 3))
    for p, i, j, task in ((0, 0, 0, 2), (4, 0, 1, 0), (3, 1, 0, 1)):
        x, y = w[p, 0, 0], v[p, 0, 0]
        assert loss.value(w)[p, i, j] == tasks[task]["value"](x)
        assert np.array_equal(loss.gradient(w)[p, i, j], tasks[task]["gradient"](x))
        assert np.array_equal(loss.hvp(w, v)[p, i, j], tasks[task]["hvp"](x, y))
    assert loss.value(w).shape == (5, 2, 2)
    assert loss.gradient(w[:0]).shape == (0, 2, 2, 3)


@pytest.mark.parametrize(
    ("names", "error"),
    [(("value", "gradient", "hessian"), 1e-14), (("value", "gradient"), 1e-10), (("value",), 1e-9)],
)
def test_derivatives_that_were_left_out_are_right(names: tuple[str, ...], error: float) -> None:
    problem, exact = (build([cosine(phase, names=given) for phase in PHASES]) for given in (names, ALL))
    w, v = np.random.default_rng(2).normal(size=(2, 4, 1, 3))
    assert np.abs(problem.inner.gradient(w) - exact.inner.gradient(w)).max() <= error
    assert np.abs(problem.inner.hvp(w, v) - exact.inner.hvp(w, v)).max() <= error
    assert problem.inner.hvp(w, 0 * v).any() == 0


def test_what_was_left_out_is_announced_in_one_line_each(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING, "problems"):
        build([cosine(0.3)], name="given in full")
    assert caplog.messages == []
    with caplog.at_level(logging.WARNING, "problems"):
        build([cosine(0.3, names=("value",))], name="mine", constants={"L": L, "rho": RHO, "gradient_bound": 3.0})
    numerical, *_, estimated = caplog.messages
    assert numerical.startswith("mine: gradient and hvp left out: differentiated numerically")
    assert estimated.startswith("mine: estimated on the ball of radius 6 around the origin, and on inner paths")
    assert estimated.endswith("the largest met times 1.05: sigma, lower_bound")
    caplog.clear()
    with caplog.at_level(logging.WARNING, "problems"):
        build([{**cosine(0.3), "sample": lambda rng: cosine(0.3, names=("value", "gradient"))}], name="noisy")
    assert caplog.messages == ["noisy: hvp left out: differentiated numerically, which is slower"]


def test_mappings_objects_and_tasks_are_read_alike() -> None:
    fields = cosine(0.4)
    w = np.array([0.3, -1.0, 0.2])
    values = [build([task]).inner.value(w)[0] for task in (fields, SimpleNamespace(**fields), problems.Task(**fields))]
    assert values == [fields["value"](w)] * 3


def test_constants_left_out_are_estimated_from_above_and_marked() -> None:
    problem = build([cosine(phase) for phase in PHASES], constants={"lower_bound": -3.1})
    c = problem.constants
    assert problem.estimated == ("L", "rho", "sigma", "gradient_bound")
    for estimate, exact in ((c.L, L), (c.rho, RHO), (c.sigma, SIGMA)):
        assert estimate == pytest.approx(SAFETY * exact, rel=2e-3)
    # Each coordinate of Qᵀw reaches sin = 1 within the box, so the gradient does reach ‖aω‖.
    assert problem.gradient_bound == pytest.approx(SAFETY * np.linalg.norm(SIZE * OMEGA), rel=2e-3)
    assert (c.b, c.b_sq, c.lower_bound) == (0, 0, -3.1)
    assert math.isinf(c.sigma_g)  # no sample, so nothing is assumed of the noise


def test_estimates_are_the_same_at_every_call() -> None:
    first, second = (build([cosine(phase) for phase in PHASES], constants=None) for _ in range(2))
    assert first.constants == second.constants


def test_a_finite_sum_problem_estimates_its_mismatch_task_by_task() -> None:
    shifts = (0.2, 0.6)
    tasks = [{"train": cosine(0.0, shift), "test": cosine(1.0)} for shift in shifts]
    constants = {"L": L, "rho": RHO, "sigma": 0.0, "lower_bound": -3.1, "gradient_bound": 4.0}
    problem = build(tasks, constants=constants, region=12.0, train_size=7, test_size=9)
    # sin(t + 1) − sin(t) reaches 2 sin(½) in each coordinate at once; the shift adds in the direction of w_0.
    amplitude = 2 * math.sin(0.5) * SIZE * OMEGA
    angles = np.linspace(0, 2 * np.pi, 60)
    faces = np.stack(np.meshgrid(angles, angles, angles), axis=-1).reshape(-1, 3)
    gap = (amplitude * np.cos(faces)) @ Q.T
    exact = [np.linalg.norm(gap + shift * np.eye(3)[0], axis=1).max() for shift in shifts]
    assert problem.case == "finite-sum"
    assert problem.estimated == ("b", "b_sq")
    assert problem.constants.b == pytest.approx(SAFETY * np.mean(exact), rel=1e-2)
    assert problem.constants.b_sq == pytest.approx(SAFETY**2 * np.mean(np.square(exact)), rel=1e-2)
    assert (problem.constants.sigma_g, problem.constants.sigma_H) == (0, 0)
    assert (problem.train_size, problem.test_size) == (7, 9)
    w = np.array([0.2, -0.4, 1.0])
    gradient = meta_gradient(w, 0.1, 2, problem.inner, problem.outer)
    assert gradient.shape == (2, 3)


def cubic(curvature: float, third: float, slope: float) -> dict[str, Any]:
    """`slope w + curvature w²/2 + third w³/6`."""
    return {
        "value": lambda w: float(slope * w[0] + curvature * w[0] ** 2 / 2 + third * w[0] ** 3 / 6),
        "gradient": lambda w: slope + curvature * w + third * w**2 / 2,
        "hvp": lambda w, v: (curvature + third * w) * v,
    }


@pytest.mark.parametrize(
    ("train", "test", "rho", "steepest"), [((0.4, 0.3), (0.5, 0.7), 0.3, 3.0), ((0.5, 0.7), (0.4, 0.3), 0.7, 2.5)]
)
def test_each_constant_of_a_finite_sum_problem_is_estimated_from_the_losses_that_it_is_of(
    train: tuple[float, float], test: tuple[float, float], rho: float, steepest: float
) -> None:
    """On [−2, 2]: L and the bound of gradients from the steeper losses, ρ from training and σ from test losses."""
    tasks = [{"train": cubic(*train, 0.1), "test": cubic(*test, slope)} for slope in (-0.2, 0.6)]
    problem = problems.from_functions(tasks, dim=1, region=2.0, start=[0.0], constants={"lower_bound": -9.0})
    c = problem.constants
    assert (c.L, c.rho, c.sigma) == pytest.approx((SAFETY * 1.9, SAFETY * rho, SAFETY * 0.4), rel=1e-6)
    assert problem.gradient_bound == pytest.approx(SAFETY * steepest, rel=1e-6)


def test_an_estimated_mismatch_agrees_with_the_mean_square_that_is_given() -> None:
    """The margin of the estimate must not make b² exceed b_sq, which is right."""
    task = {"train": cubic(0.4, 0.3, 0.5), "test": cubic(0.4, 0.3, 0.2)}
    constants = {"L": 1.0, "rho": 0.3, "sigma": 0.0, "lower_bound": -9.0, "gradient_bound": 9.0, "b_sq": 0.3**2}
    problem = problems.from_functions([task], dim=1, region=1.0, constants=constants)
    assert problem.estimated == ("b",)
    assert problem.constants.b == pytest.approx(0.3, rel=1e-12)


def test_three_standard_errors_are_added_to_the_noise_that_was_sampled() -> None:
    drawn: list[float] = []

    def sample(rng: np.random.Generator) -> dict[str, Any]:
        drawn.append(rng.normal())
        return cubic(0.5, 0.0, drawn[-1])

    constants = {"L": 0.5, "rho": 0.0, "sigma": 0.0, "lower_bound": -9.0, "gradient_bound": 9.0, "sigma_H": 0.0}
    problem = problems.from_functions([{**cubic(0.5, 0.0, 0.0), "sample": sample}], dim=1, constants=constants)
    squares = np.square(drawn[-DRAWS:])
    expected = SAFETY * math.sqrt(squares.mean() + 3 * squares.std() / math.sqrt(DRAWS))
    assert problem.constants.sigma_g == pytest.approx(expected, rel=1e-9)


def test_a_lower_bound_is_estimated_where_there_is_one() -> None:
    constants = {"L": L, "rho": RHO, "sigma": 4.0, "gradient_bound": 4.0}
    problem = build([cosine(phase) for phase in PHASES], constants=constants)
    assert -SIZE.sum() - 0.05 * 2 * SIZE.sum() <= problem.constants.lower_bound <= -SIZE.sum()
    unbounded = build([{"value": lambda w: -w @ w, "gradient": lambda w: -2 * w, "hvp": lambda w, v: -2 * v}],
                      constants=constants)  # fmt: skip
    assert unbounded.constants.lower_bound == -math.inf


def noisy(phase: float, level: float) -> dict[str, Any]:
    """Two-point noise: the gradient is off by ±level in one direction, the Hessian not at all."""
    return {**cosine(phase), "sample": lambda rng: cosine(phase, level * rng.choice([-1, 1]))}


def test_samples_are_averaged_over_a_minibatch() -> None:
    problem = build([noisy(phase, 0.3) for phase in PHASES])
    tasks = np.array([0, 2, 1, 1])
    batch = problem.minibatch(tasks, 4, np.random.default_rng(3))
    w, v = np.random.default_rng(4).normal(size=(2, 5, 1, 3))
    noise = batch.gradient(w) - problem.inner.take(tasks).gradient(w)
    # The mean of four signs is a multiple of ½, the same at every point.
    assert np.abs(noise[..., 0] / 0.3 * 2 - np.round(noise[0, :, 0] / 0.3 * 2)).max() <= 1e-12
    assert np.abs(noise[..., 1:]).max() <= 1e-14
    assert np.abs(batch.hvp(w, v) - problem.inner.take(tasks).hvp(w, v)).max() <= 1e-14
    assert len(set(np.round(noise[0, :, 0], 6))) > 1


def test_noise_is_estimated_from_above() -> None:
    levels = (0.1, 0.4, 0.2)
    constants = {"L": L, "rho": RHO, "sigma": SIGMA, "lower_bound": -3.1, "gradient_bound": 4.0}
    tasks = [noisy(phase, level) for phase, level in zip(PHASES, levels, strict=True)]
    problem = build(tasks, constants=constants)
    assert problem.estimated == ("sigma_g", "sigma_H", "gradient_sup", "hessian_sup")
    assert problem.noise is not None
    assert problem.constants.sigma_g == pytest.approx(SAFETY * 0.4, rel=1e-9)
    assert problem.noise.gradient_sup == pytest.approx(SAFETY * 0.4, rel=1e-9)
    assert problem.constants.sigma_H <= 1e-14


def test_a_biased_sample_is_noticed(caplog: pytest.LogCaptureFixture) -> None:
    biased = {**cosine(0.2), "sample": lambda rng: cosine(0.2, 0.3 * rng.choice([-1, 1]) + 0.1)}
    with caplog.at_level(logging.WARNING, "problems"):
        build([noisy(0.2, 0.3)])
        assert caplog.messages == []
        build([biased])
    assert "task 0: sample looks biased" in caplog.messages[0]


def test_probes_fill_the_core_of_the_region_and_the_start_lies_in_it() -> None:
    problem = build([cosine(0.1)], region=([-1.0, 0.0, 2.0], 4.0))
    points = problem.probes(1000, np.random.default_rng(0))
    assert points.shape == (1000, 3)
    assert np.allclose(points.min(axis=0), [0.875, 1.5, 2.75], atol=0.05)
    assert np.allclose(points.max(axis=0), [2.125, 2.5, 3.25], atol=0.05)
    assert np.array_equal(problem.start, [2.125, 2.5, 3.25])
    assert problem.scale == 0.125


def test_a_run_that_diverges_meets_no_exception() -> None:
    def overflows(w: Any) -> float:
        return math.exp(w[0] ** 2)

    task = {"value": overflows, "gradient": lambda w: np.array([2 * w[0] * math.exp(w[0] ** 2)]), "hvp": lambda w, v: v}
    loss = build([cosine(0.1)]).inner
    assert isinstance(loss, FunctionLoss)
    mine = problems.from_functions([{**task, "hvp": None}], dim=1, constants=Constants(L=2.0), region=1.0).inner
    w = np.array([[1e3], [np.nan], [0.5]])
    assert np.array_equal(np.isnan(mine.value(w[:, None])[:, 0]), [True, True, False])
    assert np.array_equal(np.isnan(mine.gradient(w[:, None])[:, 0, 0]), [True, True, False])


def test_a_function_may_change_the_point_it_is_given() -> None:
    def value(w: Any) -> float:
        w *= 2
        return float(w @ w)

    problem = problems.from_functions([{"value": value}], dim=2, constants=Constants(L=8.0))
    w = np.array([1.0, 0.5])
    assert problem.inner.value(w)[0] == 5
    assert np.array_equal(w, [1.0, 0.5])


def waves(names: tuple[str, ...], factor: float = 1.0) -> dict[str, Any]:
    """Cosines of unit frequency, the gradient times a factor, with some of the derivatives."""
    given = {
        "gradient": lambda w: -factor * np.sin(w),
        "hessian": lambda w: -np.diag(np.cos(w)),
    }
    return {"value": lambda w: float(np.cos(w).sum())} | {name: given[name] for name in names}


@pytest.mark.parametrize("region", [2.0, 1e4, 3e5, 1e6])
def test_a_correct_problem_is_accepted_in_any_region(region: float) -> None:
    constants = {"L": 1.0, "rho": 1.0, "sigma": 0.0, "lower_bound": -2.0, "gradient_bound": 2.0}
    for names in (("gradient", "hessian"), ("gradient",), ()):
        problem = problems.from_functions([waves(names)], dim=2, region=region, constants=constants)
        w = problem.probes(20, np.random.default_rng(3))
        v = np.array([0.6, -0.8])
        np.testing.assert_allclose(problem.inner.gradient(w), -np.sin(w), atol=1e-6)
        np.testing.assert_allclose(problem.inner.hvp(w, v), -np.cos(w) * v, atol=1e-4)


@pytest.mark.parametrize("region", [2.0, 1e4, 1e6])
def test_a_wrong_gradient_is_found_out_in_any_region(region: float) -> None:
    with pytest.raises(ValueError, match="gradient is not the derivative of value"):
        problems.from_functions([waves(("gradient",), 1.0001)], dim=2, region=region, constants={"L": 1.0})


def test_the_speed_of_hessians_is_estimated_in_a_wide_region() -> None:
    problem = problems.from_functions(
        [waves(("gradient", "hessian"))], dim=1, region=1e4, constants={"L": 1.0, "sigma": 0.0}
    )
    assert 1 <= problem.constants.rho <= 1.06
