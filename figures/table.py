"""The data of a figure: rows of named numbers and words, kept as CSV beside the picture."""

from __future__ import annotations

import csv
from collections.abc import Iterable
from pathlib import Path
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

Entry: TypeAlias = float | str
Row: TypeAlias = dict[str, Entry]


class Table:
    """Rows with the same columns, in the order in which they were computed.

    >>> table = Table([{"series": "bound", "N": 1, "y": 2.5}, {"series": "bound", "N": 2, "y": 3.5}])
    >>> table.select(series="bound")["y"]
    array([2.5, 3.5])
    """

    def __init__(self, rows: Iterable[Row]) -> None:
        self.rows = list(rows)

    def __getitem__(self, column: str) -> npt.NDArray[np.float64]:
        """Return one column as float64."""
        return np.array([float(row[column]) for row in self.rows])

    def __len__(self) -> int:
        """Return the number of rows."""
        return len(self.rows)

    @property
    def seed(self) -> int:
        """Seed with which all rows were computed."""
        return int(self["seed"][0])

    def select(self, **where: Entry) -> Table:
        """Rows whose columns equal the values given."""
        return Table(row for row in self.rows if all(row[name] == value for name, value in where.items()))

    def distinct(self, column: str) -> list[Entry]:
        """Values of a column, each once, in order of appearance."""
        return list(dict.fromkeys(row[column] for row in self.rows))

    def write(self, path: Path) -> None:
        """Write CSV; floats are written so that they read back to the same number."""
        columns = list(dict.fromkeys(name for row in self.rows for name in row))
        with path.open("w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, columns, restval="")
            writer.writeheader()
            writer.writerows({name: _plain(entry) for name, entry in row.items()} for row in self.rows)

    @classmethod
    def read(cls, path: Path) -> Table:
        """Read what `write` wrote; raises ValueError in one line where the file is missing, empty or no table."""
        if not path.is_file():
            raise ValueError(f"{path} does not exist: draw the figure once without --from-data")
        try:
            with path.open(newline="", encoding="utf-8") as file:
                rows: list[Row] = [
                    {name: _entry(text) for name, text in row.items() if text != ""} for row in csv.DictReader(file)
                ]
        except (csv.Error, TypeError, UnicodeDecodeError) as error:  # a row of another length has a None or a list
            raise ValueError(f"{path} is no table: draw the figure once without --from-data") from error
        if not rows:
            raise ValueError(f"{path} holds no data: draw the figure once without --from-data")
        return cls(rows)


def _plain(entry: Entry) -> str:
    return entry if isinstance(entry, str) else repr(float(entry))


def _entry(text: str) -> Entry:
    try:
        return float(text)
    except ValueError:
        return text
