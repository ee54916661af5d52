"""The starting file for a figure, copied and run as a newcomer would."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

from figures.table import Table

ROOT = Path(__file__).parents[2]


def test_a_copy_is_a_figure(tmp_path: Path) -> None:
    shutil.copytree(ROOT / "figures", tmp_path / "figures")
    shutil.copy(ROOT / "docs" / "templates" / "figure.py", tmp_path / "figures" / "mine.py")
    done = subprocess.run(
        [sys.executable, "-m", "figures", "template", "--jobs", "1", "--out", "out"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    table = Table.read(tmp_path / "out" / "template.csv")
    assert len(table) == 6
    assert (table.select(problem="convex-quadratic")["ratio"] > 0.9).any()
    assert (table["ratio"] <= 1 + 1e-9).all()
    assert "Seed 0." in (tmp_path / "out" / "template.md").read_text(encoding="utf-8")
