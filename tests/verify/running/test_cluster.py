"""A Dask cluster over loopback gives the digits of one process, and a worker that dies costs nothing else."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from verify.running.environment import environment
from verify.running.execution import InProcess, open_workers
from verify.running.provenance import Provenance, claims_code, facts
from verify.running.records import CellName, Record, RunError
from verify.running.runner import run
from verify.running.selection import Selection, plan

dask = pytest.importorskip("dask", reason="extra cluster")
distributed = pytest.importorskip("distributed", reason="extra cluster")


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    # By default Dask tries for 30 s to reach a worker that is dead.
    with (
        dask.config.set({"distributed.comm.timeouts.connect": "1s"}),
        distributed.LocalCluster(
            n_workers=2, threads_per_worker=1, dashboard_address=None, worker_dashboard_address=None
        ) as cluster,
    ):
        yield cluster.scheduler_address


def outcome(found: Iterator[list[Record]]) -> dict[CellName, list[Record]]:
    return {records[0].cell: [replace(record, seconds=0.0) for record in records] for records in found}


def test_a_cluster_gives_the_digits_of_one_process_and_survives_a_death(
    address: str, cell_of: Callable[..., CellName]
) -> None:
    cells = [cell_of(claim, N) for N in (1, 5) for claim in ("fake draws", "fake vacuous", "path", "link")]
    with open_workers(1, address) as workers:
        found = outcome(run([*cells, cell_of("fake kill once")], workers))
    assert found.pop(cell_of("fake kill once"))[0].verdict == "holds"
    assert found == outcome(run(cells, InProcess()))


def test_a_cluster_loads_the_file_of_a_users_claim(address: str, tmp_path: Path, forgotten: None) -> None:
    file = tmp_path / "bounds.py"
    file.write_text('from verify import bound\nbound("path", name="half of path", q=lambda p, j: p.q(j) / 2)\n')
    cells = plan(Selection(claims=(str(file),), problems=("saddle",), inner_steps=(1,), profile="quick"))
    with open_workers(1, address) as workers:
        found = outcome(run(cells, workers, provenance=Provenance(claims_code(str(file)))))
    assert found == outcome(run(cells, InProcess()))
    assert {record.verdict for records in found.values() for record in records} == {"holds", "violated"}


def test_workers_of_another_version_are_refused(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(environment(), "numpy", "1.0")  # the dictionary that this process has cached
    with (
        pytest.raises(ValueError, match=r"Dask worker .* has numpy .*, this process has 1\.0"),
        open_workers(1, address),
    ):
        pass


def another_code() -> None:
    environment()["code"] = "another"


def the_same_code() -> None:
    environment.cache_clear()


def test_a_worker_that_turns_up_later_with_other_code_ends_the_run_in_one_line(
    address: str, cell_of: Callable[..., CellName]
) -> None:
    """It is looked at whenever it answers, not only at the beginning."""
    cells = [cell_of("fake draws", N) for N in range(8)]
    with distributed.Client(address, set_as_default=False) as client, open_workers(1, address) as workers:
        client.run(another_code, workers=[next(iter(client.scheduler_info()["workers"]))])
        found = run(cells, workers, provenance=Provenance(facts()))
        with pytest.raises(RunError, match=r"^the code of this suite is not the same in all processes"):
            list(found)
        client.run(the_same_code)
