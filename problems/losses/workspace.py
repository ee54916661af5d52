"""Work arrays that outlive a call, so that the fast paths do not wait for fresh pages of memory."""

from __future__ import annotations

import math
import threading

import numpy as np
import numpy.typing as npt


class _Buffer(threading.local):
    numbers: npt.NDArray[np.float64] = np.empty(0)


_buffer = _Buffer()


def workspace(*shapes: tuple[int, ...]) -> list[npt.NDArray[np.float64]]:
    """Arrays of these shapes, not initialised, out of one buffer that the thread keeps and that grows as asked.

    They are the caller's until the same thread asks again, so they must not be part of what it returns.
    """
    sizes = [math.prod(shape) for shape in shapes]
    if _buffer.numbers.size < sum(sizes):
        _buffer.numbers = np.empty(sum(sizes))
    arrays, start = [], 0
    for size, shape in zip(sizes, shapes, strict=True):
        arrays.append(_buffer.numbers[start : start + size].reshape(shape))
        start += size
    return arrays
