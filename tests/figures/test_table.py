from __future__ import annotations

import math
from pathlib import Path

import pytest

from figures.table import Row, Table


def test_what_is_written_is_read_back(tmp_path: Path) -> None:
    rows: list[Row] = [
        {"series": "exact, α = 1/(4L)", "x": 0.1 + 0.2, "y": 1e-300},
        {"series": "theory", "x": math.inf, "z": 3},
    ]
    Table(rows).write(tmp_path / "t.csv")
    table = Table.read(tmp_path / "t.csv")
    assert table.rows == rows
    assert table.distinct("series") == ["exact, α = 1/(4L)", "theory"]
    assert list(table.select(series="theory")["x"]) == [math.inf]
    assert len(table.select(series="theory", x=1.0)) == 0


@pytest.mark.parametrize(
    ("content", "line"),
    [
        (None, "does not exist"),
        (b"", "holds no data"),
        (b"x,y\n", "holds no data"),
        (b"x,y\n1\n", "is no table"),
        (b"x,y\n1,2,3\n", "is no table"),
        (b"x,y\n\xff,1\n", "is no table"),
    ],
)
def test_missing_data_are_one_line(tmp_path: Path, content: bytes | None, line: str) -> None:
    if content is not None:
        (tmp_path / "t.csv").write_bytes(content)
    with pytest.raises(ValueError, match=f"t.csv {line}: draw the figure once without --from-data"):
        Table.read(tmp_path / "t.csv")
