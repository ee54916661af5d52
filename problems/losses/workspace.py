"""Work arrays that outlive a call, so that the fast paths do not wait for fresh pages of memory."""

from __future__ import annotations

import math
import threading
from itertools import accumulate

import numpy as np
import numpy.typing as npt

LINE = 8
"""Numbers in a cache line: arrays that begin with one are read and written in whole lines."""


class _Buffer(threading.local):
    numbers: npt.NDArray[np.float64] = np.empty(0)


_buffer = _Buffer()


def workspace(*shapes: tuple[int, ...]) -> list[npt.NDArray[np.float64]]:
    """Arrays of these shapes, not initialised, out of one buffer that the thread keeps and that grows as asked.

    They are the caller's until the same thread asks again, so they must not be part of what it returns.
    """
    sizes = [math.prod(shape) for shape in shapes]
    starts = [0, *accumulate(-(-size // LINE) * LINE for size in sizes)]
    if _buffer.numbers.size < starts[-1]:
        fresh = np.empty(starts[-1] + LINE)
        first = -(fresh.ctypes.data // fresh.itemsize) % LINE
        _buffer.numbers = fresh[first : first + starts[-1]]
    parts = zip(starts, sizes, shapes, strict=False)
    return [_buffer.numbers[start : start + size].reshape(shape) for start, size, shape in parts]
