"""What cells share is made once, depends on no order, and is forgotten before it fills memory."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from problems.registry import family
from verify import shared as module
from verify.cell import PROFILES, Cell
from verify.evidence.expectation import few_points
from verify.running.evaluation import evaluate
from verify.running.records import CellName, Record
from verify.shared import bytes_of, shared
from verify.verdict import Finding

BIAS, PER_TASK = "bias", "bias per task"


@pytest.fixture(autouse=True)
def nothing_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_kept", type(module._kept)())
    monkeypatch.setattr(module, "_size", 0)


@pytest.fixture
def cell() -> Cell:
    problem = family("quadratic").build(2, 0.1)
    return Cell(BIAS, "quadratic", problem, 2, "near cap", PROFILES["quick"], 0, 1e-10)


class Counting:
    """Makes 1, then 2, and so on."""

    made = 0

    def __call__(self) -> int:
        self.made += 1
        return self.made


def test_it_is_made_once_for_all_claims_at_a_place_and_anew_elsewhere(cell: Cell) -> None:
    make = Counting()
    assert [shared(each, make, "x") for each in (cell, replace(cell, claim="another"), cell.common)] == [1, 1, 1]
    elsewhere = [{"N": 3}, {"rule": "fixed"}, {"seed": 1}, {"problem": replace(cell.problem)}]
    assert [shared(replace(cell, **other), make, "x") for other in elsewhere] == [2, 3, 4, 5]
    assert (shared(cell, make, "y"), shared(cell, make, "x")) == (6, 1)


def test_what_failed_is_tried_again(cell: Cell) -> None:
    with pytest.raises(ZeroDivisionError):
        shared(cell, lambda: 1 // 0, "x")
    assert shared(cell, lambda: 5, "x") == 5


def test_what_was_used_last_is_kept_as_long_as_it_fits(cell: Cell, monkeypatch: pytest.MonkeyPatch) -> None:
    array = np.zeros(1000)
    monkeypatch.setattr(module, "LARGEST", 2 * bytes_of(array) + 10)
    first = shared(cell, array.copy, "first")
    shared(cell, array.copy, "second")
    assert shared(cell, array.copy, "first") is first
    shared(cell, array.copy, "third")
    again = Counting()
    assert shared(cell, array.copy, "first") is first
    assert shared(cell, again, "second") == 1
    assert module._size == sum(bytes_of(value) for _, value in module._kept.values())


def test_bytes_are_those_of_arrays_wherever_they_are() -> None:
    assert bytes_of(np.zeros(1000)) == 8000
    assert 16_000 < bytes_of((np.zeros(1000), [np.zeros(1000)])) < 17_000
    assert bytes_of(Finding(measured=1.0, bound=2.0)) < 5000


def test_claims_share_points_and_draws_which_others_do_not_have(cell: Cell) -> None:
    other = replace(cell, claim=PER_TASK)
    np.testing.assert_array_equal(few_points(cell.common), few_points(other.common))
    assert not np.array_equal(few_points(cell), few_points(other))


@pytest.mark.parametrize("problem", ["rotated-cosine", "tent"])  # sampled, enumerated
def test_records_do_not_depend_on_what_came_before(problem: str) -> None:
    def records(*claims: str) -> dict[str, list[Record]]:
        module._kept.clear()
        return {claim: [replace(r, seconds=0.0) for r in evaluate(named(claim))] for claim in claims}

    def named(claim: str) -> CellName:
        return CellName(
            claim=claim, problem=problem, problem_spec=problem, N=2, rule="near cap", profile="quick", seed=0
        )

    both = records(BIAS, PER_TASK)
    assert both == records(PER_TASK, BIAS) == {**records(BIAS), **records(PER_TASK)}
    assert len(both[BIAS]) > 0
