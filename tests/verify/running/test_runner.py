from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import BrokenExecutor, Future, wait
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeAlias

import pytest

from verify.running.evaluation import Results, evaluate_all
from verify.running.execution import InProcess, Workers, open_workers
from verify.running.records import Job, Record, RunError
from verify.running.runner import MAX_DEATHS, run

MakeJob = Callable[..., Job]
Chunks: TypeAlias = list[tuple[Sequence[Job], Future[Results]]]
AUDIT = "constants of fakes"


def by_cell(found: Iterable[list[Record]]) -> dict[Job, list[Record]]:
    return {records[0].job: [replace(record, seconds=0.0, traceback="") for record in records] for records in found}


class Mortal:
    """Workers that run `slots` chunks at a time and die, all together, in the cells that `kills` names."""

    slots = 3
    lost: tuple[type[BaseException], ...] = (BrokenExecutor,)

    def __init__(self, kills: Callable[[Job], bool], monkeypatch: pytest.MonkeyPatch) -> None:
        self.kills = kills
        self.under_way: list[tuple[Sequence[Job], Future[Results]]] = []
        self.submitted: list[Job] = []
        self.rounds: list[list[Job]] = []
        monkeypatch.setattr("verify.running.runner.wait", self.wait)

    def submit(self, function: Callable[[Any], Any], chunk: Any) -> Future[Any]:
        assert function is evaluate_all
        future: Future[Results] = Future()
        self.submitted += chunk
        self.under_way.append((chunk, future))
        return future

    def wait(self, futures: Iterable[Future[Results]], return_when: str) -> Any:
        """Time passes only where the runner waits."""
        self.rounds.append([job for chunk, _ in self.under_way for job in chunk])
        self.finish(self.under_way)
        self.under_way = []
        return wait(futures, return_when=return_when)

    def finish(self, chunks: Chunks) -> None:
        dead = [job for chunk, _ in chunks for job in chunk if self.kills(job)]
        for chunk, future in chunks:
            if dead:
                future.set_exception(BrokenExecutor())
            else:
                future.set_result(evaluate_all(chunk))

    def close(self, *, kill: bool) -> None:
        raise NotImplementedError


def test_every_cell_comes_once(job: MakeJob) -> None:
    jobs = [job(claim, N) for claim in ("fake draws", "fake error", "fake vacuous") for N in (1, 2, 5)]
    found = list(run(jobs, InProcess()))
    assert sorted(map(str, by_cell(found))) == sorted(map(str, jobs))
    assert all(len(records) == records[0].checks for records in found)


def test_a_lost_worker_costs_its_cells_only_and_they_are_run_again(
    job: MakeJob, monkeypatch: pytest.MonkeyPatch
) -> None:
    jobs = [job("fake draws", N) for N in range(6)]
    deaths = {jobs[2]: 1}

    def kills(cell: Job) -> bool:
        deaths[cell] = deaths.get(cell, 0) - 1
        return deaths[cell] >= 0

    alone = by_cell(run(jobs, InProcess()))
    assert by_cell(run(jobs, Mortal(kills, monkeypatch))) == alone


def test_a_cell_that_always_kills_its_worker_is_an_error_and_harms_no_other(
    job: MakeJob, monkeypatch: pytest.MonkeyPatch
) -> None:
    jobs = [job("fake draws", N) for N in range(6)]
    expected = by_cell(run(jobs, InProcess()))
    workers = Mortal(lambda cell: cell == jobs[3], monkeypatch)
    found = by_cell(run(jobs, workers))
    (fatal,) = found.pop(jobs[3])
    del expected[jobs[3]]
    assert found == expected
    assert (fatal.verdict, fatal.checks) == ("error", 1)
    assert f"died {MAX_DEATHS} times" in fatal.note
    assert workers.submitted.count(jobs[3]) == MAX_DEATHS


def test_suspects_are_tried_again_alone_while_others_wait(job: MakeJob, monkeypatch: pytest.MonkeyPatch) -> None:
    jobs = [replace(job("fake draws"), seed=seed) for seed in range(12)]
    workers = Mortal(lambda cell: cell == jobs[-1], monkeypatch)
    found = by_cell(run(jobs, workers))
    suspects, *later = workers.rounds
    assert jobs[-1] in suspects
    assert len(suspects) == workers.slots
    assert all(len(cells) == 1 for cells in later if not set(cells).isdisjoint(suspects))
    assert [cell for cell in jobs if found[cell][0].verdict == "error"] == [jobs[-1]]


def test_a_lost_scheduler_ends_the_run_in_one_line(job: MakeJob, monkeypatch: pytest.MonkeyPatch) -> None:
    class Gone(Mortal):
        def finish(self, chunks: Chunks) -> None:
            for _, future in chunks:
                future.cancel()
                future.set_running_or_notify_cancel()

    with pytest.raises(RunError, match="the connection to the Dask scheduler is lost"):
        list(run([job("fake draws", N) for N in range(3)], Gone(lambda cell: False, monkeypatch)))


def test_claims_about_a_problem_with_a_wrong_constant_are_not_run(job: MakeJob, fakes: str) -> None:
    Path(fakes).with_name("wrong").touch()
    other = replace(job("fake violated"), problem="other")
    found = by_cell(run([job("fake violated"), job(AUDIT), job("fake draws"), other], InProcess()))
    assert found[job(AUDIT)][0].verdict == "violated"
    for claim in ("fake violated", "fake draws"):
        (record,) = found[job(claim)]
        assert (record.verdict, record.note) == ("inapplicable", "the audit refuted the constant rho")
    assert found[other][0].verdict == "violated"


def test_an_audit_of_an_earlier_run_counts(job: MakeJob, fakes: str) -> None:
    Path(fakes).with_name("wrong").touch()
    (audit,) = run([job(AUDIT)], InProcess())
    (records,) = run([job("fake draws")], InProcess(), done=audit)
    assert records[0].verdict == "inapplicable"


def outcome(jobs: Sequence[Job], workers: Workers) -> dict[Job, list[Record]]:
    return by_cell(run(jobs, workers))


def test_processes_give_the_digits_of_one_process_and_survive_a_death(job: MakeJob) -> None:
    jobs = [job(claim, N) for N in (1, 5) for claim in ("fake draws", "fake error", "path", "link")]
    with open_workers(1) as workers:
        alone = outcome(jobs, workers)
    with open_workers(2) as workers:
        together = outcome([*jobs, job("fake kill once")], workers)
    assert together.pop(job("fake kill once"))[0].verdict == "holds"
    assert together == alone
