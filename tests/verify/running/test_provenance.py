"""A run takes nothing from a process that has loaded or built something else."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path

import pytest

from verify.running.execution import InProcess, open_workers
from verify.running.provenance import Provenance, facts, user_code
from verify.running.records import CellName, RunError
from verify.running.runner import run
from verify.running.selection import Selection, plan

PROBLEM = """
import numpy as np, problems
from scale_beside import SCALE

calls = []

def task(b, factor=lambda: 1.0):
    return {
        "value": lambda w: factor() * 0.5 * SCALE * np.sum((w - b) ** 2),
        "gradient": lambda w: factor() * SCALE * (w - b),
        "hvp": lambda w, v: factor() * SCALE * v,
    }

def build(*tasks, L=8.0):
    constants = {"L": L, "rho": 0.0, "sigma": 99.0, "lower_bound": 0.0, "gradient_bound": 999.0}
    return problems.from_functions(tasks, dim=2, constants=constants)

def steady():
    return build(task(-1.0), task(1.0))

def random():
    return build(task(0.0), L=8.0 + np.random.default_rng().uniform())

def scheduled(N, alpha_L):
    return build(task(0.0), L=8.0 + np.random.default_rng().uniform())

def drifting():
    def factor():
        calls.append(1)
        return 1.0 + 0.1 * (len(calls) > 300)
    problem = build(task(0.0, factor), task(1.0, factor))
    calls.clear()
    return problem
"""


@pytest.fixture
def mine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Selection]:
    """A selection of a problem of the user's file, which has a neighbour."""
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(__import__("sys").modules, "scale_beside", raising=False)
    (tmp_path / "mine.py").write_text(PROBLEM)
    (tmp_path / "scale_beside.py").write_text("SCALE = 1.0")
    return lambda name: Selection(claims=("path",), problems=(f"{tmp_path / 'mine.py'}:{name}",), profile="quick")


def test_an_edit_of_the_file_during_a_run_ends_it_in_one_line(mine: Callable[[str], Selection], tmp_path: Path) -> None:
    selection = mine("steady")
    cells = plan(selection)
    found = run(cells, InProcess(), provenance=Provenance(user_code(*selection.problems)))
    next(found)
    (tmp_path / "mine.py").write_text(PROBLEM.replace("8.0", "7.0"))
    with pytest.raises(RunError, match=r"^mine.py was edited during the run: start it again with --overwrite$"):
        list(found)


def test_an_edit_of_a_neighbour_is_noticed_by_workers_that_load_it_later(
    mine: Callable[[str], Selection], tmp_path: Path
) -> None:
    selection = mine("steady")
    cells, known = plan(selection), Provenance(user_code(*selection.problems))
    (tmp_path / "scale_beside.py").write_text("SCALE = 3.0")
    with open_workers(2) as workers, pytest.raises(RunError, match=r"^(scale_beside.py was edited|problem = )"):
        list(run(cells, workers, provenance=known))


@pytest.mark.parametrize(("name", "jobs"), [("random", 2), ("scheduled", 2), ("drifting", 1)])
def test_a_problem_that_is_not_the_same_everywhere_and_always_ends_the_run_in_one_line(
    mine: Callable[[str], Selection], name: str, jobs: int
) -> None:
    selection = mine(name)
    cells, known = plan(selection), Provenance(user_code(*selection.problems))
    line = rf"^problem = 'mine.py:{name}.*' is not the same each time .* fixed seed, and its tasks may not change$"
    with open_workers(jobs) as workers, pytest.raises(RunError, match=line):
        list(run(cells, workers, provenance=known))


def test_a_steady_problem_is_the_same_in_all_processes(mine: Callable[[str], Selection]) -> None:
    selection = mine("steady")
    with open_workers(2) as workers:
        found = list(run(plan(selection), workers, provenance=Provenance(user_code(*selection.problems))))
    assert {record.verdict for records in found for record in records} == {"holds"}


def test_facts_are_those_of_the_code_and_of_users_problems(
    mine: Callable[[str], Selection], cell_of: Callable[..., CellName]
) -> None:
    cells = plan(mine("steady"))
    assert facts([]).keys() < facts(cells[:1]).keys()
    assert {"code", "numpy", "vector instructions"} <= facts([]).keys()
    assert {
        "file mine.py",
        "file scale_beside.py",
        "problem mine.py:steady",
        "problem mine.py:steady (values)",
    } <= facts(cells).keys()


def test_numbers_may_differ_by_what_machines_differ() -> None:
    known = Provenance({"problem x": (1.0, math.inf, math.nan, 0.0)})
    known.require({"problem x": (1.0 + 1e-9, math.inf, math.nan, 1e-12), "new": "a"})
    for other in ((1.001, math.inf, math.nan, 0.0), (1.0, 5.0, math.nan, 0.0), (1.0, math.inf)):
        with pytest.raises(RunError, match="problem = 'x'"):
            known.require({"problem x": other})
    with pytest.raises(RunError, match=r"^a worker has numpy 2, another one 1$"):
        Provenance({"numpy": "1"}).require({"numpy": "2"})
