from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from verify.reporting.display import show
from verify.reporting.ledger import summarise
from verify.running.evaluation import evaluate
from verify.running.records import CellName, Header


@pytest.mark.parametrize("columns", ["", "0", "-3", "wide"])
def test_a_width_that_is_none_does_not_cost_the_table(
    columns: str, cell_of: Callable[..., CellName], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", columns)
    show(summarise(Header.new({}), evaluate(cell_of("fake draws")), 1.0), Path("out"))
    assert "fake draws" in capsys.readouterr().out


def test_a_run_says_how_many_statements_of_the_paper_are_settled(
    cell_of: Callable[..., CellName], capsys: pytest.CaptureFixture[str]
) -> None:
    (record, *_) = evaluate(cell_of("fake draws"))
    told = "of 3 statements of the paper 1 are attained or equalities; 1 improved by own ones (bias); 1 open"
    for names, line in ((("path", "bias", "complexity in accuracy", "tight bias"), told), (("path",), "")):
        records = [replace(record, claim=name) for name in names]
        show(summarise(Header.new({}), records, 1.0), Path("out"))
        shown = [text for text in capsys.readouterr().out.splitlines() if text.startswith("of ")]
        assert [text.split(" (complexity")[0] for text in shown] == ([line] if line else [])


@pytest.mark.parametrize("width", [80, 100, 140])
def test_a_claim_has_one_line_and_no_word_is_lost_at_its_ends(
    cell_of: Callable[..., CellName], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, width: int
) -> None:
    monkeypatch.setenv("COLUMNS", str(width))
    names = {"claim": "descent on opposed-curvature-quadratic", "problem": "rotated-cosine-finite-noise"}
    records = [replace(record, **names) for record in evaluate(cell_of("fake draws"))]
    show(summarise(Header.new({}), records, 1.0), Path("out"))
    line, outcome = capsys.readouterr().out.splitlines()[3:5]
    assert len(line) <= width
    assert re.match(r"  descent.*ratic +2 +[\d.]+ +1 +[\d.]+ +rota.*oise, N=1$", line)
    assert outcome.startswith("2 checks")
