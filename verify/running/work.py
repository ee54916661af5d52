"""What a worker is asked for: the records of some cells, and what its process has loaded and built for them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from verify.running.evaluation import evaluate
from verify.running.provenance import Fact, facts
from verify.running.records import CellName, Record


class Done(NamedTuple):
    """Records cell by cell, and the facts, before and after, that all processes of the run must have in common."""

    results: list[list[Record]]
    before: Mapping[str, Fact]
    after: Mapping[str, Fact]


def work(cells: Sequence[CellName]) -> Done:
    """Evaluate some cells; a function of names, strings and numbers, so that any process can do it."""
    before = facts(cells)
    return Done([evaluate(cell) for cell in cells], before, facts(cells))
