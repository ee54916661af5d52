"""The loop of a run: long cells early, lost workers made good; yields each cell's records as they come."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, CancelledError, Future, wait

from verify.running.evaluation import Results, evaluate_all, stamp
from verify.running.execution import Workers
from verify.running.queue import Gate, Queue
from verify.running.records import CellName, Record, RunError

MAX_DEATHS = 3


def run(cells: Sequence[CellName], workers: Workers, done: Iterable[Record] = ()) -> Iterator[list[Record]]:
    """Evaluate cells; yields the records of each as it completes, in no particular order.

    Parameters
    ----------
    cells : cells to evaluate. Those of a problem wait for its audits among them.
    workers : what evaluates them. A cell whose worker dies is evaluated again, and is an error after some deaths.
    done : records of earlier cells, whose audits count.

    Raises
    ------
    RunError : the scheduler of a cluster is gone.
    """
    gate, queue = Gate(cells, done), Queue()
    under_way: dict[Future[Results], Sequence[CellName]] = {}
    suspects: deque[CellName] = deque()
    deaths: Counter[CellName] = Counter()

    def submit(chunk: Sequence[CellName]) -> None:
        under_way[workers.submit(evaluate_all, chunk)] = chunk

    def admit(candidates: Iterable[CellName]) -> list[list[Record]]:
        ready, blocked = gate.admit(candidates)
        queue.add(ready)
        return blocked

    yield from admit(cells)
    while queue or suspects or under_way:
        # Which of several cells killed a worker cannot be told: each suspect is tried again, alone.
        if suspects:
            if not under_way:
                submit([suspects.popleft()])
        else:
            while queue and len(under_way) < workers.slots:
                submit(queue.take())
        for future in wait(under_way, return_when=FIRST_COMPLETED).done:
            chunk = under_way.pop(future)
            try:
                results = future.result()
            except workers.lost:
                deaths.update(chunk)
                suspects.extend(cell for cell in chunk if deaths[cell] < MAX_DEATHS)
                chunk = [cell for cell in chunk if deaths[cell] >= MAX_DEATHS]
                results = [_fatal(cell) for cell in chunk]
            except CancelledError as error:
                lost = "the connection to the Dask scheduler is lost; finished checks are kept: go on with --resume"
                raise RunError(lost) from error
            for cell, records in zip(chunk, results, strict=True):
                queue.learn(cell, sum(record.seconds for record in records))
                yield records
                yield from admit(gate.learn(cell, records))


def _fatal(cell: CellName) -> list[Record]:
    note = f"its worker process died {MAX_DEATHS} times (out of memory, or a crash in compiled code)"
    return stamp(cell, [{"verdict": "error", "note": note}])
