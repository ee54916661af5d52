"""The three theorems: they hold where they speak, are nearly attained where that is claimed, and every mutant falls."""

from collections.abc import Callable

import pytest

from verify.running.records import Record

Check = Callable[..., list[Record]]


def verdicts(records: list[Record]) -> set[str]:
    return {record.verdict for record in records}


@pytest.mark.parametrize(
    ("name", "problem"),
    [
        ("theorem exact", "quadratic"),
        ("theorem exact", "geman-mcclure"),
        ("theorem exact", "slow-slope"),
        ("theorem finite-sum", "quadratic-finite-sum"),
        ("theorem finite-sum", "welsch"),
        ("theorem resampling", "quadratic"),
        ("theorem resampling", "rotated-cosine-finite-noise"),
    ],
)
@pytest.mark.parametrize("N", [1, 4])
def test_the_theorems_hold(check: Check, name: str, problem: str, N: int) -> None:
    records = check(name, problem, N, "recommended", seed=7)
    assert verdicts(records) == {"holds"}
    assert all(0 < r.tightness < 1 for r in records if r.tightness is not None)


@pytest.mark.parametrize("name", ["theorem exact", "theorem finite-sum", "theorem resampling"])
def test_past_the_cap_the_theorems_are_vacuous_before_anything_is_run(check: Check, name: str) -> None:
    problem = "quadratic-finite-sum" if name == "theorem finite-sum" else "quadratic"
    (record,) = check(name, problem, 5, "past cap")
    assert record.verdict == "vacuous"
    assert record.note == "α is past the cap: the statement does not speak"


def test_the_sharper_theorem_speaks_past_the_paper_s_cap_and_not_past_its_own(check: Check) -> None:
    assert verdicts(check("theorem exact, larger cap", "quadratic", 5, "past cap")) == {"holds"}
    (record,) = check("theorem exact, larger cap", "quadratic", 1, "past cap")
    assert record.verdict == "vacuous"


@pytest.mark.parametrize(
    ("name", "problem", "N", "rule", "least"),
    [
        ("theorem exact on ramp", "ramp", 1, "small", 0.99),
        ("theorem exact on ramp as recommended", "ramp", 1, "recommended", 0.978),
        ("theorem exact on ramp as recommended", "ramp", 5, "recommended", 0.975),
        ("theorem finite-sum on ramp", "ramp-finite-sum", 1, "small", 0.985),
        ("theorem finite-sum on ramp as recommended", "ramp-finite-sum", 1, "recommended", 0.974),
        ("theorem resampling", "ramp", 1, "recommended", 0.66),
        ("theorem finite-sum on noise floor", "noise-floor", 1, "small", 0.4),
        ("theorem resampling on noise floor", "noise-floor-data", 1, "small", 0.37),
    ],
)
def test_the_sharp_instances_come_near_the_bound(
    check: Check, name: str, problem: str, N: int, rule: str, least: float
) -> None:
    (record,) = check(name, problem, N, rule, profile="default")
    assert record.verdict == "holds"
    assert record.tightness is not None
    assert least <= record.tightness <= 1


def test_the_slow_slope_keeps_its_share_of_the_bound(check: Check) -> None:
    (record,) = check("theorem exact", "slow-slope", 1, "recommended")
    assert record.tightness is not None
    assert 0.43 < record.tightness < 0.45
