"""Work arrays that outlive a call, so that the fast paths do not wait for fresh pages of memory."""

from __future__ import annotations

import math
import threading
from collections.abc import Sequence
from itertools import accumulate
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

LINE = 8
"""Numbers in a cache line: arrays that begin with one are read and written in whole lines."""

Numbers: TypeAlias = npt.NDArray[np.float64]


class _Buffer(threading.local):
    numbers: Numbers = np.empty(0)


_buffer = _Buffer()


def workspace(*shapes: tuple[int, ...]) -> list[Numbers]:
    """Arrays of these shapes, not initialised, out of one buffer that the thread keeps and that grows as asked.

    They are the caller's until the same thread asks again, so they must not be part of what it returns.
    """
    needed = sum(map(_whole_lines, shapes))
    if _buffer.numbers.size < needed:
        _buffer.numbers = _lines(needed)
    return _cut(_buffer.numbers, shapes)


def aligned(*shapes: tuple[int, ...]) -> list[Numbers]:
    """Arrays of these shapes like those of `workspace`, but the caller's to keep."""
    return _cut(_lines(sum(map(_whole_lines, shapes))), shapes)


def _whole_lines(shape: tuple[int, ...]) -> int:
    return -(-math.prod(shape) // LINE) * LINE


def _lines(size: int) -> Numbers:
    fresh = np.empty(size + LINE)
    first = -(fresh.ctypes.data // fresh.itemsize) % LINE
    return fresh[first : first + size]


def _cut(numbers: Numbers, shapes: Sequence[tuple[int, ...]]) -> list[Numbers]:
    starts = accumulate(map(_whole_lines, shapes), initial=0)
    parts = zip(starts, shapes, strict=False)
    return [numbers[start : start + math.prod(shape)].reshape(shape) for start, shape in parts]
