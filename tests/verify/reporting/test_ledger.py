from __future__ import annotations

import json
import math
import weakref
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from verify.claim import claims
from verify.reporting.ledger import Summary, grouped, summarise
from verify.reporting.summary_files import markdown, number, ratio, write_summary
from verify.running.evaluation import evaluate, stamp
from verify.running.records import CellName, Header, Record
from verify.statements import NEIGHBOURS, STATEMENTS

CellOf = Callable[..., CellName]
HEADER = Header.new({"seed": 0})


@pytest.fixture
def summary_of(cell_of: CellOf) -> Callable[..., Summary]:
    """Summary of the cells of some fake claims."""
    return lambda *names: summarise(HEADER, [record for name in names for record in evaluate(cell_of(name))])


def found(cell: CellName, *checks: tuple[str, float | None]) -> list[Record]:
    return stamp(cell, [{"verdict": verdict, "tightness": tightness} for verdict, tightness in checks], seconds=2.0)


@pytest.mark.parametrize(
    ("names", "code"),
    [
        (["fake draws"], 0),
        (["fake draws", "fake vacuous"], 0),
        (["fake draws", "fake interval"], 3),
        (["fake draws", "fake error"], 3),
        (["fake draws", "fake error", "fake violated"], 1),
        (["fake vacuous"], 4),
        (["fake draws", "fake vacuous", "fake needs"], 0),
        (["fake vacuous", "fake silent"], 4),
        ([], 4),
    ],
)
def test_the_exit_code_is_that_of_the_worst_verdict(
    summary_of: Callable[..., Summary], names: list[str], code: int
) -> None:
    assert summary_of(*names).exit_code == code


def test_a_run_that_judges_less_than_half_of_what_speaks_does_not_pass(cell_of: CellOf) -> None:
    def summary(**verdicts: str) -> Summary:
        cells = ((cell_of(name), verdict) for name, verdict in verdicts.items())
        return summarise(HEADER, [record for cell, verdict in cells for record in found(cell, (verdict, 0.5))])

    half = summary(a="holds", b="vacuous", c="inapplicable")
    assert (half.exit_code, half.too_little) == (0, "")
    less = summary(a="holds", b="vacuous", c="vacuous", d="inapplicable")
    assert (less.exit_code, less.too_little) == (4, "only 1 of 3 claims were judged")


def test_a_claim_is_summarised_by_its_largest_ratio(cell_of: CellOf) -> None:
    records = [
        *found(cell_of("fake draws", 1), ("holds", 0.3), ("holds", 0.9), ("vacuous", None)),
        *found(cell_of("fake draws", 2), ("holds", 0.8), ("inapplicable", 7.0)),
    ]
    (claim,) = summarise(HEADER, records).claims
    assert claim.checks == {"holds": 3, "vacuous": 1, "inapplicable": 1}
    assert (claim.worst, claim.verdict) == (records[1], "holds")
    assert claim.seconds == pytest.approx(4.0)
    assert not claim.estimated


def test_a_violated_check_is_the_worst_even_where_its_ratio_is_not(cell_of: CellOf) -> None:
    records = found(cell_of("fake draws"), ("holds", 0.9999), ("violated", 0.5), ("violated", -math.inf))
    (claim,) = summarise(HEADER, records).claims
    assert (claim.worst, claim.verdict) == (records[1], "violated")


def test_without_inner_steps_a_check_is_the_worst_only_where_it_is_alone(cell_of: CellOf) -> None:
    trivial = found(cell_of("fake draws", 0), ("holds", 1.0))
    assert summarise(HEADER, trivial).claims[0].worst == trivial[0]
    records = [*trivial, *found(cell_of("fake draws", 1), ("holds", 0.3))]
    assert summarise(HEADER, records).claims[0].worst == records[1]
    records = [*found(cell_of("fake draws", 0), ("violated", 1.1)), *records[1:]]
    assert summarise(HEADER, records).claims[0].worst == records[0]


def test_verdicts_with_estimated_constants_are_marked(cell_of: CellOf) -> None:
    records = [replace(record, estimated=("rho",)) for record in evaluate(cell_of("fake draws"))]
    assert summarise(HEADER, records).claims[0].estimated
    silent = [replace(record, verdict="inapplicable") for record in records]
    assert not summarise(HEADER, silent).claims[0].estimated


def test_wrong_constants_are_reported_as_such(cell_of: CellOf) -> None:
    audit = cell_of("constants of fakes")
    check = {"verdict": "violated", "label": "rho", "measured": 2.5, "bound": 2.0, "tightness": 1.25}
    wrong = stamp(audit, [check])
    summary = summarise(HEADER, wrong)
    assert summary.wrong_constants == (
        "fakes.py:make: the audit refuted the constant rho: 2.5 > 2, 1.25 times as much",
    )
    assert summary.exit_code == 1


@pytest.mark.parametrize(
    ("names", "reason"),
    [
        (["fake draws"], ""),
        (["fake violated"], ""),
        (["fake vacuous"], "vacuous: alpha is past the cap"),
        (["fake needs"], "inapplicable: speaks of the finite-sum case only"),
        (["fake error"], "error: ZeroDivisionError: on purpose"),  # though its first check holds
    ],
)
def test_a_claim_says_why_it_was_not_judged(summary_of: Callable[..., Summary], names: list[str], reason: str) -> None:
    (claim,) = summary_of(*names).claims
    assert claim.reason == reason


def test_an_error_says_more_than_what_was_not_judged_before_it(cell_of: CellOf) -> None:
    told = [("vacuous", "past the cap"), ("error", "first"), ("error", "second")]
    records = stamp(cell_of("fake draws"), [{"verdict": verdict, "note": note} for verdict, note in told])
    assert summarise(HEADER, records).claims[0].reason == "error: first"


def test_the_verdict_of_a_claim_is_the_one_that_says_most(cell_of: CellOf) -> None:
    order = ["violated", "error", "inconclusive", "holds", "vacuous", "inapplicable"]
    for first, verdict in enumerate(order):
        records = found(cell_of("fake draws"), *((other, 0.5) for other in reversed(order[first:])))
        assert summarise(HEADER, records).claims[0].verdict == verdict


def test_a_mutant_is_refuted_only_where_the_right_formula_is_not(cell_of: CellOf) -> None:
    right, wrong = cell_of("fake draws"), cell_of("fake draws", mutant="half")

    def status(control: str, *verdicts: str) -> str:
        records = [*found(right, (control, 0.5)), *found(wrong, *((verdict, 2.0) for verdict in verdicts))]
        (mutant,) = summarise(HEADER, records).mutants
        assert (mutant.claim, mutant.mutant, mutant.cell) == ("fake draws", "half", wrong)
        return mutant.status

    assert status("holds", "holds", "violated") == "refuted"
    assert status("vacuous", "violated") == "refuted"
    assert status("violated", "violated") == "survived"
    assert status("holds", "holds", "inconclusive", "vacuous") == "survived"
    assert status("holds", "error") == "error"


def test_mutants_decide_the_exit_code(cell_of: CellOf) -> None:
    def code(*mutants: str) -> int:
        cells = [cell_of("fake draws"), *(cell_of("fake draws", mutant=mutant) for mutant in mutants)]
        return summarise(HEADER, [record for cell in cells for record in evaluate(cell)]).exit_code

    assert code("half") == 0
    assert code("half", "crashing") == 3
    assert code("half", "crashing", "loose") == 1


def test_every_statement_of_the_paper_has_its_place_in_order() -> None:
    groups = grouped(claims().values())
    assert tuple(groups) == (*STATEMENTS, *NEIGHBOURS)
    assert sum(map(len, groups.values())) == len(claims())


def test_what_the_paper_says_comes_before_what_is_our_own() -> None:
    groups = grouped(reversed(claims().values()))
    for statement in ("PATH", "LINK", "THEOREM"):
        own = [claim.source.own for claim in groups[statement]]
        assert own == sorted(own)
        assert set(own) == {False, True}


def test_the_summary_is_written_for_programs_and_for_people(summary_of: Callable[..., Summary], tmp_path: Path) -> None:
    summary = summary_of("fake draws", "fake violated", "fake vacuous")
    write_summary(tmp_path, summary)
    values: dict[str, Any] = json.loads((tmp_path / "summary.json").read_text())
    assert values["exit_code"] == 1
    assert values["verdicts"] == {"holds": 2, "violated": 1, "vacuous": 1}
    assert [claim["verdict"] for claim in values["claims"]] == ["holds", "vacuous", "violated"]
    assert values["claims"][2]["worst"]["witness"] == {"w": [1.5]}
    text = (tmp_path / "summary.md").read_text()
    assert "| fake violated | violated | 1 violated | 1.5 | 1 | 1.5000 | fakes.py:make, N = 1, recommended |" in text


def test_the_markdown_table_is_in_the_order_of_the_paper(cell_of: CellOf) -> None:
    records = [record for name in ("bias", "path", "constants") for record in found(cell_of(name), ("holds", 0.5))]
    rows = [line.split(" | ")[0] for line in markdown(summarise(HEADER, records)).splitlines()[4:]]
    assert rows == ["| constants", "| path", "| bias"]


def test_a_blank_line_sets_the_wrong_constants_apart_from_the_table(cell_of: CellOf) -> None:
    audit = replace(cell_of("constants of fakes"), problem="fakes")
    lines = markdown(summarise(HEADER, stamp(audit, [{"verdict": "violated", "label": "rho"}]))).splitlines()
    at = lines.index("- wrong constant: fakes: the audit refuted the constant rho")
    assert lines[at + 1] == ""


def test_text_of_a_user_cannot_break_the_markdown_table(cell_of: CellOf) -> None:
    nasty = replace(cell_of("fake draws"), problem="<img src=x>|\nnew line")
    summary = summarise(HEADER, stamp(nasty, [{"verdict": "holds", "tightness": 0.5}]))
    (row,) = (line for line in markdown(summary).splitlines() if "img" in line)
    assert row.count("|") - row.count("\\|") == 8
    assert "<" not in row


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (None, ""),
        (1.0, "1.0000"),
        (0.96, "0.9600"),
        (2e-5, "2e-05"),
        (math.inf, "inf"),
        (0.0, "0"),
        (12345.6, "1.235e+04"),
    ],
)
def test_ratios_show_four_decimals_where_these_say_something(value: float | None, shown: str) -> None:
    assert ratio(value) == shown
    assert number(1234567.0) == "1.235e+06"


def test_constants_that_hold_are_no_evidence_for_a_claim(summary_of: Callable[..., Summary]) -> None:
    assert summary_of("constants of fakes").exit_code == 0
    assert summary_of("constants of fakes", "fake vacuous").exit_code == 4
    assert summary_of("constants of fakes", "fake vacuous", "fake draws").exit_code == 0


def test_few_records_are_kept_however_many_pass_by(cell_of: CellOf) -> None:
    """A run of millions is summarised in the memory of its claims: one record in three hundred is alive at most."""
    seen: list[weakref.ref[Record]] = []

    def passing() -> Iterator[Record]:
        for k in range(300):
            for record in found(cell_of("fake draws", k % 7), ("holds", k / 300), ("vacuous", None)):
                seen.append(weakref.ref(record))
                yield record
            assert sum(one() is not None for one in seen) < 10

    (claim,) = summarise(HEADER, passing()).claims
    assert claim.checks == {"holds": 300, "vacuous": 300}
    assert claim.worst is not None
    assert claim.worst.tightness == pytest.approx(299 / 300)
