"""The search for violations: what it makes of losses that fail."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from problems.registry import family
from verify.cell import PROFILES, Cell, alpha_L
from verify.evidence.attack import RELATIVES, attack_points, maximise, worst, worst_of
from verify.verdict import Measured, Values, judge


def test_what_a_loss_raises_in_the_search_is_told_as_it_is() -> None:
    def evaluate(points: Values) -> Measured:
        if np.abs(points).max() > 1:
            raise ValueError("task 0: gradient is wrong far away")
        return Measured(np.abs(points).max(axis=1), np.ones(len(points)), np.zeros(len(points)))

    rng = np.random.default_rng(0)
    with pytest.raises(ValueError, match="task 0: gradient is wrong far away"):
        maximise(evaluate, rng.uniform(-1, 1, size=(64, 2)), PROFILES["quick"], rng)


@pytest.mark.parametrize("broken", ["measured", "bound"])
def test_nothing_is_worse_than_a_nan(broken: str) -> None:
    values = {"measured": np.array([0.5, 0.0, 0.9]), "bound": np.ones(3)}
    values[broken] = np.array([*values[broken][:1], np.nan, *values[broken][2:]])
    finding, _ = worst(
        lambda points: Measured(values["measured"], values["bound"], np.zeros(3)), np.arange(3.0)[:, None]
    )
    assert finding.witness == {"point": [1.0]}
    assert judge(finding) == "error"


def test_the_simplex_goes_on_where_the_population_has_stopped() -> None:
    def evaluate(points: Values) -> Measured:
        return Measured(
            np.exp(-np.square(points - [0.3, -0.7]).sum(axis=1)), np.ones(len(points)), np.zeros(len(points))
        )

    starts = np.random.default_rng(1).uniform(-1, 1, size=(40, 2))
    effort = replace(PROFILES["quick"], attack=3)
    missed = [
        1 - maximise(evaluate, starts, replace(effort, simplex=simplex), np.random.default_rng(2)).measured
        for simplex in (0, 100)
    ]
    assert missed[1] < 1e-3 * missed[0]


def test_the_worst_entry_has_the_largest_ratio_after_its_slack() -> None:
    measured = np.array([[0.8, 0.95, 0.5], [0.0, 0.3, 0.0]])
    bound = np.array([[1.0, 1.0, 2.0], [0.0, 1.0, 0.0]])
    slack = np.array([[0.1, 0.4, 0.0], [0.1, 0.0, 0.2]])
    found = np.array(worst_of(Measured(measured, bound, slack)))
    np.testing.assert_array_equal(found, [[0.8, 0.3], [1.0, 1.0], [0.1, 0.0]])


def test_the_worst_entry_is_one_that_breaks_a_bound_of_zero_or_is_not_a_number() -> None:
    measured = np.array([[0.2, 5.0], [np.nan, 5.0]])
    bound = np.array([[0.0, 1.0], [1.0, 1.0]])
    found = np.array(worst_of(Measured(measured, bound, np.full((2, 2), 0.1))))
    np.testing.assert_array_equal(found, [[0.2, np.nan], [0.0, 1.0], [0.1, 0.1]])


def cell(name: str, seed: int = 0) -> Cell:
    problem = family(name).build(5, alpha_L("near cap", 5))
    return Cell("relatives", name, problem, 5, "near cap", PROFILES["quick"], seed, 1e-10)


def relatives(of: Cell) -> list[tuple[Cell, dict[str, float]]]:
    (itself, nothing), *others = attack_points.relatives(of)
    assert (itself, nothing) == (of, {})
    return others


def test_free_parameters_are_the_real_ones_of_the_factory() -> None:
    assert family("saddle").free == {"L": 1.7, "rho": 2.3}
    assert "tasks" not in family("two-point-stepsize").free
    assert family("saddle").build(1, 0.1, L=0.6).constants.L == 0.6
    assert family("convex-quadratic").build(1, 0.1, L=0.6).constants.L == 0.6


def test_relatives_are_other_problems_of_the_same_family_and_reproducible() -> None:
    found = relatives(cell("saddle"))
    assert len({relative.constants.L for relative, _ in found}) == RELATIVES
    for relative, free in found:
        assert (relative.constants.L, relative.constants.rho) == (free["L"], free["rho"])
        assert 1.7 / 3.2 < free["L"] < 1.7 * 3.2
    smaller = [free["rho"] < 2.3 for seed in range(10) for _, free in relatives(cell("saddle", seed))]
    assert 0 < sum(smaller) < len(smaller)
    assert [free for _, free in relatives(cell("saddle"))] == [free for _, free in found]
    assert [free for _, free in relatives(cell("saddle", seed=1))] != [free for _, free in found]
