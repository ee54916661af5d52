"""From figures to their data: all parts of all figures in the same workers, long ones first."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, CancelledError, Future, wait

from figures.figure import Figure, compute_part
from figures.table import Row, Table
from verify.reporting.progress import Meter
from verify.running.execution import Workers
from verify.running.records import RunError


def generate(
    figures: Sequence[Figure], seed: int, workers: Workers, tell: Meter = lambda finished, total, took, more: None
) -> Iterator[tuple[Figure, Table]]:
    """Compute figures; yields each with its data as soon as the last of its parts is there.

    Neither the workers nor the order in which they finish have an influence on the data.

    Parameters
    ----------
    tell : told about each part that completes.

    Raises
    ------
    RunError : a worker died, or the scheduler of a cluster is gone.
    """
    places = [(figure, at) for figure in figures for at in range(len(figure.parts))]
    waiting = deque(sorted(places, key=lambda place: -place[0].cost(place[0].parts[place[1]])))
    finished = 0
    under_way: dict[Future[list[Row]], tuple[Figure, int, float]] = {}
    lost: tuple[type[BaseException], ...] = (*workers.lost, CancelledError)
    found: dict[str, dict[int, list[Row]]] = {figure.name: {} for figure in figures}
    while waiting or under_way:
        while waiting and len(under_way) < workers.slots:
            figure, at = waiting.popleft()
            began = time.monotonic()
            under_way[workers.submit(compute_part, (figure.name, figure.parts[at], seed))] = figure, at, began
        for future in wait(under_way, return_when=FIRST_COMPLETED).done:
            figure, at, began = under_way.pop(future)
            rows = found[figure.name]
            try:
                rows[at] = future.result()
            except lost as error:
                raise RunError(f"a worker was lost while it computed figure {figure.name}") from error
            finished += 1
            tell(finished, len(places), [(_shown(figure, at), time.monotonic() - began)], "")
            if len(rows) == len(figure.parts):
                yield figure, Table(row for _, part in sorted(rows.items()) for row in part)


def _shown(figure: Figure, at: int) -> str:
    return f"{figure.name}, " + ", ".join(f"{name} = {value}" for name, value in figure.parts[at].items())
