"""Processes of our own: each does one call at a time, and one that dies or takes too long is replaced."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from multiprocessing import resource_tracker
from multiprocessing.connection import Connection, wait
from multiprocessing.reduction import ForkingPickler
from queue import SimpleQueue
from typing import Any, TypeVar

from verify.running.records import RunError
from verify.running.threads import one_thread_for_good

Argument = TypeVar("Argument")
Result = TypeVar("Result")

UNGUARDED = 77
"""Exit code of a worker that finds itself starting the run again, because the script that it imports does."""
READY = "ready"
LEAVE_SECONDS = 5


class WorkerDied(Exception):
    """The process that did this call is gone."""


class CallTimeout(WorkerDied):
    """The call took longer than `seconds`, and its process was stopped."""

    def __init__(self, seconds: float) -> None:
        super().__init__(seconds)
        self.seconds = seconds


class Worker:
    """One process, spawned afresh, which does what it is told over a pipe."""

    def __init__(self) -> None:
        context = multiprocessing.get_context("spawn")
        self._pipe, theirs = context.Pipe()
        self._process = context.Process(target=_serve, args=(theirs,), daemon=True)
        with _ctrl_c_held_back():
            self._process.start()
        theirs.close()
        self._started = False

    def call(self, function: Callable[[Any], Any], argument: Any, timeout: float | None) -> Any:
        """Do a call there; raises what it raises, or WorkerDied."""
        if not self._started:
            self._receive(None)
            self._started = True
        with suppress(OSError):  # a process that is gone is found out below
            self._pipe.send((function, argument))
        done, answer = self._receive(timeout)
        if done:
            return answer
        raise answer

    def _receive(self, timeout: float | None) -> Any:
        ready = wait([self._pipe, self._process.sentinel], timeout)
        if not ready and timeout is not None:
            self.stop()
            raise CallTimeout(timeout)
        if self._pipe in ready:
            with suppress(EOFError, OSError):
                return self._pipe.recv()
        self._process.join()
        if self._started:
            raise WorkerDied
        if self._process.exitcode == UNGUARDED:
            raise SystemExit(
                "error: worker processes import this script, which starts them again: write "
                '`if __name__ == "__main__":` above what it does, or jobs=1'
            )
        raise RunError(f"a worker process could not start (exit code {self._process.exitcode})")

    def stop(self) -> None:
        """End the process, whatever it does."""
        self._process.kill()
        self._process.join()

    def leave(self) -> None:
        """Let the process end by itself, if it does so soon: a user's code may hold it."""
        self._pipe.close()
        self._process.join(LEAVE_SECONDS)
        self.stop()


class Pool:
    """A fixed number of workers, which start while the caller goes on."""

    lost: tuple[type[BaseException], ...] = (WorkerDied,)

    def __init__(self, processes: int, timeout: float | None = None) -> None:
        self.slots = 2 * processes
        self._timeout = timeout
        self._workers = [Worker() for _ in range(processes)]
        self._idle: SimpleQueue[int] = SimpleQueue()
        for at in range(processes):
            self._idle.put(at)
        self._threads = ThreadPoolExecutor(processes)
        self._busy: dict[int, tuple[float, Any]] = {}
        self._closed = False

    def submit(self, function: Callable[[Argument], Result], argument: Argument) -> Future[Result]:
        """Call in a worker, as soon as one is idle."""
        return self._threads.submit(self._call, function, argument)

    def _call(self, function: Callable[[Argument], Result], argument: Argument) -> Result:
        at = self._idle.get()
        self._busy[at] = time.monotonic(), argument
        try:
            return self._workers[at].call(function, argument, self._timeout)
        except WorkerDied:
            if not self._closed:
                self._workers[at] = Worker()
            raise
        finally:
            del self._busy[at]
            self._idle.put(at)

    def busy(self) -> list[tuple[float, Any]]:
        """Calls that a process is working on."""
        return list(self._busy.values())

    def close(self, *, kill: bool) -> None:
        """Stop the workers."""
        self._closed = kill
        if kill:
            for worker in self._workers:
                worker.stop()
        self._threads.shutdown(wait=True, cancel_futures=kill)
        for worker in self._workers:
            worker.leave()


def _serve(pipe: Connection) -> None:
    """Do what comes over the pipe until it closes, with what every call needs already loaded."""
    from verify.claim import claims

    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the parent
    threading.Thread(target=_end_with_parent, args=(os._exit,), daemon=True).start()
    one_thread_for_good()
    claims()
    with suppress(EOFError, OSError):
        pipe.send(READY)
        while True:
            function, argument = pipe.recv()
            pipe.send_bytes(_answer(function, argument))


def _answer(function: Callable[[Any], Any], argument: Any) -> Any:
    """Whether the call succeeded, and what it returned or raised, pickled."""
    try:
        return ForkingPickler.dumps((True, function(argument)))
    except Exception as error:
        error.add_note("".join(traceback.format_exception(error)))
        return ForkingPickler.dumps((False, error))


def _end_with_parent(leave: Callable[[int], None]) -> None:
    """End with the parent even where it is killed; `leave` is kept from what a user's code does to `os`."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        wait([parent.sentinel])
        leave(1)


@contextmanager
def _ctrl_c_held_back() -> Iterator[None]:
    """Let Ctrl-C wait; processes started meanwhile inherit that, so none dies with a traceback before it ignores it."""
    if not hasattr(signal, "pthread_sigmask"):  # Windows
        yield
        return
    resource_tracker.ensure_running()  # starting with the first process, it would let Ctrl-C through again
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
