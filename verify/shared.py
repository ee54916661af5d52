"""What claims have in common at one problem, N and rule: runs, samples and exact expectations are made once."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Any, TypeVar

from problems.problem import Problem
from verify.cell import Cell

Value = TypeVar("Value")

MOST = 32
"""Values that a process keeps, the last ones used; each of a few megabytes at most."""

_kept: OrderedDict[Hashable, tuple[Problem, Any]] = OrderedDict()


def shared(cell: Cell, make: Callable[[], Value], *what: Hashable) -> Value:
    """Return what `make` gives, from whichever cell at the same problem, N, rule, effort and seed came first.

    Parameters
    ----------
    make : makes the value, which nobody may change. It must depend on nothing but these and on `what`: what it draws
        comes from `cell.common`. So no result depends on which cell came first, or on what is still kept.
    what : names the value among all that are kept.
    """
    key = (id(cell.problem), cell.problem_name, cell.N, cell.rule, cell.effort, cell.seed, what)
    if (kept := _kept.get(key)) is None:
        kept = _kept[key] = cell.problem, make()  # its problem as well: no other one can then have that id
    _kept.move_to_end(key)
    while len(_kept) > MOST:
        _kept.popitem(last=False)
    value: Value = kept[1]
    return value
