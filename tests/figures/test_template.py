"""The starting file for a figure, copied and run as a newcomer would."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

import figures
from figures.cli import cli
from figures.figure import registry
from figures.table import Table

TEMPLATE = Path(__file__).parents[2] / "docs" / "templates" / "figure.py"


def test_a_copy_is_a_figure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "package").mkdir()
    shutil.copy(TEMPLATE, tmp_path / "package" / "template.py")
    monkeypatch.setattr(figures, "__path__", [*figures.__path__, str(tmp_path / "package")])
    registry.cache_clear()
    try:
        result = CliRunner().invoke(cli, ["template", "--out", str(tmp_path / "out"), "--jobs", "1"])
    finally:
        registry.cache_clear()
        sys.modules.pop("figures.template", None)
    assert result.exit_code == 0, result.output
    table = Table.read(tmp_path / "out" / "template.csv")
    assert len(table) == 6
    assert (table.select(problem="convex-quadratic")["ratio"] > 0.9).any()
    assert (table["ratio"] <= 1 + 1e-9).all()
    assert "Seed 0." in (tmp_path / "out" / "template.md").read_text(encoding="utf-8")
