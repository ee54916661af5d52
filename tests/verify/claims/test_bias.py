from collections.abc import Callable
from dataclasses import replace

import pytest

from problems.registry import family
from verify.cell import alpha_L
from verify.running.records import Record

Check = Callable[..., list[Record]]


def test_the_quadratic_is_unbiased_to_rounding(check: Check) -> None:
    for record in check("bias per task", "quadratic", N=5):
        assert record.measured is not None
        assert record.slack is not None
        assert record.measured < record.slack < 1e-10


def test_a_rho_that_is_too_small_is_seen(check: Check) -> None:
    right = family("tent-kink").build(2, alpha_L("near cap", 2))
    wrong = replace(right, constants=replace(right.constants, rho=0.9 * right.constants.rho))
    assert "violated" in {record.verdict for record in check("bias per task", "tent-kink", N=2, problem=wrong)}


def test_past_the_cap_only_the_bound_per_task_speaks(check: Check) -> None:
    (vacuous,) = check("bias", "softmax-bandit", N=2, rule="past cap")
    assert vacuous.verdict == "vacuous"
    assert vacuous.note == "α is past the cap: the statement does not speak"
    assert {record.verdict for record in check("bias per task", "softmax-bandit", N=2, rule="past cap")} == {"holds"}


@pytest.mark.parametrize("claim", ["bias", "bias per task", "sharper bias per task"])
def test_the_control_makes_the_sampled_bias_small_beside_the_bound(claim: str, check: Check) -> None:
    (record,) = check(claim, "rotated-cosine", N=2)
    assert record.tightness is not None
    assert record.tightness < 0.1  # the truth is far smaller than one sample's deviation


def test_at_one_step_the_bias_falls_like_one_over_S(check: Check) -> None:
    one, four = check("bias at one step", "well-edge", N=1)
    assert one.measured is not None
    assert four.measured == pytest.approx(one.measured / 4, rel=1e-9)
