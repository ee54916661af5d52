"""Processes that die, take too long, cannot start, or answer what cannot be sent."""

from __future__ import annotations

import multiprocessing
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from verify.running.execution import Workers, open_workers
from verify.running.pool import CallTimeout, WorkerDied

ROOT = Path(__file__).parents[3]

SCRIPT = """
from pathlib import Path
from typing import Any
from verify import Selection, verify

print(verify(Selection(claims=("path",), problems=("saddle",), profile="quick"), Path("out"), jobs=2))
"""


@pytest.fixture
def workers() -> Iterator[Workers]:
    with open_workers(2) as opened:
        yield opened


def test_a_worker_that_dies_costs_its_call_only_and_is_replaced(workers: Workers) -> None:
    futures: list[Any] = [workers.submit(os._exit, 3), *(workers.submit(abs, -n) for n in range(4))]
    with pytest.raises(WorkerDied):
        futures[0].result()
    assert [future.result() for future in futures[1:]] == [0, 1, 2, 3]
    assert [workers.submit(abs, -n).result() for n in range(4)] == [0, 1, 2, 3]


def test_what_a_call_raises_comes_back_with_where_it_was_raised(workers: Workers) -> None:
    with pytest.raises(TypeError, match="bad operand") as caught:
        workers.submit(abs, "x").result()
    assert "Traceback" in "".join(caught.value.__notes__)


def test_an_answer_that_cannot_be_sent_is_an_error_of_its_call(workers: Workers) -> None:
    with pytest.raises(Exception, match=r"[Pp]ickle"):
        workers.submit(eval, "lambda: 0").result()
    assert workers.submit(abs, -1).result() == 1


def test_a_call_that_takes_too_long_is_stopped() -> None:
    with open_workers(1, timeout=0.5) as workers:
        assert workers.submit(abs, -1).result() == 1  # the time in which a process starts does not count
        slow = workers.submit(time.sleep, 60.0)
        with pytest.raises(CallTimeout) as caught:
            slow.result()
        assert caught.value.seconds == 0.5
        assert workers.submit(abs, -2).result() == 2
    assert not multiprocessing.active_children()


def test_what_is_being_done_is_known(workers: Workers) -> None:
    before = time.monotonic()
    future = workers.submit(time.sleep, 0.3)
    while not workers.busy():
        time.sleep(0.01)
    ((began, argument),) = workers.busy()
    assert argument == 0.3
    assert before <= began <= time.monotonic()
    future.result()
    while workers.busy():
        time.sleep(0.01)


@pytest.mark.parametrize("guard", [True, False])
def test_a_script_without_a_guard_is_told_in_one_line_what_to_write(tmp_path: Path, guard: bool) -> None:
    call = SCRIPT.replace("print", 'if __name__ == "__main__":\n    print') if guard else SCRIPT
    (tmp_path / "script.py").write_text(call)
    done = subprocess.run(
        [sys.executable, "script.py"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    if guard:
        assert (done.returncode, done.stderr) == (0, "")
        assert done.stdout.startswith("Summary(")
        assert len(done.stdout) < 200
    else:
        assert (done.returncode, done.stdout) == (1, "")
        (line,) = done.stderr.splitlines()
        assert 'write `if __name__ == "__main__":` above what it does, or jobs=1' in line
