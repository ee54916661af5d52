"""Where work is done: in this process, in a pool of processes, or on a Dask cluster."""

from __future__ import annotations

import importlib
import logging
import multiprocessing
import os
import re
import signal
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import BrokenExecutor, Future, ProcessPoolExecutor
from contextlib import contextmanager
from functools import cache
from multiprocessing.connection import wait
from typing import Any, Protocol, TypeVar

from verify.claim import claims
from verify.running.environment import environment

Argument = TypeVar("Argument")
Result = TypeVar("Result")
_ONE_AT_A_TIME = threading.Lock()  # a Dask worker may have threads, but problems are shared within a process
CONNECT_SECONDS = 10
THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS", "BLIS_NUM_THREADS")


class Workers(Protocol):
    """Something that calls functions of modules, which must take and return what can be pickled.

    `slots` calls are worth having under way at once; a future that raises one of `lost` tells that its worker died.
    """

    slots: int
    lost: tuple[type[BaseException], ...]

    def submit(self, function: Callable[[Argument], Result], argument: Argument) -> Future[Result]:
        """Call the function; the future gets what it returns."""

    def close(self, *, kill: bool) -> None:
        """Stop; `kill` does not wait for what is under way."""


class InProcess:
    """Calls at once, in this process."""

    slots = 1
    lost: tuple[type[BaseException], ...] = ()

    def __init__(self) -> None:
        self._limit = one_thread()
        self._limit.__enter__()

    def submit(self, function: Callable[[Argument], Result], argument: Argument) -> Future[Result]:
        """Call it before returning."""
        future: Future[Result] = Future()
        try:
            future.set_result(function(argument))
        except Exception as error:
            future.set_exception(error)
        return future

    def close(self, *, kill: bool) -> None:
        """Give the process its threads back."""
        self._limit.__exit__(None, None, None)


class Pool:
    """A pool of fresh processes, which start while the caller goes on; one that breaks is replaced."""

    lost: tuple[type[BaseException], ...] = (BrokenExecutor,)

    def __init__(self, processes: int) -> None:
        self.slots = 2 * processes
        self._processes = processes
        self._others = set(multiprocessing.active_children())
        self._executor = self._start()

    def _start(self) -> ProcessPoolExecutor:
        context = multiprocessing.get_context("spawn")
        executor = ProcessPoolExecutor(self._processes, mp_context=context, initializer=_enter_worker)
        with _ctrl_c_held_back():
            for _ in range(self._processes):
                executor.submit(claims_are_loaded)
        return executor

    def submit(self, function: Callable[[Argument], Result], argument: Argument) -> Future[Result]:
        """Call in a worker; starts a new pool where the last one broke."""
        try:
            return self._executor.submit(function, argument)
        except BrokenExecutor:
            self._executor = self._start()
            return self._executor.submit(function, argument)

    def close(self, *, kill: bool) -> None:
        """Stop the workers."""
        workers = set(multiprocessing.active_children()) - self._others
        self._executor.shutdown(wait=not kill, cancel_futures=True)
        if kill:
            for worker in workers:
                worker.terminate()


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
        """Threads of all workers, each of which must have the very versions of this process."""
        try:
            self._client.wait_for_workers(1, timeout=CONNECT_SECONDS)
            found = self._client.run(environment)
        except TimeoutError as error:
            raise ValueError(f"the Dask scheduler at {address} has no workers") from error
        except Exception as error:
            raise ValueError(f"the Dask workers at {address} cannot load this package: {error}") from error
        for worker, theirs in found.items():
            for name, value in environment().items():
                if theirs[name] != value:
                    raise ValueError(f"Dask worker {worker} has {name} {theirs[name]}, this process has {value}")
        return sum(self._client.nthreads().values())

    def submit(self, function: Callable[[Argument], Result], argument: Argument) -> Future[Result]:
        """Call on the cluster."""
        return self._executor.submit(_call_on_cluster, function, argument)

    def close(self, *, kill: bool) -> None:
        """Leave the cluster, which goes on without us."""
        self._executor.shutdown(wait=not kill)
        self._client.close()


@contextmanager
def open_workers(jobs: int, scheduler: str | None = None) -> Iterator[Workers]:
    """Workers for one run: `jobs` processes (1: this one), or those of a Dask cluster.

    Raises
    ------
    ValueError : one line, where the cluster cannot be used.
    """
    workers: Workers = Cluster(scheduler) if scheduler is not None else Pool(jobs) if jobs > 1 else InProcess()
    try:
        yield workers
    except BaseException:
        workers.close(kill=True)
        raise
    workers.close(kill=False)


@contextmanager
def one_thread() -> Iterator[None]:
    """Give BLAS one thread: workers do not crowd each other, and no result depends on the number of cores.

    The environment speaks to libraries that are loaded later.
    """
    from threadpoolctl import threadpool_limits

    before = {name: os.environ.get(name) for name in THREADS}
    os.environ.update(dict.fromkeys(THREADS, "1"))
    try:
        with threadpool_limits(1):
            yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


@cache
def _one_thread_for_good() -> None:
    from threadpoolctl import threadpool_limits

    os.environ.update(dict.fromkeys(THREADS, "1"))
    threadpool_limits(1)


def _call_on_cluster(function: Callable[[Argument], Result], argument: Argument) -> Result:
    with _ONE_AT_A_TIME:
        _one_thread_for_good()
        return function(argument)


def claims_are_loaded() -> bool:
    """First task of a worker: load what every cell needs."""
    return bool(claims())


@contextmanager
def _ctrl_c_held_back() -> Iterator[None]:
    """Let Ctrl-C wait; processes started meanwhile inherit that, so none dies with a traceback before it ignores it."""
    if not hasattr(signal, "pthread_sigmask"):  # Windows
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _enter_worker() -> None:
    """Leave Ctrl-C to the parent, and end with it even where it is killed."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    _one_thread_for_good()


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        wait([parent.sentinel])
        os._exit(1)
