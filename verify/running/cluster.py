"""Workers of a Dask cluster."""

from __future__ import annotations

import importlib
import logging
import re
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any, TypeVar

from verify.running.environment import environment
from verify.running.threads import one_thread_for_good

Argument = TypeVar("Argument")
Result = TypeVar("Result")

CONNECT_SECONDS = 10
_ONE_AT_A_TIME = threading.Lock()  # a Dask worker may have threads, but problems are shared within a process


class Cluster:
    """Workers of a Dask cluster; its scheduler runs again what a lost worker had, and gives up after some deaths."""

    def __init__(self, address: str) -> None:
        if not re.fullmatch(r"((tcp|tls|ucx|wss?)://)?[^\s/]+:\d{1,5}", address):
            raise ValueError(f"scheduler = {address!r} is not an address like tcp://host:8786")
        try:
            distributed: Any = importlib.import_module("distributed")
        except ImportError as error:
            install = "python -m pip install 'maml-theory-verification[cluster]'"
            raise ValueError(f"--scheduler needs the package distributed: {install}") from error
        for logger in ("distributed", "distributed.client"):  # what is wrong is told in one line, not in its log
            logging.getLogger(logger).setLevel(logging.CRITICAL)
        self.lost: tuple[type[BaseException], ...] = (distributed.KilledWorker,)
        self._busy: dict[Future[Any], tuple[float, Any]] = {}
        try:
            self._client = distributed.Client(address, timeout=CONNECT_SECONDS, set_as_default=False)
        except (OSError, ValueError, TypeError, ImportError) as error:
            raise ValueError(f"cannot reach a Dask scheduler at {address}") from error
        try:
            self.slots = 2 * self._threads(address)
            self._executor = self._client.get_executor(pure=False)
        except BaseException:
            self._client.close()
            raise

    def _threads(self, address: str) -> int:
        """Threads of all workers, each of which must have the very code and versions of this process."""
        try:
            self._client.wait_for_workers(1, timeout=CONNECT_SECONDS)
            found = self._client.run(environment)
        except TimeoutError as error:
            raise ValueError(f"the Dask scheduler at {address} has no workers") from error
        except Exception as error:
            raise ValueError(f"the Dask workers at {address} cannot load this package: {error}") from error
        for worker, theirs in found.items():
            for name, value in environment().items():
                if theirs.get(name) != value:
                    raise ValueError(f"Dask worker {worker} has {name} {theirs.get(name)}, this process has {value}")
        return sum(self._client.nthreads().values())

    def submit(self, function: Callable[[Argument], Result], argument: Argument) -> Future[Result]:
        """Call on the cluster."""
        future: Future[Result] = self._executor.submit(_call, function, argument)
        self._busy[future] = time.monotonic(), argument
        future.add_done_callback(lambda done: self._busy.pop(done))
        return future

    def busy(self) -> list[tuple[float, Any]]:
        """Calls that the cluster has not answered."""
        return list(self._busy.values())

    def close(self, *, kill: bool) -> None:
        """Leave the cluster, which goes on without us."""
        self._executor.shutdown(wait=not kill)
        self._client.close()


def _call(function: Callable[[Argument], Result], argument: Argument) -> Result:
    with _ONE_AT_A_TIME:
        one_thread_for_good()
        return function(argument)
