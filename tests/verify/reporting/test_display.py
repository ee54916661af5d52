from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from verify.reporting.display import show
from verify.reporting.ledger import summarise
from verify.running.evaluation import evaluate
from verify.running.records import Job
from verify.running.run_file import Header


def test_long_names_break_at_hyphens(
    job: Callable[..., Job], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "100")
    names = {"claim": "descent on opposed-curvature-quadratic", "problem": "rotated-cosine-finite-noise"}
    records = [replace(record, **names) for record in evaluate(job("fake draws"))]
    show(summarise(Header.new({}), records, 1.0), Path("out"))
    first, second = capsys.readouterr().out.splitlines()[3:5]
    assert (first[:21], second[:21]) == ("  descent on opposed-", "  curvature-quadratic")
    assert (first.split()[-1], second.split()[-2:]) == ("rotated-cosine-finite-", ["noise,", "N=1"])
