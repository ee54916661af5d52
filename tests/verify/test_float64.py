"""Where float64 cannot build or attain a sharp instance, that is said, and no bound is called violated."""

from __future__ import annotations

import pytest

from problems.registry import family
from theory.validation import Float64Error
from verify.cell import StepsizeRule, alpha_L
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


@pytest.mark.parametrize("name", ["cusp-mismatch", "offset-cusp", "saddle", "spikes", "split-ramp", "two-point-pair"])
def test_instances_whose_numbers_overflow_are_said_to_be_beyond_float64(name: str) -> None:
    """`q^N` is 1e969 there: a power that overflows, or a division by what has vanished, is no internal failure."""
    with pytest.raises(Float64Error):
        family(name).build(10_000, alpha_L("fixed", 10_000))
    assert {record.verdict for record in records("path", name, 10_000, "fixed")} == {"inapplicable"}


@pytest.mark.slow
@pytest.mark.parametrize("N", [50, 100, 200, 1000])
@pytest.mark.parametrize("seed", range(6))
def test_no_claim_is_falsely_violated_at_large_N(N: int, seed: int) -> None:
    from verify.running.selection import Selection, plan

    cells = plan(Selection(inner_steps=(N,), profile="quick", seed=seed))
    bad = [(r.claim, r.where, r.note) for cell in cells for r in evaluate(cell) if r.verdict in ("violated", "error")]
    assert not bad


def test_a_derivative_whose_error_overflows_is_not_judged() -> None:
    """At 3200 steps `q^N` itself is beyond float64, and so is the error at every point."""
    first, second = records("meta-gradient", "parabola", 3200, "fixed")
    assert (first.verdict, first.note) == ("inapplicable", "float64 cannot tell: the error of the derivative overflows")
    assert second.verdict == "holds"


def test_points_at_which_the_error_of_a_derivative_overflows_do_not_count() -> None:
    """The probes reach so far there that a square of their distance overflows."""
    assert {record.verdict for record in records("meta-gradient", "cusp-mismatch", 1000, "fixed")} == {"holds"}


def test_a_vector_that_comes_round_again_has_not_kept_to_its_side() -> None:
    """The first stepsizes that are tried turn it by more than a whole turn where N is large."""
    (record,) = records("larger cap", "convex-quadratic", 1000, "near cap")
    assert record.verdict == "holds"
    assert record.tightness == pytest.approx(1, rel=1e-4)
