"""Where float64 cannot build or attain a sharp instance, that is said, and no bound is called violated."""

from __future__ import annotations

import pytest

from verify.cell import StepsizeRule
from verify.running.evaluation import evaluate
from verify.running.records import CellName, Record


def records(claim: str, problem: str, N: int, rule: StepsizeRule, seed: int = 0) -> list[Record]:
    cell = CellName(claim=claim, problem=problem, problem_spec=problem, N=N, rule=rule, profile="quick", seed=seed)
    return evaluate(cell)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize(
    ("claim", "problem", "N"), [("smoothness on teeth", "teeth", 50), ("smoothness on saddle", "saddle", 100)]
)
def test_an_instance_that_rounding_hides_is_no_violation(claim: str, problem: str, N: int, seed: int) -> None:
    found = records(claim, problem, N, "fixed", seed)
    assert {record.verdict for record in found} <= {"holds", "inapplicable"}
    hidden = [record for record in found if record.verdict == "inapplicable"]
    assert all("float64 cannot attain it" in record.note for record in hidden)
    assert hidden or problem == "teeth"


def test_an_instance_that_float64_cannot_build_is_no_error() -> None:
    (found,) = records("smoothness on teeth", "teeth", 200, "fixed")
    assert (found.verdict, found.note) == (
        "inapplicable",
        "float64 cannot build the instance: knots are not allowed: they must increase strictly",
    )


@pytest.mark.parametrize(("claim", "problem"), [("smoothness on teeth", "teeth"), ("path on saddle", "saddle")])
def test_few_steps_attain(claim: str, problem: str) -> None:
    assert {record.verdict for record in records(claim, problem, 5, "fixed")} == {"holds"}


def test_points_that_float64_takes_for_one_are_no_error() -> None:
    """The V is so steep there that a point and its neighbour are the same number."""
    assert {record.verdict for record in records("constants", "vee", 200, "near cap")} == {"holds"}


@pytest.mark.slow
@pytest.mark.parametrize("N", [50, 100, 200, 1000])
@pytest.mark.parametrize("seed", range(6))
def test_no_claim_is_falsely_violated_at_large_N(N: int, seed: int) -> None:
    from verify.running.selection import Selection, plan

    cells = plan(Selection(inner_steps=(N,), profile="quick", seed=seed))
    bad = [(r.claim, r.where, r.note) for cell in cells for r in evaluate(cell) if r.verdict in ("violated", "error")]
    assert not bad
