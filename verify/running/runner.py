"""The loop of a run: long cells early, lost workers made good; yields each cell's records as they come."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, CancelledError, Future, wait

from verify.running.evaluation import stamp
from verify.running.execution import Workers
from verify.running.pool import CallTimeout
from verify.running.provenance import Provenance
from verify.running.queue import Gate, Queue
from verify.running.records import CellName, Record, RunError
from verify.running.work import Done, work

MAX_DEATHS = 3


def run(
    cells: Sequence[CellName], workers: Workers, done: Iterable[Record] = (), provenance: Provenance | None = None
) -> Iterator[list[Record]]:
    """Evaluate cells; yields the records of each as it completes, in no particular order.

    Parameters
    ----------
    cells : cells to evaluate. Those of a problem wait for its audits among them.
    workers : what evaluates them. A cell whose worker dies is evaluated again, and is an error after some deaths.
    done : records of earlier cells, whose audits count.
    provenance : what is known of the code and the problems that all workers must have in common.

    Raises
    ------
    RunError : the scheduler of a cluster is gone, or a worker has other code or another problem than the others.
    """
    provenance = provenance or Provenance({})
    gate, queue = Gate(cells, done), Queue()
    under_way: dict[Future[Done], Sequence[CellName]] = {}
    again: deque[CellName] = deque()
    deaths: Counter[CellName] = Counter()

    def submit(chunk: Sequence[CellName]) -> None:
        under_way[workers.submit(work, chunk)] = chunk

    def admit(candidates: Iterable[CellName]) -> list[list[Record]]:
        ready, blocked = gate.admit(candidates)
        queue.add(ready)
        return blocked

    yield from admit(cells)
    while queue or again or under_way:
        while (queue or again) and len(under_way) < workers.slots:
            # Which of several cells killed a worker cannot be told: each is tried again, alone.
            submit([again.popleft()] if again else queue.take())
        for future in wait(under_way, return_when=FIRST_COMPLETED).done:
            chunk = under_way.pop(future)
            try:
                results, before, after = future.result()
                provenance.require(before)
                provenance.require(after)
            except workers.lost as error:
                deaths.update(chunk)
                fatal = [cell for cell in chunk if _is_fatal(error, len(chunk), deaths[cell])]
                again.extend(cell for cell in chunk if cell not in fatal)
                chunk, results = fatal, [_fatal(cell, error) for cell in fatal]
            except CancelledError as error:
                lost = "the connection to the Dask scheduler is lost; finished checks are kept: go on with --resume"
                raise RunError(lost) from error
            for cell, records in zip(chunk, results, strict=True):
                queue.learn(cell, sum(record.seconds for record in records))
                yield records
                yield from admit(gate.learn(cell, records))


def _is_fatal(error: BaseException, together: int, deaths: int) -> bool:
    """Whether a cell is given up: it took too long alone, or it was there whenever a worker died."""
    return together == 1 if isinstance(error, CallTimeout) else deaths >= MAX_DEATHS


def _fatal(cell: CellName, error: BaseException) -> list[Record]:
    note = f"its worker process died {MAX_DEATHS} times (out of memory, or a crash in compiled code)"
    if isinstance(error, CallTimeout):
        note = f"it took longer than {error.seconds:g} s (--cell-timeout)"
    return stamp(cell, [{"verdict": "error", "note": note}])
