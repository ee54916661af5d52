"""What the figures show: slopes, limits and orderings of their data."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from figures import convergence, divergence, found, second_moment, trajectories
from figures.figure import compute_part
from figures.table import Table
from figures.tightness import ROUNDING, SHARP, is_apart, label, matrix
from problems import slow_slope
from problems.registry import family
from verify.cell import alpha_L
from verify.evidence.fits import exponential, line, power_law
from verify.running.evaluation import evaluate
from verify.running.records import CellName

Compute = Callable[..., Table]


def cap(N: npt.ArrayLike) -> npt.NDArray[np.float64]:
    return np.asarray(np.expm1(np.log(2) / (2 * np.asarray(N))))


@pytest.mark.parametrize("series", divergence.SHARP)
def test_sharp_instances_diverge_at_the_cap(compute: Compute, series: str) -> None:
    table = compute("divergence", series=series)
    np.testing.assert_allclose(table["critical_alpha_L"], cap(table["N"]), rtol=1e-6)
    assert list(table["N"]) == list(range(1, 51))
    fit = divergence.exponent(table)
    # d ln cap/d ln N = −(ln 2/2N) 2^{1/2N}/(2^{1/2N} − 1), between its values at the ends
    slope = [-np.log(2) / (2 * N) * (1 + cap(N)) / cap(N) for N in (5, 50)]
    assert slope[0] < fit.lower < fit.slope < fit.upper < slope[1] < -1


def test_random_problems_diverge_far_above_and_not_like_one_over_N(compute: Compute) -> None:
    table = compute("divergence", series=divergence.TYPICAL, draw=(0, 3), N=(1, 10))
    assert (table["critical_alpha_L"] > 3 * np.sin(np.pi / (4 * table["N"]))).all()
    first, last = (table.select(N=N)["critical_alpha_L"] for N in (1, 10))
    assert (last > 3 * first / 10).all()


def test_random_problems_depend_on_the_seed_and_on_the_draw() -> None:
    same, again, *others = (
        divergence.random_cosines(draw, seed).constants for draw, seed in ((0, 0), (0, 0), (1, 0), (0, 1))
    )
    assert same == again
    assert len({c.L for c in (same, *others)}) == 3


def test_random_problems_start_from_points_of_their_own_draw_and_seed() -> None:
    drawn: list[float] = []

    class Enough(Exception):
        """Nothing needs to be iterated."""

    def recorded(count: int, rng: np.random.Generator) -> npt.NDArray[np.float64]:
        drawn.append(rng.uniform())
        raise Enough

    problem = replace(divergence.random_cosines(0, 0), probes=recorded)
    for draw, seed in ((0, 0), (0, 0), (1, 0), (0, 1)):
        with pytest.raises(Enough):
            divergence.loses_minimum(problem, 1, draw, seed)
    assert drawn[0] == drawn[1]
    assert len(set(drawn)) == 3


def test_the_phases_meet_at_the_cap(compute: Compute) -> None:
    table = compute("phase", N=(1, 6, 50))
    np.testing.assert_array_equal(table["converged"], table["alpha_L_N"] < table["N"] * cap(table["N"]))


@pytest.mark.parametrize("fraction", trajectories.FRACTIONS)
def test_a_fixed_meta_stepsize_loses_convergence_at_the_cap_and_the_theorem_s_does_not(
    compute: Compute, fraction: float
) -> None:
    fixed, theorem = (
        compute("trajectories", stepsize=stepsize, fraction=fraction)["gradient_norm"]
        for stepsize in trajectories.STEPSIZES
    )
    assert len(fixed) == len(theorem) == trajectories.K
    assert (fixed[-1] < 0.1 * fixed[0]) == (fraction < 1)
    assert theorem[-1] < 1e-30 * theorem[0]


@pytest.mark.parametrize("problem", ["teeth", "rotated-cosine"])
def test_smoothness_is_flat_at_the_recommended_stepsize_and_exponential_at_a_fixed_one(
    compute: Compute, problem: str
) -> None:
    flat, fixed = (
        compute("smoothness", problem=problem, rule=rule, N=(2, 10, 20)) for rule in ("recommended", "fixed")
    )
    for table in (flat, fixed):
        assert (table["measured"] <= table["bound"] * (1 + 1e-6)).all()
    assert np.ptp(np.log(flat["measured"])) < np.log(1.2)
    assert np.ptp(np.log(flat["bound"])) < np.log(1.2)
    assert exponential(fixed["N"], fixed["measured"]).lower > 0.3
    # q^{3N} at q = 5/4, up to what does not grow
    assert exponential(fixed["N"], fixed["bound"]).slope == pytest.approx(3 * np.log(1.25), rel=0.1)
    if problem == "teeth":
        assert (fixed["measured"] > 0.999 * fixed["bound"]).all()


def test_bias_falls_like_the_root_of_S_on_a_tent_and_like_S_on_a_smooth_problem(compute: Compute) -> None:
    for problem, power in (("tent", -0.5), ("rotated-cosine-finite-noise", -1.0)):
        table = compute("bias", problem=problem)
        several = table["S"] >= 4
        fit = power_law(table["S"][several], table["measured"][several])
        assert fit.slope == pytest.approx(power, abs=0.02)
        for bound in ("bound", "sharper", "one_step") if problem != "tent" else ("bound", "sharper"):
            assert (table["measured"] <= table[bound] * (1 + 1e-9)).all()
    for bound, power in (("bound", -0.5), ("sharper", -0.5), ("one_step", -1.0)):
        assert power_law(table["S"], table[bound]).slope == pytest.approx(power, abs=1e-9)
    tent = compute("bias", problem="tent", S=1)
    assert tent["measured"][0] > 0.999 * tent["bound"][0]


@pytest.mark.parametrize(
    ("figure", "claim", "name", "N", "parts", "power"),
    [
        ("bias", "bias per task", "rotated-cosine-finite-noise", 1, ({"S": 1}, {"S": 4}), 1),
        ("second_moment", "second moment per task", "saddle-hessian-noise", 2, ({"panel": "D", "D": 1},), 2),
    ],
)
def test_the_worst_task_at_the_start_is_the_one_that_the_claim_finds_there(
    compute: Compute, figure: str, claim: str, name: str, N: int, parts: tuple[dict[str, Any], ...], power: int
) -> None:
    problem = family(name).build(N, alpha_L("fixed", N))
    problem = replace(problem, probes=lambda count, rng: np.tile(problem.start, (count, 1)))
    cell = CellName(claim=claim, problem=name, problem_spec=name, N=N, rule="fixed", profile="quick", seed=0)
    for part, record in zip(parts, evaluate(cell, problem), strict=False):
        (row,) = compute(figure, problem=name, rule="fixed", N=N, **part).rows
        unit = problem.constants.sigma_g**power
        assert (record.measured, record.bound) == pytest.approx((row["measured"] * unit, row["bound"] * unit), rel=1e-9)


def test_bias_stays_bounded_in_N_at_the_recommended_stepsize_only(compute: Compute) -> None:
    for rule, grows in (("recommended", False), ("fixed", True)):
        table = compute("bias", problem="tent-kink", rule=rule)
        assert (table["measured"] <= table["sharper"] * (1 + 1e-9)).all()
        assert (table["sharper"] <= table["bound"] * (1 + 1e-9)).all()
        assert (np.diff(table["measured"]) > 0).all() == grows


def test_second_moments_are_below_their_bound_and_fall_with_D(compute: Compute) -> None:
    table = compute("second_moment", problem="saddle-hessian-noise")
    assert (table["measured"] <= table["bound"] * (1 + 1e-9)).all()
    for rule in ("recommended", "fixed"):
        against_N, against_D = (table.select(panel=panel, rule=rule)["measured"] for panel in "ND")
        assert (np.diff(against_D) < 0).all()
        assert (np.diff(table.select(panel="D", rule=rule)["bound"]) < 0).all()
        assert (np.diff(against_N) > 0).all() == (rule == "fixed")


def test_the_second_moment_is_attained_on_one_problem_and_not_on_the_one_beside_it(compute: Compute) -> None:
    table = compute("second_moment", panel="N", rule="fixed", N=(1, 3, 5))
    attained, smooth = (table.select(problem=problem) for problem in second_moment.PROBLEMS)
    assert (attained["measured"] > 0.97 * attained["bound"]).all()
    ratio = smooth["measured"] / smooth["bound"]
    assert (ratio < 0.7).all()
    assert (np.diff(ratio) < 0).all()


def test_slow_slope_has_nearly_the_rate_of_the_theorem(compute: Compute) -> None:
    table = compute("convergence", series=convergence.RATE.label)
    assert (table["measured"] < table["bound"]).all()
    fit = convergence.exponent(table, convergence.RATE)
    limit = -(1 + slow_slope.POWER) / (2 + slow_slope.POWER)
    assert limit < fit.lower < -0.5 < fit.upper < -0.47


def test_the_ramp_nearly_attains_the_theorem(compute: Compute) -> None:
    table = compute("convergence", series="exact MAML, ramp")
    ratio = table["measured"] / table["bound"]
    assert (np.diff(ratio) > 0).all()
    assert 0.97 < ratio[-1] < 1


@pytest.mark.parametrize(
    "label", ["exact MAML, rotated-cosine", "Algorithm 2, quadratic-finite-sum", "Algorithm 1, rotated-cosine"]
)
def test_the_three_algorithms_stay_below_their_theorems(label: str) -> None:
    rows = Table(compute_part(("convergence", {"series": label, "values": (10, 56, 100)}, 0)))
    assert (rows["low"] <= rows["measured"]).all()
    assert (rows["measured"] <= rows["high"]).all()
    assert (rows["high"] < rows["bound"]).all()
    assert np.ptp(rows["high"] - rows["low"]) > 0 or label.startswith("exact")


@pytest.mark.parametrize("series", convergence.FLOORS, ids=lambda series: series.label)
def test_floors_fall_like_the_root_of_the_batch(compute: Compute, series: convergence.Series) -> None:
    table = compute("convergence", series=series.label, values=((1,), (8,), (64,)))
    assert (table["high"] < table["bound"]).all()
    assert convergence.exponent(table, series).slope == pytest.approx(-0.5, abs=0.03)


def test_meta_steps_to_an_accuracy_are_certified_and_grow_as_on_a_slow_slope(compute: Compute) -> None:
    table = compute("complexity", panel="accuracy", algorithm="exact", x=(0.28, 0.2, 0.14, 0.1))
    assert (table["measured"] < table["theory"]).all()
    fit = power_law(1 / table["x"], table["measured"])
    assert (2 + slow_slope.POWER) / (1 + slow_slope.POWER) < fit.lower < fit.upper < 2
    assert power_law(1 / table["x"], table["theory"]).slope == pytest.approx(2, abs=0.02)
    drawn = compute("complexity", algorithm="finite-sum", x=(0.8, 0.57, 0.4))
    assert (drawn["high"] < drawn["theory"]).all()
    assert (np.diff(drawn["B"]) > 0).all()


def test_oracle_calls_are_linear_in_N_at_the_recommended_stepsize_and_exponential_at_a_fixed_one(
    compute: Compute,
) -> None:
    recommended, fixed = (
        compute("complexity", panel="N", rule=rule, N=(1, 3, 5, 7, 14)) for rule in ("recommended", "fixed")
    )
    for column in ("calls_measured", "calls_theory"):
        fit = line(recommended["N"], recommended[column])
        assert fit.upper < 1.1 * fit.lower
    assert (fixed["theory"] < np.inf).tolist() == [True, True, True, False, False]
    growth = exponential(fixed["N"], fixed["measured"])
    assert growth.lower > np.log(17 / 16)
    assert fixed["measured"][-1] > 4 * recommended["measured"][-1]


def test_no_claim_is_more_than_tight_and_the_instances_are_tight(compute: Compute) -> None:
    table = compute("tightness", claim=("path", "smoothness on teeth", "smoothness on saddle", "bias"))
    claims, problems, values = matrix(table)
    assert claims == ["path", "smoothness", "bias"]
    assert problems[-1] == SHARP
    assert "rotated-cosine" in problems
    assert np.nanmax(values) <= 1 + 1e-9
    assert (values[:, -1] > 0.999).all()
    assert np.isnan(values[1, :-1]).all()


def test_rounding_is_no_ratio_and_what_is_no_bound_comes_last(compute: Compute) -> None:
    claims, _, values = matrix(compute("tightness", claim=("meta-gradient", "path", "typical stepsize")))
    assert claims == ["path", "meta-gradient", "typical stepsize"]
    assert [is_apart(claim, line) for claim, line in zip(claims, values, strict=True)] == [False, True, True]
    assert np.nanmax(values[1]) == ROUNDING


@pytest.mark.parametrize(
    ("value", "text"), [(ROUNDING, "·"), (1.0, "1"), (0.99999, ".99"), (1 - 1e-9, "1"), (0.5, ".50"), (0.0, ".00")]
)
def test_labels_never_round_up(value: float, text: str) -> None:
    assert label(value) == text


def test_the_losses_that_were_found_bend_just_right_of_each_point_but_the_last(compute: Compute) -> None:
    table = compute("found")
    for N, name in enumerate(found.NAMES, start=1):
        rows = {kind: table.select(name=name, series="found", kind=kind) for kind in ("knot", "path")}
        assert len(rows["path"]["x"]) == N + 1
        assert rows["path"]["curvature"] == pytest.approx(-np.ones(N + 1), abs=5e-3)
        slopes = np.diff(rows["knot"]["curvature"]) / np.diff(rows["knot"]["x"])
        for x in rows["path"]["x"][:-1]:
            right = slopes[np.searchsorted(rows["knot"]["x"], x + 1e-3) - 1]
            assert right > 0.99 or name == "smoothness-1"
