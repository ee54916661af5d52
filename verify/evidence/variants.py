"""Other members of an instance's family: the same instance with other free parameters."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from problems.registry import family
from verify.claim import Cell, alpha_L

SPREAD = 0.5
"""Free parameters move by at most so many powers of ten to either side."""


def variants(cell: Cell, count: int) -> Iterator[tuple[Cell, dict[str, float]]]:
    """Draw `count` members of the family of the cell's registered problem: cells like this one, and free parameters."""
    known = family(cell.problem_name)
    rng = cell.rng("free parameters")
    for _ in range(count):
        free = {name: default * 10 ** rng.uniform(-SPREAD, SPREAD) for name, default in known.free.items()}
        problem = known.build(cell.N, alpha_L(cell.rule, cell.N), **free)
        yield replace(cell, problem=problem), free
