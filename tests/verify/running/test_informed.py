"""Workers are told what is known, and what a run costs is said before."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import pytest

from problems.user import memory
from verify.running import cost
from verify.running.execution import InProcess
from verify.running.informed import Informed
from verify.running.loading import load_problem
from verify.running.pool import Pool
from verify.running.records import CellName

COUNTED = """
import problems
from problems.user.assembly import Parts

examine = Parts._examine

def counted(self, constants):
    with open(__file__ + ".count", "a") as file:
        file.write("x")
    return examine(self, constants)

Parts._examine = counted

def waves():
    task = {"value": lambda w: (w ** 2).sum(), "gradient": lambda w: 2 * w, "hvp": lambda w, v: 2 * v}
    return problems.from_functions([task], dim=2)
"""


def constants_of(spec: str) -> object:
    return load_problem(spec, 1, 0.1).constants


def test_constants_are_estimated_in_the_parent_and_nowhere_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from problems.user.assembly import Parts

    monkeypatch.setattr(Parts, "_examine", Parts._examine)  # the file replaces it
    file = tmp_path / "waves.py"
    file.write_text(COUNTED)
    mine = constants_of(f"{file}:waves")
    workers = Informed(Pool(2))
    try:
        found = [workers.submit(constants_of, f"{file}:waves").result(timeout=120) for _ in range(3)]
    finally:
        workers.close(kill=False)
    assert found == [mine] * 3
    assert Path(f"{file}.count").read_text() == "x"


def test_what_is_under_way_is_shown_by_its_own_argument() -> None:
    seen: list[object] = []
    inner = InProcess()
    workers = Informed(inner)
    try:
        workers.submit(lambda argument: seen.extend(workers.busy()), "argument").result()
    finally:
        workers.close(kill=True)
    (call,) = seen
    assert isinstance(call, tuple)
    assert call[0] <= time.monotonic()
    assert call[1] == "argument"
    assert isinstance(memory.everything(), dict)


SLOW = """
import time
import problems

def task(pause):
    return {"value": lambda w: float((w ** 2).sum()), "gradient": lambda w: 2 * w, "hvp": lambda w, v: 2 * v}

def slow():
    constants = {"L": 2.0, "rho": 0.0, "sigma": 0.0, "lower_bound": 0.0, "gradient_bound": 9.0}
    return problems.from_functions([task(0)], dim=2, constants=constants)
"""


def test_a_long_run_is_announced_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cell_of: Callable[..., CellName]
) -> None:
    from dataclasses import replace

    file = tmp_path / "slow.py"
    file.write_text(SLOW)
    cells = [replace(cell_of("path", N=N), problem="slow.py:slow", problem_spec=f"{file}:slow") for N in (1, 5)]
    one = InProcess()
    monkeypatch.setattr(cost, "seconds_of_a_row", lambda place: 1e-9)
    assert list(cost.announcements(cells, one)) == []
    monkeypatch.setattr(cost, "seconds_of_a_row", lambda place: 0.1)
    (line,) = cost.announcements(cells, one)
    assert line.startswith("slow.py:slow: 2 cells, about 16 minutes; ")  # 8 steps of 1200 rows, 0.1 s each
    assert list(cost.announcements([replace(cells[0], problem_spec="saddle")], one)) == []
    assert cost.expected_rows(cells) == 8 * cost.ROWS
