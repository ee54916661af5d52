"""Whole runs: what a sample can be at most, what rounding can do, and verdicts from intervals."""

import math
from dataclasses import replace

import numpy as np
import pytest

from problems.convex_quadratic import IsotropicQuadratic
from problems.noise import NoNoise
from problems.registry import family
from theory.algorithms import Algorithm, run
from theory.convergence import Guarantee
from theory.paper import Paper
from verify.cell import PROFILES, Cell, Effort, alpha_L
from verify.evidence.intervals import Interval, mean_interval
from verify.evidence.runs import (
    Promise,
    Run,
    exact_run,
    expected_run,
    first_round,
    horizon,
    largest_mean,
    run_error,
    sampled_run,
    schedule,
)
from verify.verdict import Values, judge

SMALL = Effort(8, 0, 0, 200, 2, 40, 20, (1,))


def cell_of(name: str, N: int = 2) -> Cell:
    problem = family(name).build(N, alpha_L("recommended", N))
    return Cell("runs", name, problem, N, "recommended", SMALL, 3, 1e-4)


def promised(bound: float) -> Promise:
    return lambda paper: Guarantee(bound, 0.0, 0.0, 0.0, 1.0, 0.0)


@pytest.mark.parametrize(
    ("name", "algorithm"),
    [
        ("quadratic", "resampling"),
        ("rotated-cosine-finite-noise", "resampling"),
        ("noise-floor-data", "resampling"),
        ("quadratic-finite-sum", "finite-sum"),
        ("geman-mcclure", "finite-sum"),
        ("noise-floor", "finite-sum"),
    ],
)
def test_no_run_exceeds_the_largest_mean(name: str, algorithm: Algorithm) -> None:
    cell = cell_of(name)
    s = schedule(cell, C_beta=3.0, B=2, K=12)
    trajectory = run(algorithm, cell.problem, cell.constants, s, cell.problem.start, cell.rng("x"), replicas=300)
    largest = largest_mean(cell.problem, s)
    assert trajectory.mean_gradient_norm.max() <= largest < math.inf


def test_the_largest_mean_is_attained_on_a_concave_quadratic() -> None:
    """Every gradient is q^N times the one before the path, and every meta step carries it 1/C_β farther out."""
    cell = cell_of("convex-quadratic")
    assert isinstance(cell.problem.inner, IsotropicQuadratic)
    concave = replace(cell.problem.inner, curvature=-cell.problem.inner.curvature)
    problem = replace(cell.problem, inner=concave, outer=concave, noise=NoNoise(concave))
    s = schedule(cell, C_beta=3.0, K=7)
    trajectory = run("exact", problem, cell.constants, s, problem.start, cell.rng("x"))
    assert trajectory.mean_gradient_norm[0] == pytest.approx(largest_mean(problem, s), rel=1e-12)


def test_the_largest_mean_has_room_for_one_task_with_all_the_mismatch() -> None:
    cell = cell_of("rare-mismatch")
    problem = replace(cell.problem, gradient_bound=math.inf)
    stretch = (1 + alpha_L("recommended", 2)) ** 2
    g = np.linalg.norm(problem.outer.gradient(problem.start[None]), axis=-1).max()
    b_i = problem.number_of_tasks * problem.constants.b
    largest = largest_mean(problem, schedule(cell, C_beta=3.0, K=1))
    assert largest == pytest.approx(stretch * (stretch * g + (stretch - 1) * b_i), rel=1e-12)


def test_a_known_bound_of_the_gradients_caps_the_largest_mean() -> None:
    cell = cell_of("geman-mcclure")
    s = schedule(cell, C_beta=3.0, K=12)
    free = replace(cell.problem, gradient_bound=math.inf)
    stretch = (1 + alpha_L("recommended", 2)) ** 2
    assert largest_mean(cell.problem, s) <= stretch * cell.problem.gradient_bound < largest_mean(free, s)


def test_rounding_is_small_positive_and_grows_with_the_run() -> None:
    cell = cell_of("rotated-cosine")
    sizes = []
    for K in (10, 100):
        s = schedule(cell, C_beta=2.0, K=K)
        trajectory = run("exact", cell.problem, cell.constants, s, cell.problem.start, cell.rng("x"))
        sizes.append(run_error(cell.problem, s, trajectory))
    (error, drift), (_, longer) = sizes
    assert 0 < error < 1e-11
    assert 0 < drift < longer < 1e-9


def test_every_step_is_worth_what_its_error_can_spoil() -> None:
    """`β(1 + 1/C_β)(‖∇L‖ + e)e` each, read off runs of one, two and three steps."""
    cell = cell_of("rotated-cosine")
    drifts, totals = [], []
    for K in (1, 2, 3):
        s = schedule(cell, C_beta=2.0, K=K)
        trajectory = run("exact", cell.problem, cell.constants, s, cell.problem.start, cell.rng("x"))
        error, drift = run_error(cell.problem, s, trajectory)
        drifts.append(drift)
        totals.append(K * error)
    e, beta, norm = np.diff(totals), trajectory.meta_stepsize[0, 1:], trajectory.gradient_norm[0, 1:]
    np.testing.assert_allclose(np.diff(drifts), beta * 1.5 * (norm + e) * e, rtol=1e-9)


def test_rounding_covers_the_distance_from_a_run_on_a_shifted_grid() -> None:
    """Far from 0 a run on a quadratic rounds 1e6 times more coarsely; its mean moves, but by less than the slack."""
    cell = cell_of("convex-quadratic")
    problem, c = cell.problem, cell.constants
    assert isinstance(problem.inner, IsotropicQuadratic)
    s = schedule(cell, C_beta=2.0, K=30)
    near = run("exact", problem, c, s, problem.start, cell.rng("x"))
    shift = 1e6
    moved = replace(problem.inner, center=problem.inner.center + shift)
    far = replace(problem, inner=moved, outer=moved, start=problem.start + shift)
    trajectory = run("exact", far, c, s, far.start, cell.rng("x"))
    difference = abs(trajectory.mean_gradient_norm[0] - near.mean_gradient_norm[0])
    error, drift = run_error(far, s, trajectory)
    assert 1e-13 < difference < error + drift


def test_an_exact_run_is_judged_against_what_is_promised() -> None:
    cell = cell_of("quadratic")
    finding = exact_run(cell, lambda paper: paper.exact, schedule(cell, C_beta=1.0, K=30))
    assert judge(finding) == "holds"
    assert 0 < finding.slack < 1e-10 * finding.bound
    assert finding.witness["K"] == 30

    def tenth(paper: Paper) -> Guarantee:
        return replace(paper.exact, bound=paper.exact.bound / 10)

    assert judge(exact_run(cell, tenth, schedule(cell, C_beta=1.0, K=30))) == "violated"


def test_with_very_many_tasks_a_step_is_along_the_mean() -> None:
    """As runs of ever more tasks are: their distance from it falls like 1/√B."""
    cell = cell_of("softmax-bandit", N=1)
    s = schedule(cell, C_beta=5.0, B=1, S=1, B_prime=10**4, D_L=4, K=SMALL.meta_steps)
    problem, c = cell.problem, cell.constants
    exact = expected_run(cell, promised(1.0), s).measured
    means = [
        run(
            "resampling", problem, c, replace(s, B=B, B_prime=500), problem.start, cell.rng(B), replicas=8
        ).mean_gradient_norm.mean()
        for B in (4, 2000)
    ]
    assert abs(means[1] - exact) < 0.01 * exact
    assert abs(means[1] - exact) < 0.5 * abs(means[0] - exact)


def test_runs_for_which_nothing_is_drawn_are_told_by_their_problem() -> None:
    def ways(name: str, algorithm: Algorithm, N: int = 1) -> list[str]:
        setting = {"C_beta": 3.0, "B": 2, "B_prime": 2, "D_L": 2, "S": 2, "D": 2, "T": 2}
        return [f.method for f in Run(algorithm, (setting,)).findings(cell_of(name, N), promised(1.0))]

    assert ways("noise-floor-wide", "finite-sum") == ways("bias-floor", "resampling") == ["enumeration"]
    assert ways("noise-floor", "finite-sum") == ["run"]


@pytest.mark.parametrize(("bound", "verdict"), [(1e-3, "violated"), (0.0, "violated"), (1.0, "holds")])
def test_a_sampled_run_is_judged_by_its_interval(bound: float, verdict: str) -> None:
    cell = cell_of("noise-floor")
    finding = sampled_run(cell, promised(bound), "finite-sum", schedule(cell, C_beta=2.0, B=1, K=20))
    assert judge(finding) == verdict
    assert finding.lower is not None
    assert finding.upper is not None
    assert finding.lower <= finding.measured <= finding.upper


def test_where_the_gradients_have_no_bound_nothing_is_said_to_hold_but_violations_are_found() -> None:
    unbounded = replace(cell_of("noise-floor-data").problem, gradient_bound=math.inf)
    assert unbounded.noise is not None
    unbounded.noise.gradient_sup = math.inf
    for bound, verdict in ((1e-3, "violated"), (1.0, "inconclusive")):
        cell = replace(cell_of("noise-floor-data"), problem=unbounded)
        finding = sampled_run(cell, promised(bound), "resampling", schedule(cell, C_beta=2.0, K=20))
        assert judge(finding) == verdict
        ordinary = replace(cell, problem=replace(unbounded, made_for={}))
        assert not list(Run("resampling", [{"C_beta": 2}]).findings(ordinary, promised(bound)))


def test_each_limit_of_a_sampled_run_has_half_of_the_error_probability(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[float] = []

    def recorded(samples: Values, delta: float, low: float, high: float) -> Interval:
        asked.append(delta)
        return mean_interval(samples, delta, low, high)

    monkeypatch.setattr("verify.evidence.runs.mean_interval", recorded)
    cell = cell_of("noise-floor")
    cell = replace(cell, problem=replace(cell.problem, made_for={}))
    sampled_run(cell, promised(1.0), "finite-sum", schedule(cell, C_beta=2.0, K=5), share=4)
    assert asked == [pytest.approx(cell.delta / 4 / cell.effort.rounds / 2)] * 2
    asked.clear()
    three = Run("finite-sum", [{"C_beta": C_beta} for C_beta in (2, 3, 5)])
    assert len(list(three.findings(cell, promised(1.0)))) == 3
    assert asked == [pytest.approx(cell.delta / 3 / cell.effort.rounds / 2)] * len(asked)


def test_the_horizon_is_short_where_gradients_are_unbounded() -> None:
    effort = PROFILES["full"]
    bounded, unbounded = (replace(cell_of(name), effort=effort) for name in ("welsch", "quadratic"))
    assert horizon(bounded, 10.0) == 150
    assert horizon(unbounded, 10.0) == 15
    assert horizon(bounded, 1e6) == effort.meta_steps // 2


def test_the_first_round_is_small_where_the_verdict_is_plain() -> None:
    cell = replace(cell_of("quadratic"), effort=PROFILES["default"])
    few, most = cell.effort.replicas, cell.effort.samples
    assert first_round(cell, highest=2.0, bound=2.5) == few
    assert few < first_round(cell, highest=2.5, bound=1.0) < most
    assert first_round(cell, highest=math.inf, bound=1.0) == first_round(cell, highest=1.0, bound=0.0) == most


def test_equal_cells_give_equal_runs_and_other_seeds_do_not() -> None:
    cell = cell_of("noise-floor")
    s = schedule(cell, C_beta=2.0, B=3, K=5)
    first, again, other = (sampled_run(replace(cell, seed=seed), promised(1.0), "finite-sum", s) for seed in (3, 3, 4))
    assert first == again
    assert first.measured != other.measured
    assert np.isclose(first.measured, other.measured, rtol=0.2)


def test_a_run_that_is_too_long_to_be_made_is_left_to_what_needs_none() -> None:
    floor = cell_of("opposed-floor", N=1)
    assert floor.problem.made_for["K"] > 1e12
    (finding,) = Run("exact", ({"C_beta": 1.0},)).findings(floor, promised(1.0))
    assert finding.witness["K"] == SMALL.meta_steps
    (finding,) = Run("finite-sum", ({"C_beta": 1.0},)).findings(floor, promised(1.0))
    assert finding.witness["K"] == floor.problem.made_for["K"]
