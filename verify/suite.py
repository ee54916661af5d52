"""One run from end to end: plan, evaluate, keep the records, summarise."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, TypeAlias

from verify.reporting.ledger import Summary, summarise
from verify.reporting.summary_files import write_summary
from verify.running.cost import announcements
from verify.running.evaluation import MAX_STATISTICAL
from verify.running.execution import open_workers
from verify.running.heartbeat import heartbeat
from verify.running.informed import Informed
from verify.running.provenance import Facts, Provenance, claims_code, fingerprint, user_code
from verify.running.records import MUTANTS, RECORDS, CellName, Header, Record, RunError
from verify.running.runner import run
from verify.running.selection import Selection, find_claims, plan
from verify.running.spec import Spec
from verify.running.store import Store

logger = logging.getLogger("verify")
Progress: TypeAlias = Callable[[int, int, Sequence[Record]], None]
"""Called with the number of finished cells, of all cells, and the records that have just come."""


def verify(
    selection: Selection,
    directory: Path,
    *,
    jobs: int = 1,
    scheduler: str | None = None,
    cell_timeout: float | None = None,
    resume: bool = False,
    overwrite: bool = False,
    progress: Progress = lambda finished, total, records: None,
    warn: Callable[[str], None] = logger.warning,
) -> Summary:
    """Run what is selected and write records, summary and report to `directory`.

    Parameters
    ----------
    selection : what is verified.
    directory : of the results; see `Store` for `resume` and `overwrite`.
    jobs, scheduler : number of processes, or address of a Dask scheduler. Neither has an influence on the results.
    cell_timeout : seconds after which a cell is given up, an error; none where None. It needs processes of our own.
    progress : told about each cell that completes.
    warn : told, in one line, what does not stop the run: a torn record, and every half minute what takes so long.

    Raises
    ------
    ValueError : one line, where the run cannot begin: an unknown name, nothing to run, or a directory that is not free.
    RunError : one line, where it cannot go on.
    SystemExit : one line, where `jobs` is larger than 1 in a script that does so without `if __name__ == "__main__":`.
    """
    started = time.perf_counter()
    if scheduler is not None and cell_timeout is not None:
        raise ValueError("cell_timeout needs processes of this run: it cannot be given with a scheduler")
    name = MUTANTS if selection.mutants else RECORDS
    with (
        open_workers(jobs, scheduler, cell_timeout) as workers,  # processes start while the run is planned
        Store(directory, name, resume=resume, overwrite=overwrite, warn=warn) as store,
    ):
        with heartbeat(_planning(time.monotonic()), warn):
            cells = plan(selection)
            known = _brought(selection)
        store.begin(Header.new(settings(selection, known)), cells)
        records = list(store.kept)
        finished = {record.cell for record in records}
        statistical = _few_statistical(records)
        progress(len(finished), len(cells), records)
        waiting = [cell for cell in cells if cell not in finished]
        informed = Informed(workers)
        with heartbeat(_planning(time.monotonic()), warn):
            for line in announcements(waiting, informed):
                warn(line)
        with heartbeat(lambda: [(began, _shown(chunk)) for began, chunk in informed.busy()], warn):
            for found in run(waiting, informed, done=store.kept, provenance=Provenance(known)):
                store.append(found)
                records += found
                finished.add(found[0].cell)
                statistical = _few_statistical(found, statistical)
                progress(len(finished), len(cells), found)
        place = {cell: at for at, cell in enumerate(cells)}
        records.sort(key=lambda record: place[record.cell])  # a cell's own checks are in order
        store.end(records)
        summary = summarise(store.header, records, time.perf_counter() - started)
        if selection.mutants:
            write_summary(directory, summary, "mutants")
        else:
            from verify.reporting.report import write_report

            write_summary(directory, summary)
            write_report(directory, summary, records)
    return summary


def _brought(selection: Selection) -> Facts:
    """What is known of the code of a user; raises ValueError where two of their files have the same name."""
    known: Facts = {}
    for specs, code in ((selection.problems, user_code), (selection.claims, claims_code)):
        for spec in specs:
            for (kind, name), fact in code(spec).items() if Spec.parse(spec).place else ():
                if known.setdefault((kind, name), fact) != fact and kind == "file":
                    raise ValueError(f"two different files are called {name}: they need two runs")
    return known


def _planning(began: float) -> Callable[[], list[tuple[float, str]]]:
    return lambda: [(began, "the problems are being built and tried")]


def _shown(chunk: Sequence[CellName]) -> str:
    cell = chunk[0]
    return f"{cell.claim} on {cell.problem}, N = {cell.N}, {cell.rule}"


def settings(selection: Selection, code: Facts) -> dict[str, Any]:
    """Settings on which results depend, spelled in one way only, with what is known of the code of a user."""
    return {
        **asdict(selection),
        "claims": sorted({name for spec in selection.claims for name in find_claims(spec)}),
        "problems": sorted(selection.problems),
        "inner_steps": selection.chosen_steps,
        "user code": {f"{kind} {name}": fingerprint(fact) for (kind, name), fact in code.items()},
    }


def _few_statistical(records: Sequence[Record], before: int = 0) -> int:
    """Number of statistical checks with those `before`; raises RunError where they are too many."""
    count = before + sum(record.lower is not None or record.upper is not None for record in records)
    if count > MAX_STATISTICAL:
        raise RunError(
            f"more than {MAX_STATISTICAL} statistical checks: the chance that a correct bound is called violated "
            "would exceed 1e-6; select fewer claims, problems or inner steps"
        )
    return count
