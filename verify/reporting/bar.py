"""A progress bar on a terminal, with a line below."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from rich.console import Console, RenderableType
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.text import Text

from verify.reporting.progress import Meter, Took, longest, the_longest


@contextmanager
def bar(things: str) -> Iterator[Meter]:
    """Show how many of some things are done, with named times; below, what else is said and what took longest."""
    elapsed, left = TextColumn("elapsed"), TextColumn("left")
    columns = (TextColumn(things), BarColumn(), MofNCompleteColumn(), elapsed, TimeElapsedColumn(), left)
    took: list[Took] = []
    with _Bar(*columns, TimeRemainingColumn(), console=Console(stderr=True), transient=True) as shown:
        task = shown.add_task(things, total=None)

        def tell(finished: int, total: int, new: Iterable[Took], more: str) -> None:
            took[:] = the_longest(took, new)
            shown.below = "; ".join(filter(None, (more, longest(took))))
            shown.update(task, completed=finished, total=total)

        yield tell


class _Bar(Progress):
    below = ""

    def get_renderables(self) -> Iterable[RenderableType]:
        """Return the bar and the line."""
        yield from super().get_renderables()
        yield Text(self.below, overflow="ellipsis", no_wrap=True)
