"""One run from end to end: plan, evaluate, keep the records, summarise."""

from __future__ import annotations

import hashlib
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
from verify.running.informed import Informed
from verify.running.records import Record, RunError
from verify.running.run_file import MUTANTS, RECORDS, Header
from verify.running.runner import run
from verify.running.selection import Selection, find_claim, plan
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
    progress : told about each cell that completes.
    warn : told, in one line, what does not stop the run.

    Raises
    ------
    ValueError : one line, where the run cannot begin: an unknown name, nothing to run, or a directory that is not free.
    RunError : one line, where it cannot go on.
    """
    started = time.perf_counter()
    with open_workers(jobs, scheduler) as workers:  # processes start while the run is planned
        cells = plan(selection)
        name = MUTANTS if selection.mutants else RECORDS
        header = Header.new(settings(selection))
        with Store(directory, header, name=name, resume=resume, overwrite=overwrite) as store:
            if store.torn:
                warn(f"dropped the torn last line of {store.path}")
            for line in announcements(cells, workers.slots // 2 or 1):
                warn(line)
            records = list(store.kept)
            finished = {record.job for record in records}
            statistical = _few_statistical(records)
            progress(len(finished), len(cells), records)
            for found in run([job for job in cells if job not in finished], Informed(workers), done=store.kept):
                store.append(found)
                records += found
                finished.add(found[0].job)
                statistical = _few_statistical(found, statistical)
                progress(len(finished), len(cells), found)
            place = {job: at for at, job in enumerate(cells)}
            records.sort(key=lambda record: place[record.job])  # a cell's own checks are in order
            store.replace(records)
    summary = summarise(store.header, records, time.perf_counter() - started)
    if selection.mutants:
        write_summary(directory, summary, "mutants")
    else:
        from verify.reporting.report import write_report

        write_summary(directory, summary)
        write_report(directory, summary, records)
    return summary


def settings(selection: Selection) -> dict[str, Any]:
    """Settings on which results depend, spelled in one way only, with a digest of each file that a user brought."""
    files = {spec.rpartition(":")[0] for spec in selection.problems}
    digests = {
        Path(file).name: hashlib.sha256(Path(file).expanduser().read_bytes()).hexdigest()[:16]
        for file in sorted(files)
        if file.endswith(".py")
    }
    return {
        **asdict(selection),
        "claims": sorted(map(find_claim, selection.claims)),
        "problems": sorted(selection.problems),
        "inner_steps": selection.chosen_steps,
        "problem files": digests,
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
