from __future__ import annotations

import math
import pickle
from collections.abc import Callable
from dataclasses import replace

import pytest

from problems.registry import family
from verify.running.evaluation import DELTA, evaluate, replay
from verify.running.records import CellName, Record

CellOf = Callable[..., CellName]


def untimed(records: list[Record]) -> list[Record]:
    return [replace(record, seconds=0.0) for record in records]


@pytest.mark.parametrize(
    ("claim", "verdict", "note"),
    [
        ("fake vacuous", "vacuous", "alpha is past the cap"),
        ("fake silent", "inapplicable", "the claim has nothing to check here"),
        ("fake needs", "inapplicable", "speaks of the finite-sum case only"),
        ("fake violated", "violated", ""),
        ("fake interval", "inconclusive", ""),
        ("fake nan", "error", "NaN was measured: the losses are not finite at the record's witness"),
        ("fake exit", "error", "SystemExit: bye"),
        ("fake slow", "holds", ""),
        ("unheard of", "error", "ValueError: claim = 'unheard of' is unknown in this process"),
    ],
)
def test_whatever_happens_in_a_cell_is_a_verdict(cell_of: CellOf, claim: str, verdict: str, note: str) -> None:
    (record,) = evaluate(cell_of(claim))
    assert (record.verdict, record.note) == (verdict, note)
    assert record.checks == 1
    assert record.seconds > 0


def test_an_exception_keeps_what_was_found_before_it_and_its_traceback(cell_of: CellOf) -> None:
    found, error = evaluate(cell_of("fake error"))
    assert (found.verdict, found.index, found.checks) == ("holds", 0, 2)
    assert (error.verdict, error.index, error.note) == ("error", 1, "ZeroDivisionError: on purpose")
    assert "in error" in error.traceback
    assert error.measured is None


def test_samples_beyond_an_estimated_bound_of_the_noise_are_no_evidence_and_beyond_a_given_one_an_error(
    cell_of: CellOf,
) -> None:
    (given,) = evaluate(cell_of("fake range"))
    assert (given.verdict, given.note) == ("error", "RangeError: a sample lies outside its almost-sure ball")
    assert "in out_of_range" in given.traceback
    problem = replace(family("quadratic").build(1, 0.1), estimated=("rho", "gradient_sup"))
    (guessed,) = evaluate(cell_of("fake range"), problem)
    assert guessed.verdict == "inapplicable"
    assert guessed.note == "samples exceed an estimate (gradient_sup): the noise of one datum may have no bound"


def test_the_audit_of_a_constant_rests_on_that_constant_only(cell_of: CellOf) -> None:
    problem = replace(family("quadratic").build(1, 0.1), estimated=("rho", "sigma"))
    assert evaluate(cell_of("fake draws"))[0].estimated == ()  # and the file's claims are known from here on
    assert [record.estimated for record in evaluate(cell_of("fake draws"), problem)] == [("rho", "sigma")] * 2
    assert [record.estimated for record in evaluate(cell_of("constants of fakes"), problem)] == [("rho",)]


def test_a_problem_that_cannot_be_built_is_an_error(cell_of: CellOf) -> None:
    (record,) = evaluate(replace(cell_of("fake draws"), problem_spec="missing.py:make"))
    assert record.verdict == "error"
    assert "there is no file" in record.note


def test_a_cell_is_a_function_of_its_name(cell_of: CellOf) -> None:
    cell = cell_of("fake draws", N=2)
    again = evaluate(pickle.loads(pickle.dumps(cell)))
    assert untimed(evaluate(cell)) == untimed(again)
    others = [replace(cell, seed=1), replace(cell, N=5), replace(cell, rule="fixed"), replace(cell, problem="other")]
    assert all(evaluate(other)[0].measured != again[0].measured for other in others)


def test_a_record_can_be_replayed(cell_of: CellOf) -> None:
    first, second = evaluate(cell_of("fake draws", N=2))
    read = Record.from_json(second.to_json())
    assert untimed([replay(read)]) == untimed([second])
    assert first.measured != second.measured
    with pytest.raises(ValueError, match="makes 2 checks there now"):
        replay(replace(second, index=7))


def test_a_mutant_stands_in_for_the_formula_only(cell_of: CellOf) -> None:
    right, wrong = evaluate(cell_of("fake draws"))[0], evaluate(cell_of("fake draws", mutant="half"))[0]
    assert (right.verdict, wrong.verdict) == ("holds", "violated")
    assert (right.measured, right.bound) == (wrong.measured, 1.0)
    assert (wrong.bound, wrong.mutant) == (0.5, "half")


def test_a_record_holds_what_a_json_file_can_hold(cell_of: CellOf) -> None:
    for claim in ("fake draws", "fake nan", "fake error"):
        for record in evaluate(cell_of(claim)):
            assert Record.from_json(record.to_json()) == record
            assert record.measured is None or not math.isnan(record.measured)
    assert evaluate(cell_of("fake draws"))[0].witness == {"w": [0.1, "inf"]}


def test_the_share_of_a_check_in_the_error_of_a_run_is_a_constant() -> None:
    assert math.isclose(DELTA * 10_000, 1e-6, rel_tol=1e-12)
