"""Claims about expectations: mutants, sharp instances, exactness, and sampling that agrees with enumeration."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from problems.registry import family
from verify.cell import Cell, alpha_L
from verify.claim import claims
from verify.evidence.expectation import Expectation
from verify.evidence.intervals import Interval, mean_interval, norm_of_mean_interval
from verify.running.records import Record
from verify.verdict import Values

Check = Callable[..., list[Record]]

OWN = [claim for claim in claims().values() if isinstance(claim.by, Expectation)]
RESAMPLING = [claim.name for claim in OWN if claim.cases == {"resampling"}]
SAMPLED = [name for name in RESAMPLING if not name.startswith("first-order")]
"""Those that sample where they cannot enumerate."""


def verdicts(records: list[Record]) -> set[str]:
    return {record.verdict for record in records}


@pytest.mark.parametrize("problem", ["quadratic", "softmax-bandit", "rotated-cosine-finite-noise"])
@pytest.mark.parametrize("claim", RESAMPLING)
def test_finite_noise_is_enumerated(claim: str, problem: str, check: Check) -> None:
    records = check(claim, problem, N=1)
    assert [record.label[:5] for record in records] in (["S = 1", "S = 4"], ["S, D,"] * 2, ["S, D,"] * 3)
    assert {(record.verdict, record.method) for record in records} == {("holds", "enumeration")}


@pytest.mark.parametrize("claim", SAMPLED)
def test_continuous_noise_is_sampled(claim: str, check: Check) -> None:
    (record,) = check(claim, "rotated-cosine", N=1 if claim == "bias at one step" else 3)
    assert (record.verdict, record.method) == ("holds", "monte-carlo")


@pytest.mark.parametrize(
    "claim", [*(name for name in SAMPLED if name != "bias at one step"), "stepsize lambda", "sharper stepsize kappa"]
)
def test_all_intervals_of_a_cell_share_its_error_probability(
    claim: str, make_cell: Callable[..., Cell], monkeypatch: pytest.MonkeyPatch
) -> None:
    spent: list[float] = []

    def recorded(interval: Callable[..., Interval]) -> Callable[..., Interval]:
        def record(samples: Values, delta: float, *ranges: Any) -> Interval:
            found = interval(samples, delta, *ranges)
            spent.append(delta * found.estimate.size)
            return found

        return record

    for module, interval in (
        ("bias", norm_of_mean_interval),
        ("deviation", mean_interval),
        ("second_moment", mean_interval),
        ("meta_stepsize_moments", mean_interval),
    ):
        monkeypatch.setattr(f"verify.claims.{module}.{interval.__name__}", recorded(interval))
    cell = make_cell(claim, "rotated-cosine", N=2)
    list(claims()[claim].check(replace(cell, effort=replace(cell.effort, rounds=1))))
    assert sum(spent) == pytest.approx(cell.delta, rel=1e-9)


@pytest.mark.parametrize("claim", [name for name in RESAMPLING if name != "bias at one step"])
def test_noise_that_is_neither_finite_nor_bounded_gives_no_finding(claim: str, check: Check) -> None:
    problem = family("rotated-cosine").build(2, 0.1)
    assert problem.noise is not None
    problem.noise.gradient_sup = np.inf
    assert verdicts(check(claim, "rotated-cosine", N=2, problem=problem)) == {"inapplicable"}


@pytest.mark.parametrize("claim", RESAMPLING)
def test_without_inner_steps_there_is_nothing_to_check(claim: str, check: Check) -> None:
    for problem in ("quadratic", "rotated-cosine"):
        assert verdicts(check(claim, problem, N=0)) == {"inapplicable"}


@pytest.mark.parametrize("claim", ["second moment", "second moment per task", "sharper second moment per task"])
def test_paths_that_are_too_many_are_sampled(claim: str, check: Check) -> None:
    (record,) = check(claim, "softmax-bandit", N=9)
    assert (record.verdict, record.method) == ("holds", "monte-carlo")


@pytest.mark.parametrize(
    ("claim", "problem", "N", "width"),
    [
        ("bias per task", "tent-kink", 2, 0.5),
        ("second moment per task", "rotated-cosine-finite-noise", 2, 0.3),
        ("second moment per task", "saddle-hessian-noise", 2, 0.1),
        ("second moment", "softmax-bandit", 2, 0.6),
        ("deviation mean", "softmax-bandit", 1, 0.5),
        ("deviation second moment", "saddle-noise", 1, 0.5),
    ],
)
def test_sampling_finds_what_enumeration_finds(
    claim: str, problem: str, N: int, width: float, check: Check, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in ("bias", "second_moment", "deviation"):
        monkeypatch.setattr(f"verify.claims.{module}.few_points", start_only)
    built = family(problem).build(N, alpha_L("near cap", N))
    exact = check(claim, "own name", N=N, problem=built)[0]
    monkeypatch.setattr("verify.evidence.tree.LARGEST", 1)
    (sampled,) = check(claim, "own name", N=N, problem=built)
    assert (exact.method, sampled.method) == ("enumeration", "monte-carlo")
    assert sampled.bound == pytest.approx(exact.bound, rel=1e-12)
    assert exact.measured is not None
    assert sampled.lower is not None
    assert sampled.upper is not None
    rounding = 1e-9 * exact.measured
    assert sampled.lower - rounding <= exact.measured <= sampled.upper + rounding
    assert sampled.upper - sampled.lower < width * exact.measured


def test_sharp_instances_are_sampled_like_any_other_problem_where_their_paths_are_too_many(check: Check) -> None:
    assert [record.method for record in check("bias per task", "tent-kink", N=5)] == ["enumeration", "enumeration"]
    (record,) = check("bias per task", "tent-kink", N=20)
    assert (record.verdict, record.method) == ("holds", "monte-carlo")


def start_only(cell: object, count: int = 1) -> object:
    return cell.problem.start[None]  # type: ignore[attr-defined]
