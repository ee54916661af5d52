from __future__ import annotations

import tracemalloc
from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import chain
from pathlib import Path

import pytest

from verify.reporting.compare import compare
from verify.running.evaluation import stamp
from verify.running.records import CellName, Header, Record, header_path
from verify.verdict import JUDGED

CellOf = Callable[..., CellName]


@pytest.fixture
def run(tmp_path: Path) -> Callable[[str, Sequence[Record]], Path]:
    """Write a file of records."""

    def write(name: str, records: Sequence[Record], seed: int = 0) -> Path:
        path = tmp_path / f"{name}.jsonl"
        header_path(path).write_text(Header.new({"seed": seed}).to_json(), encoding="utf-8")
        path.write_text("".join(f"{record.to_json()}\n" for record in records), encoding="utf-8")
        return path

    return write


def checks(cell: CellName, *found: tuple[str, float | None], bound: float = 1.0, slack: float = 0.0) -> list[Record]:
    """Checks with a verdict, and a ratio of measured and bound where the verdict is on one."""
    return stamp(cell, [one_check(verdict, ratio, bound, slack) for verdict, ratio in found], seconds=1.5)


def one_check(verdict: str, ratio: float | None, bound: float, slack: float) -> dict[str, object]:
    if ratio is None or verdict not in JUDGED:
        return {"verdict": verdict}
    measured = ratio * bound
    upper = 2 * bound if verdict == "inconclusive" else measured
    short = verdict == "violated" and ratio <= 1  # of a bound that should be attained
    numbers = {"measured": measured, "bound": bound, "lower": measured, "upper": upper, "slack": slack}
    return {"verdict": verdict, "attained": short, "tightness": measured / bound, **numbers}


def test_a_run_does_not_differ_from_itself(run: Callable[..., Path], cell_of: CellOf) -> None:
    records = checks(cell_of("fake draws"), ("holds", 0.71), ("vacuous", None))
    same = compare(run("old", records), run("new", records), 0.0)
    assert (same.changes, same.compared, same.regressed) == ((), 2, False)
    assert same.text() == "2 checks compared: 0 regressions, 0 other changes; 1.5 s -> 1.5 s"


def test_runs_with_different_settings_say_so(run: Callable[..., Path], cell_of: CellOf) -> None:
    records = checks(cell_of("fake draws"), ("holds", 0.71))
    found = compare(run("old", records), run("new", records, seed=3), 0.0)
    assert not found.regressed
    assert found.text().startswith("note: the runs have different settings: seed was 0 and is 3\n1 checks compared")


def test_runs_with_different_tangents_say_so(run: Callable[..., Path], cell_of: CellOf) -> None:
    paths = []
    for kernel in ("np.tan", "partial fractions"):
        path = run(kernel, checks(cell_of("fake draws"), ("holds", 0.71)))
        header = Header.new({"seed": 0})
        told = replace(header, environment={**header.environment, "tangent": kernel})
        header_path(path).write_text(told.to_json(), encoding="utf-8")
        paths.append(path)
    assert compare(paths[0], paths[1], 0.0).notes == (
        "tangents were np.tan and are partial fractions: equal up to rounding",
    )
    assert not compare(paths[0], paths[0], 0.0).notes


@pytest.mark.parametrize(
    ("old", "new", "regressed"),
    [
        ("holds", "violated", True),
        ("holds", "inconclusive", True),
        ("holds", "vacuous", True),
        ("holds", "error", True),
        ("inconclusive", "violated", True),
        ("violated", "holds", False),
        ("error", "inconclusive", False),
    ],
)
def test_a_verdict_that_gets_worse_is_a_regression(
    run: Callable[..., Path], cell_of: CellOf, old: str, new: str, regressed: bool
) -> None:
    before, after = (checks(cell_of("fake draws"), ("holds", 0.7), (verdict, 0.6)) for verdict in (old, new))
    found = compare(run("old", before), run("new", after), 1.0)
    assert [(change.kind, change.old, change.new) for change in found.changes] == [("verdict", old, new)]
    assert found.regressed is regressed


@pytest.mark.parametrize(("ratio", "moved"), [(0.771, True), (0.7365, False), (0.6647, True), (0.672, False)])
def test_tightness_may_move_within_the_tolerance_in_both_directions(
    run: Callable[..., Path], cell_of: CellOf, ratio: float, moved: bool
) -> None:
    before, after = (checks(cell_of("fake draws"), ("holds", 0.3), ("holds", largest)) for largest in (0.7, ratio))
    found = compare(run("old", before), run("new", after), 0.05)
    assert [change.kind for change in found.changes] == ["tightness"] * moved
    assert found.regressed is moved


def test_only_the_largest_ratio_of_a_claim_counts(run: Callable[..., Path], cell_of: CellOf) -> None:
    before = checks(cell_of("fake draws"), ("holds", 0.2), ("holds", 0.7))
    after = checks(cell_of("fake draws"), ("holds", 0.6), ("holds", 0.7))
    assert not compare(run("old", before), run("new", after), 0.01).changes


@pytest.mark.parametrize(
    ("bound", "slack", "moved"),
    [(1 + 2e-6, 0.0, True), (1 - 2e-6, 0.0, True), (1 + 5e-7, 0.0, False), (1 + 2e-6, 1e-5, False), (1.1, 1e-5, True)],
)
def test_a_bound_may_differ_by_rounding_only(
    run: Callable[..., Path], cell_of: CellOf, bound: float, slack: float, moved: bool
) -> None:
    """The worst check is far from these: a term that it does not feel changes no tightness."""
    worst = checks(cell_of("fake draws"), ("holds", 0.9))
    old = [*worst, *checks(cell_of("fake draws", N=2), ("holds", 0.3), ("holds", 0.3), slack=slack)]
    new = [*worst, *checks(cell_of("fake draws", N=2), ("holds", 0.3), ("holds", 0.3), bound=bound, slack=slack)]
    found = compare(run("old", old), run("new", new), 0.01)
    assert found.regressed is moved
    where = "fake draws on fakes.py:make, N = 2, recommended and 1 more"
    assert list(map(str, found.changes)) == [f"regression: bound, {where}: 1 -> {bound:.9g}"] * moved


@pytest.mark.parametrize(
    ("method", "ratio", "measured", "moved"),
    [
        ("attack", 0.8, 0.8 * 1.1, False),
        ("attack", 0.8, 0.8, True),
        ("attack", 1e-12, 1.1e-12, True),
        ("enumeration", 0.8, 0.8 * 1.1, True),
    ],
)
def test_the_bound_of_an_attack_may_be_that_of_another_point_that_meets_it_as_nearly(
    run: Callable[..., Path], cell_of: CellOf, method: str, ratio: float, measured: float, moved: bool
) -> None:
    """Not where the tightness moves, even if within its tolerance, nor where only rounding was measured."""
    made = {"verdict": "holds", "method": method, "slack": 1e-9}
    old = stamp(cell_of("fake draws"), [{**made, "measured": ratio, "bound": 1.0, "tightness": ratio}])
    new = stamp(cell_of("fake draws"), [{**made, "measured": measured, "bound": 1.1, "tightness": measured / 1.1}])
    assert compare(run("old", old), run("new", new), 0.2).regressed is moved


def test_what_is_only_rounding_has_no_tightness_but_what_was_more_and_vanished_had_one(
    run: Callable[..., Path], cell_of: CellOf
) -> None:
    def one(ratio: float) -> list[Record]:
        return checks(cell_of("fake draws"), ("holds", ratio), slack=1e-9)

    assert not compare(run("old", one(1e-10)), run("new", one(-7e-10)), 0.01).changes
    for before, after in ((0.3, 1e-10), (1e-10, 0.3), (2e-9, 1e-10)):
        assert compare(run("old", one(before)), run("new", one(after)), 0.01).regressed


def test_how_wrong_a_mutant_is_does_not_count(run: Callable[..., Path], cell_of: CellOf) -> None:
    before, after = (
        [
            *checks(cell_of("fake draws"), ("holds", 0.7)),
            *checks(cell_of("fake draws", mutant="half"), ("violated", ratio)),
        ]
        for ratio in (1.2, 3.4)
    )
    assert not compare(run("old", before), run("new", after), 0.01).changes


def test_what_vanishes_is_a_regression_and_what_appears_is_not(run: Callable[..., Path], cell_of: CellOf) -> None:
    old = [
        *checks(cell_of("fake draws"), ("holds", 0.7), ("holds", 0.6)),
        *checks(cell_of("fake slow"), ("holds", 0.1)),
    ]
    new = [old[0], *checks(cell_of("fake nan"), ("holds", 0.5))]
    found = compare(run("old", old), run("new", new), 0.05)
    assert [(change.kind, change.regression) for change in found.changes] == [
        ("vanished", True),
        ("vanished", True),
        ("new", False),
    ]
    assert str(found.changes[0]) == "regression: vanished, fake draws on fakes.py:make: 1 checks -> none"


def test_a_tighter_check_that_is_new_is_no_regression(run: Callable[..., Path], cell_of: CellOf) -> None:
    old = checks(cell_of("fake draws"), ("holds", 0.3))
    new = [*old, *checks(cell_of("fake draws", N=2), ("holds", 0.9))]
    found = compare(run("old", old), run("new", new), 0.05)
    assert [(change.kind, change.regression) for change in found.changes] == [("new", False)]


def test_regressions_come_first(run: Callable[..., Path], cell_of: CellOf) -> None:
    old = checks(cell_of("fake draws"), ("violated", 1.1), ("holds", 0.9))
    new = checks(cell_of("fake draws"), ("holds", 0.9), ("violated", 1.1))
    assert [change.regression for change in compare(run("old", old), run("new", new), 0.05).changes] == [True, False]


def test_the_order_of_checks_does_not_matter(run: Callable[..., Path], cell_of: CellOf) -> None:
    """As in a run that was killed and resumed, or one of several workers that was killed."""
    old, new = (
        [checks(cell_of("fake draws", N=N), ("holds", 0.1 * N + shift), ("holds", 0.3)) for N in range(1, 6)]
        for shift in (0.0, 0.05)
    )
    before, after = (list(chain.from_iterable(cells)) for cells in (old[1:], new[:-1]))
    straight = compare(run("old", before), run("new", after), 0.01)
    assert {change.kind for change in straight.changes} == {"vanished", "new", "tightness"}
    shuffled = compare(run("other", before), run("way", after[::-1]), 0.01)
    assert (shuffled.compared, set(shuffled.changes)) == (straight.compared, set(straight.changes))


def test_runs_may_be_larger_than_memory(run: Callable[..., Path], cell_of: CellOf) -> None:
    """A check that is there in both leaves the hash of its name: not so the thousands of bytes of its records."""
    records = checks(cell_of("fake draws"), *[("holds", 0.5)] * 2000)
    old, new = run("old", records), run("new", records)
    del records
    tracemalloc.start()
    assert compare(old, new, 0.01).compared == 2000
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 2000 * 400


def test_runs_without_a_common_check_are_not_compared(run: Callable[..., Path], cell_of: CellOf) -> None:
    old, new = (run(name, checks(cell_of(name), ("holds", 0.5))) for name in ("fake draws", "fake slow"))
    with pytest.raises(ValueError, match=r"have no check in common$"):
        compare(old, new, 0.05)


@pytest.mark.parametrize("tolerance", [-0.1, float("nan")])
def test_a_bad_tolerance_is_named(tmp_path: Path, tolerance: float) -> None:
    with pytest.raises(ValueError, match=r"^tolerance = (-0.1|nan) is not allowed: tolerance must be a number >= 0$"):
        compare(tmp_path, tmp_path, tolerance)
