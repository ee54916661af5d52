from __future__ import annotations

import multiprocessing
import os
import signal
import sys
import time
from functools import partial

import numpy as np
import pytest
from threadpoolctl import threadpool_info

from verify.running.cluster import Cluster
from verify.running.execution import open_workers
from verify.running.threads import THREADS, one_thread


def test_blas_has_one_thread_for_a_while_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(THREADS[0], "2")
    monkeypatch.delenv(THREADS[1], raising=False)
    np.ones((2, 2)) @ np.ones((2, 2))
    before = [library["num_threads"] for library in threadpool_info()]
    with one_thread():
        assert {library["num_threads"] for library in threadpool_info()} <= {1}
        assert {os.environ[name] for name in THREADS} == {"1"}
    assert [library["num_threads"] for library in threadpool_info()] == before
    assert os.environ[THREADS[0]] == "2"
    assert THREADS[1] not in os.environ


def test_a_run_that_fails_leaves_no_process_behind() -> None:
    before = set(multiprocessing.active_children())

    def fail() -> None:
        with open_workers(2) as workers:
            assert set(multiprocessing.active_children()) > before
            workers.submit(time.sleep, 40.0)
            while not workers.busy():
                time.sleep(0.01)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fail()
    for _ in range(3000):  # a thread of the pool may be the one that learns of the end
        if set(multiprocessing.active_children()) <= before:
            break
        time.sleep(0.01)
    assert set(multiprocessing.active_children()) <= before


@pytest.mark.skipif(sys.platform == "win32", reason="signal masks are POSIX")
def test_workers_start_with_ctrl_c_held_back() -> None:
    with open_workers(2) as workers:
        held_back = workers.submit(partial(signal.pthread_sigmask, signal.SIG_BLOCK), ()).result()
    assert signal.SIGINT in held_back
    assert signal.SIGINT not in signal.pthread_sigmask(signal.SIG_BLOCK, ())


@pytest.mark.parametrize(
    ("address", "message"),
    [
        ("", "is not an address like tcp://host:8786"),
        ("host", "is not an address like"),
        ("inproc://host:1", "is not an address like"),
        ("tcp://127.0.0.1:1", "cannot reach a Dask scheduler at tcp://127.0.0.1:1"),
    ],
)
def test_a_bad_scheduler_is_one_clear_line(address: str, message: str, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("distributed", reason="extra cluster")
    monkeypatch.setattr("verify.running.cluster.CONNECT_SECONDS", 0.2)
    with pytest.raises(ValueError, match=message):
        Cluster(address)


def test_without_distributed_the_line_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "distributed", None)
    with pytest.raises(ValueError, match=r"--scheduler needs the package distributed: .* install .*\[cluster\]"):
        Cluster("tcp://127.0.0.1:8786")
