"""How far a long computation is, on standard error: a bar on a terminal, elsewhere a plain line now and then."""

from __future__ import annotations

import sys
import textwrap
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from heapq import nlargest
from operator import itemgetter
from typing import TypeAlias

import click

PLAIN_SECONDS = 10
LONGEST = 3
TOLD_SECONDS, NAMED_WIDTH = 1.0, 60
"""What took less is not named; a name has at most so many columns."""
Took: TypeAlias = tuple[str, float]
"""What was done, and how many seconds it took."""
Meter: TypeAlias = Callable[[int, int, Iterable[Took], str], None]
"""Called with the number of things done, of all things, those that have just come, and what else is to be said."""


def meter(things: str) -> AbstractContextManager[Meter]:
    """Show how many of some things are done, for how long, what that leaves, and which of them took longest."""
    if not sys.stderr.isatty():
        return _lines(things)
    from verify.reporting.bar import bar

    return bar(things)


@contextmanager
def _lines(things: str) -> Iterator[Meter]:
    began = last = time.monotonic()
    before: int | None = None
    took: list[Took] = []

    def tell(finished: int, total: int, new: Iterable[Took], more: str) -> None:
        nonlocal last, before, took
        before = finished if before is None else before  # of a run that goes on
        took = the_longest(took, new)
        now = time.monotonic()
        if now - last >= PLAIN_SECONDS:
            last, elapsed = now, now - began
            left = (total - finished) * elapsed / max(finished - before, 1)
            times = f"{finished} of {total} {things} after {elapsed:.0f} s, {left:.0f} s left at this rate"
            click.echo("; ".join(filter(None, (times, more, longest(took)))), err=True)

    yield tell


def the_longest(took: Iterable[Took], new: Iterable[Took]) -> list[Took]:
    """Those of both that took longest, a few."""
    return nlargest(LONGEST, [*took, *new], key=itemgetter(1))


def longest(took: Iterable[Took]) -> str:
    """What took longest, in words.

    >>> longest([("link on kink, N = 5", 3.21), ("path on kink, N = 5", 0.3)])
    'longest: link on kink, N = 5 (3.2 s)'
    """
    named = ", ".join(
        f"{textwrap.shorten(what, NAMED_WIDTH, placeholder=' …')} ({seconds:.1f} s)"
        for what, seconds in took
        if seconds >= TOLD_SECONDS
    )
    return f"longest: {named}" if named else ""
