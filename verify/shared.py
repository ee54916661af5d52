"""What claims have in common at one problem, N and rule: runs, samples and exact expectations are made once."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import is_dataclass
from typing import Any, TypeVar

import numpy as np

from problems.problem import Problem
from verify.cell import Cell

Value = TypeVar("Value")

LARGEST = 2**27
"""Bytes that a process keeps, of what was used last."""

_kept: OrderedDict[Hashable, tuple[Problem, Any]] = OrderedDict()
_size = 0


def shared(cell: Cell, make: Callable[[], Value], *what: Hashable) -> Value:
    """Return what `make` gives, from whichever cell at the same problem, N, rule and seed came first.

    Parameters
    ----------
    make : makes the value, which nobody may change. It must depend on nothing but these and on `what`: what it draws
        comes from `cell.common`. So no result depends on which cell came first, or on what is still kept.
    what : names the value among all that are kept.
    """
    global _size
    key = (id(cell.problem), cell.problem_name, cell.N, cell.rule, cell.seed, what)
    if (kept := _kept.get(key)) is None:
        kept = _kept[key] = cell.problem, make()  # its problem as well: no other one can then have that id
        _size += bytes_of(kept[1])
    _kept.move_to_end(key)
    while _size > LARGEST:
        _, (_, dropped) = _kept.popitem(last=False)
        _size -= bytes_of(dropped)
    value: Value = kept[1]
    return value


def bytes_of(value: object) -> int:
    """About how much memory a value takes that is made of arrays, dataclasses, lists and tuples."""
    if isinstance(value, np.ndarray):
        return value.nbytes
    parts = vars(value).values() if is_dataclass(value) else value if isinstance(value, list | tuple) else ()
    return 100 + sum(map(bytes_of, parts))
