"""Cutting a long axis so that the arrays in work stay in cache."""

from __future__ import annotations


def equal_blocks(total: int, largest: int) -> list[slice]:
    """As few slices as possible that cover `range(total)`, all of one length ≤ `largest` (at least 1).

    The last slice may overlap the one before it: a few entries are then computed twice, and work arrays keep one shape.

    >>> equal_blocks(7, 3)
    [slice(0, 3, None), slice(3, 6, None), slice(4, 7, None)]
    """
    if total <= largest:
        return [slice(0, total)]
    size = -(-total // -(-total // max(1, largest)))
    starts = (min(first, total - size) for first in range(0, total, size))
    return [slice(start, start + size) for start in starts]
