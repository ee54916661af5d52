from __future__ import annotations

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


def test_long_names_break_at_hyphens(
    cell_of: Callable[..., CellName], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "100")
    names = {"claim": "descent on opposed-curvature-quadratic", "problem": "rotated-cosine-finite-noise"}
    records = [replace(record, **names) for record in evaluate(cell_of("fake draws"))]
    show(summarise(Header.new({}), records, 1.0), Path("out"))
    first, second = capsys.readouterr().out.splitlines()[3:5]
    assert (first[:21], second[:21]) == ("  descent on opposed-", "  curvature-quadratic")
    assert (first.split()[-1], second.split()[-2:]) == ("rotated-cosine-finite-", ["noise,", "N=1"])
