"""Where work is done: in this process, in processes of its own, or on a Dask cluster."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from multiprocessing import current_process
from typing import Any, Protocol, TypeVar

from verify.running.pool import UNGUARDED, Pool
from verify.running.threads import one_thread

Argument = TypeVar("Argument")
Result = TypeVar("Result")


class Workers(Protocol):
    """Something that calls functions of modules, which must take and return what can be pickled.

    `slots` calls are worth having under way at once; a future that raises one of `lost` tells that its worker died.
    """

    slots: int
    lost: tuple[type[BaseException], ...]

    def submit(self, function: Callable[[Argument], Result], argument: Argument) -> Future[Result]:
        """Call the function; the future gets what it returns."""

    def busy(self) -> list[tuple[float, Any]]:
        """Calls that are being worked on: when each began (`time.monotonic`), and its argument."""

    def close(self, *, kill: bool) -> None:
        """Stop; `kill` does not wait for what is under way."""


class InProcess:
    """Calls at once, in this process."""

    slots = 1
    lost: tuple[type[BaseException], ...] = ()

    def __init__(self) -> None:
        self._limit = one_thread()
        self._limit.__enter__()
        self._busy: list[tuple[float, Any]] = []

    def submit(self, function: Callable[[Argument], Result], argument: Argument) -> Future[Result]:
        """Call it before returning."""
        future: Future[Result] = Future()
        self._busy = [(time.monotonic(), argument)]
        try:
            future.set_result(function(argument))
        except Exception as error:
            future.set_exception(error)
        self._busy = []
        return future

    def busy(self) -> list[tuple[float, Any]]:
        """The one call."""
        return self._busy

    def close(self, *, kill: bool) -> None:
        """Give the process its threads back."""
        self._limit.__exit__(None, None, None)


@contextmanager
def open_workers(jobs: int, scheduler: str | None = None, timeout: float | None = None) -> Iterator[Workers]:
    """Workers for one run: `jobs` processes (1: this one), or those of a Dask cluster.

    Parameters
    ----------
    timeout : seconds after which a call is given up; it needs processes of our own, which can be stopped.

    Raises
    ------
    ValueError : one line, where the cluster cannot be used.
    """
    if getattr(current_process(), "_inheriting", False):  # a worker is importing the script that started it
        os._exit(UNGUARDED)
    workers = _workers(jobs, scheduler, timeout)
    try:
        yield workers
    except BaseException:
        workers.close(kill=True)
        raise
    workers.close(kill=False)


def _workers(jobs: int, scheduler: str | None, timeout: float | None) -> Workers:
    if scheduler is not None:
        from verify.running.cluster import Cluster

        return Cluster(scheduler)
    return Pool(jobs, timeout) if jobs > 1 or timeout is not None else InProcess()
