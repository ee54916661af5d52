"""One picture per result: its data, then its drawing. Each figure is a file of this package."""

import verify  # first: it finds the packages that lie beside it  # noqa: F401  # isort: split
from figures.figure import Figure, Part, named, registry
from figures.table import Row, Table

__all__ = ["Figure", "Part", "Row", "Table", "named", "registry"]
