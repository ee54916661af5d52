"""How far a long computation is, on standard error: a bar on a terminal, elsewhere a plain line now and then."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from heapq import nlargest
from operator import itemgetter
from typing import TypeAlias

import click
from rich.console import Console, RenderableType
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.text import Text

PLAIN_SECONDS = 10
LONGEST = 3
TOLD_SECONDS = 1.0
"""What took less is not named."""
Took: TypeAlias = tuple[str, float]
"""What was done, and how many seconds it took."""
Meter: TypeAlias = Callable[[int, int, Iterable[Took], str], None]
"""Called with the number of things done, of all things, those that have just come, and what else is to be said."""


def meter(things: str) -> AbstractContextManager[Meter]:
    """Show how many of some things are done, for how long, what that leaves, and which of them took longest."""
    return _bar(things) if sys.stderr.isatty() else _lines(things)


@contextmanager
def _lines(things: str) -> Iterator[Meter]:
    began = last = time.monotonic()
    before: int | None = None
    took: list[Took] = []

    def tell(finished: int, total: int, new: Iterable[Took], more: str) -> None:
        nonlocal last, before, took
        before = finished if before is None else before  # of a run that goes on
        took = nlargest(LONGEST, [*took, *new], key=itemgetter(1))
        now = time.monotonic()
        if now - last >= PLAIN_SECONDS:
            last, elapsed = now, now - began
            left = (total - finished) * elapsed / max(finished - before, 1)
            times = f"{finished} of {total} {things} after {elapsed:.0f} s, about {left:.0f} s left"
            click.echo("; ".join(filter(None, (times, more, longest(took)))), err=True)

    yield tell


@contextmanager
def _bar(things: str) -> Iterator[Meter]:
    elapsed, left = TextColumn("elapsed"), TextColumn("left")
    columns = (TextColumn(things), BarColumn(), MofNCompleteColumn(), elapsed, TimeElapsedColumn(), left)
    took: list[Took] = []
    with _Bar(*columns, TimeRemainingColumn(), console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(things, total=None)

        def tell(finished: int, total: int, new: Iterable[Took], more: str) -> None:
            took[:] = nlargest(LONGEST, [*took, *new], key=itemgetter(1))
            bar.below = "; ".join(filter(None, (more, longest(took))))
            bar.update(task, completed=finished, total=total)

        yield tell


class _Bar(Progress):
    """With a line below."""

    below = ""

    def get_renderables(self) -> Iterable[RenderableType]:
        """Return the bar and the line."""
        yield from super().get_renderables()
        yield Text(self.below, overflow="ellipsis", no_wrap=True)


def longest(took: Iterable[Took]) -> str:
    """What took longest, in words.

    >>> longest([("link on kink, N = 5", 3.21), ("path on kink, N = 5", 0.3)])
    'longest: link on kink, N = 5 (3.2 s)'
    """
    named = ", ".join(f"{what} ({seconds:.1f} s)" for what, seconds in took if seconds >= TOLD_SECONDS)
    return f"longest: {named}" if named else ""
