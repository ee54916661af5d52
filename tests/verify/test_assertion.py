from __future__ import annotations

from dataclasses import replace

import pytest

from problems.problem import Problem
from problems.registry import family
from verify.assertion import assert_claims
from verify.running.records import Record


@pytest.fixture
def problem() -> Problem:
    return family("quadratic").build(1, 0.1)


def test_records_of_the_audit_and_of_the_claims_come_back(problem: Problem) -> None:
    records = assert_claims(problem, "path", inner_steps=2)
    assert records[0].is_audit
    assert {(record.claim, record.N) for record in records if not record.is_audit} == {("path", 2)}
    assert all(record.verdict == "holds" for record in records)


def test_a_name_serves_as_well_as_a_problem(problem: Problem) -> None:
    def numbers(records: list[Record]) -> list[object]:
        return [(record.claim, record.rule, record.measured, record.bound) for record in records]

    by_name = assert_claims("quadratic", ("path",), inner_steps=(1,))
    assert numbers(by_name) == numbers(assert_claims(problem, ["path"], inner_steps=1))


def test_the_seed_decides_what_is_drawn(problem: Problem) -> None:
    first, again, other = (assert_claims(problem, "path", inner_steps=1, seed=seed)[-1] for seed in (0, 0, 1))
    assert first.measured == again.measured != other.measured


@pytest.mark.parametrize(
    ("claim", "line"),
    [
        ("fake violated", "claims do not hold (2 of 2 checks)"),
        ("fake violated", "violated: fake violated on fakes.py:make, N = 1, recommended: measured 1.5, bound 1"),
        ("fake interval", "inconclusive: fake interval on"),
        ("fake error", "error: fake error on fakes.py:make, N = 1, recommended; ZeroDivisionError: on purpose"),
        ("fake vacuous", "no claim speaks here\nfake vacuous: vacuous, alpha is past the cap"),
    ],
)
def test_what_does_not_hold_is_an_assertion_error(fakes: str, claim: str, line: str) -> None:
    with pytest.raises(AssertionError) as caught:
        assert_claims(fakes, claim, inner_steps=1)
    assert line in str(caught.value)


def test_many_failures_are_cut_short(fakes: str) -> None:
    with pytest.raises(AssertionError) as caught:
        assert_claims(fakes, "fake violated", inner_steps=range(1, 9))
    lines = str(caught.value).split("\n")
    assert len(lines) == 12
    assert lines[-1] == "and 6 more"


def test_a_claim_that_cannot_speak_of_the_problem_is_no_support(problem: Problem) -> None:
    with pytest.raises(AssertionError, match="no claim speaks here\ntheorem finite-sum: inapplicable"):
        assert_claims(problem, "theorem finite-sum", inner_steps=1)


def test_the_audit_alone_is_judged_by_itself(problem: Problem) -> None:
    records = assert_claims(problem, "constants", inner_steps=1)
    assert {(record.claim, record.verdict) for record in records} == {("constants", "holds")}


def test_any_constant_that_the_audit_refutes_is_an_assertion_error(problem: Problem) -> None:
    wrong = replace(problem, constants=replace(problem.constants, sigma_g=0.9 * problem.constants.sigma_g))
    with pytest.raises(AssertionError, match=r"^the audit of the constants fails: nothing else was examined \(1 of 6"):
        assert_claims(wrong, "path", inner_steps=1)


def test_a_factory_in_place_of_its_problem_is_one_line() -> None:
    with pytest.raises(ValueError, match=r"^problem is a function, must be a Problem or the name of one: call it$"):
        assert_claims(lambda: None, "path")


@pytest.mark.parametrize(
    ("problem_name", "options", "line"),
    [
        ("quadratics", {"claims": "path"}, "did you mean quadratic?"),
        ("quadratic", {"claims": "pathh"}, "did you mean 'path'?"),
        ("quadratic", {"inner_steps": -1}, "N = -1 is not allowed"),
        ("quadratic", {"inner_steps": "1"}, "N = '1' is not allowed"),
        ("quadratic", {"inner_steps": [1, 1.5]}, "N = 1.5 is not allowed"),
        ("quadratic", {"inner_steps": True}, "N = True is not allowed"),
        ("quadratic", {"seed": 1.5}, "seed = 1.5 is not allowed"),
        ("quadratic", {"seed": "a"}, "seed = 'a' is not allowed"),
        ("quadratic", {"profile": "fast"}, "profile = 'fast' is not allowed"),
    ],
)
def test_bad_input_is_one_line(problem_name: str, options: dict[str, object], line: str) -> None:
    with pytest.raises(ValueError, match=r"allowed|unknown") as caught:
        assert_claims(problem_name, **options)
    assert line in str(caught.value)
