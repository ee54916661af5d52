from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future, wait
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeAlias

import pytest

from verify.running.execution import InProcess, Workers, open_workers
from verify.running.pool import CallTimeout, WorkerDied
from verify.running.records import CellName, Record, RunError
from verify.running.runner import MAX_DEATHS, run
from verify.running.work import Done, work

CellOf = Callable[..., CellName]
Chunks: TypeAlias = list[tuple[Sequence[CellName], Future[Done]]]
AUDIT = "constants of fakes"


def by_cell(found: Iterable[list[Record]]) -> dict[CellName, list[Record]]:
    return {records[0].cell: [replace(record, seconds=0.0, traceback="") for record in records] for records in found}


class Mortal:
    """Workers that run `slots` chunks at a time; one dies in the cells that `kills` names, of `death`."""

    slots = 3
    lost: tuple[type[BaseException], ...] = (WorkerDied,)

    death: WorkerDied = WorkerDied()

    def __init__(self, kills: Callable[[CellName], bool], monkeypatch: pytest.MonkeyPatch) -> None:
        self.kills = kills
        self.under_way: list[tuple[Sequence[CellName], Future[Done]]] = []
        self.submitted: list[CellName] = []
        self.chunks: list[list[CellName]] = []
        monkeypatch.setattr("verify.running.runner.wait", self.wait)

    def submit(self, function: Callable[[Any], Any], chunk: Any) -> Future[Any]:
        assert function is work
        future: Future[Done] = Future()
        self.submitted += chunk
        self.chunks.append(list(chunk))
        self.under_way.append((chunk, future))
        return future

    def wait(self, futures: Iterable[Future[Done]], return_when: str) -> Any:
        """Time passes only where the runner waits."""
        self.finish(self.under_way)
        self.under_way = []
        return wait(futures, return_when=return_when)

    def finish(self, chunks: Chunks) -> None:
        for chunk, future in chunks:
            if sum(map(self.kills, chunk)):
                future.set_exception(self.death)
            else:
                future.set_result(work(chunk))

    def busy(self) -> list[tuple[float, Any]]:
        return []

    def close(self, *, kill: bool) -> None:
        raise NotImplementedError


def test_every_cell_comes_once(cell_of: CellOf) -> None:
    cells = [cell_of(claim, N) for claim in ("fake draws", "fake error", "fake vacuous") for N in (1, 2, 5)]
    found = list(run(cells, InProcess()))
    assert sorted(map(str, by_cell(found))) == sorted(map(str, cells))
    assert all(len(records) == records[0].checks for records in found)


def test_a_lost_worker_costs_its_cells_only_and_they_are_run_again(
    cell_of: CellOf, monkeypatch: pytest.MonkeyPatch
) -> None:
    cells = [cell_of("fake draws", N) for N in range(6)]
    deaths = {cells[2]: 1}

    def kills(cell: CellName) -> bool:
        deaths[cell] = deaths.get(cell, 0) - 1
        return deaths[cell] >= 0

    alone = by_cell(run(cells, InProcess()))
    assert by_cell(run(cells, Mortal(kills, monkeypatch))) == alone


def test_a_cell_that_always_kills_its_worker_is_an_error_and_harms_no_other(
    cell_of: CellOf, monkeypatch: pytest.MonkeyPatch
) -> None:
    cells = [cell_of("fake draws", N) for N in range(6)]
    expected = by_cell(run(cells, InProcess()))
    workers = Mortal(lambda cell: cell == cells[3], monkeypatch)
    found = by_cell(run(cells, workers))
    (fatal,) = found.pop(cells[3])
    del expected[cells[3]]
    assert found == expected
    assert (fatal.verdict, fatal.checks) == ("error", 1)
    assert f"died {MAX_DEATHS} times" in fatal.note
    assert workers.submitted.count(cells[3]) == MAX_DEATHS


def test_cells_that_were_together_when_their_worker_died_are_tried_again_alone(
    cell_of: CellOf, monkeypatch: pytest.MonkeyPatch
) -> None:
    cells = [replace(cell_of("fake draws"), seed=seed) for seed in range(12)]
    workers = Mortal(lambda cell: cell == cells[-1], monkeypatch)
    found = by_cell(run(cells, workers))
    (together,) = [chunk for chunk in workers.chunks if cells[-1] in chunk and len(chunk) > 1] or [cells[-1:]]
    assert [cell for cell in cells if found[cell][0].verdict == "error"] == [cells[-1]]
    assert all(workers.chunks.count([cell]) == 1 for cell in together if cell != cells[-1])


def test_a_cell_that_takes_too_long_is_an_error_at_once_and_the_run_goes_on(
    cell_of: CellOf, monkeypatch: pytest.MonkeyPatch
) -> None:
    cells = [cell_of("fake draws", N) for N in range(6)]
    workers = Mortal(lambda cell: cell == cells[3], monkeypatch)
    workers.death = CallTimeout(7.5)
    found = by_cell(run(cells, workers))
    assert [cell for cell in cells if found[cell][0].verdict == "error"] == [cells[3]]
    assert found[cells[3]][0].note == "it took longer than 7.5 s (--cell-timeout)"
    assert workers.submitted.count(cells[3]) <= 2


def test_a_worker_with_other_code_ends_the_run_and_what_it_found_is_not_taken(
    cell_of: CellOf, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Other(Mortal):
        def finish(self, chunks: Chunks) -> None:
            for chunk, future in chunks:
                done = work(chunk)
                code = "another" if cells[-1] in chunk else done.after["code"]
                future.set_result(done._replace(after={**done.after, "code": code}))

    cells = [cell_of("fake draws", N) for N in range(6)]
    found: list[CellName] = []
    with pytest.raises(RunError, match="the code of this suite is not the same in all processes"):
        found.extend(records[0].cell for records in run(cells, Other(lambda cell: False, monkeypatch)))
    assert cells[-1] not in found


def test_a_lost_scheduler_ends_the_run_in_one_line(cell_of: CellOf, monkeypatch: pytest.MonkeyPatch) -> None:
    class Gone(Mortal):
        def finish(self, chunks: Chunks) -> None:
            for _, future in chunks:
                future.cancel()
                future.set_running_or_notify_cancel()

    with pytest.raises(RunError, match="the connection to the Dask scheduler is lost"):
        list(run([cell_of("fake draws", N) for N in range(3)], Gone(lambda cell: False, monkeypatch)))


def test_claims_about_a_problem_with_a_wrong_constant_are_not_run(cell_of: CellOf, fakes: str) -> None:
    Path(fakes).with_name("wrong").touch()
    other = replace(cell_of("fake violated"), problem="other")
    found = by_cell(run([cell_of("fake violated"), cell_of(AUDIT), cell_of("fake draws"), other], InProcess()))
    assert found[cell_of(AUDIT)][0].verdict == "violated"
    for claim in ("fake violated", "fake draws"):
        (record,) = found[cell_of(claim)]
        assert (record.verdict, record.note) == ("inapplicable", "the audit refuted the constant rho")
    assert found[other][0].verdict == "violated"


def test_an_audit_of_an_earlier_run_counts(cell_of: CellOf, fakes: str) -> None:
    Path(fakes).with_name("wrong").touch()
    (audit,) = run([cell_of(AUDIT)], InProcess())
    (records,) = run([cell_of("fake draws")], InProcess(), done=audit)
    assert records[0].verdict == "inapplicable"


def outcome(cells: Sequence[CellName], workers: Workers) -> dict[CellName, list[Record]]:
    return by_cell(run(cells, workers))


def test_processes_give_the_digits_of_one_process_and_survive_a_death(cell_of: CellOf) -> None:
    cells = [cell_of(claim, N) for N in (1, 5) for claim in ("fake draws", "fake error", "path", "link")]
    with open_workers(1) as workers:
        alone = outcome(cells, workers)
    with open_workers(2) as workers:
        together = outcome([*cells, cell_of("fake kill once")], workers)
    assert together.pop(cell_of("fake kill once"))[0].verdict == "holds"
    assert together == alone
