from __future__ import annotations

import logging
import re
import sys
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import pytest

from problems.problem import Problem
from verify.running.loading import load_problem

Write = Callable[[str], str]

GOOD = """
import logging
import neighbour

def plain():
    logging.getLogger("problems").warning("a notice")
    return neighbour.problem("plain", 3.0)

def scheduled(N, alpha_L):
    return neighbour.problem(f"{N} steps", 1 / alpha_L)

def optional(L=5.0):
    return neighbour.problem("optional", L)
"""

NEIGHBOUR = """
import numpy as np
from problems.noise import NoNoise
from problems.problem import Problem
from theory.constants import Constants

def problem(name, L):
    return Problem(name=name, case="resampling", dim=1, constants=Constants(L=L), inner=None, outer=None,
                   number_of_tasks=1, probes=len, start=np.zeros(1), noise=NoNoise(None))
"""


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def write(text: str) -> str:
        (tmp_path / "mine.py").write_text(text)
        return str(tmp_path / "mine.py")

    (tmp_path / "neighbour.py").write_text(NEIGHBOUR)
    return write


def test_a_file_can_import_its_neighbours_and_its_factory_is_called_once(write: Write) -> None:
    file = write(GOOD)
    problem = load_problem(f"{file}:plain", 5, 0.1)
    assert (problem.name, problem.constants.L) == ("plain", 3.0)
    assert load_problem(f"{file}:plain", 7, 0.2) is problem
    assert load_problem(f"{file}:optional", 7, 0.2).constants.L == 5.0


def test_the_same_file_spelled_in_another_way_is_the_same_problem(
    write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = Path(write(GOOD))
    monkeypatch.chdir(file.parent)
    assert load_problem("mine.py:plain", 5, 0.1) is load_problem(f"{file}:plain", 5, 0.1)


def test_the_neighbours_of_a_file_shadow_nothing(write: Write) -> None:
    file = write(GOOD)
    load_problem(f"{file}:plain", 5, 0.1)
    assert sys.path.index(str(Path(file).parent)) == len(sys.path) - 1


def test_a_factory_may_depend_on_the_schedule(write: Write) -> None:
    file = write(GOOD)
    problem = load_problem(f"{file}:scheduled", 7, 0.25)
    assert (problem.name, problem.constants.L) == ("7 steps", 4.0)
    assert load_problem(f"{file}:scheduled", 7, 0.25) is problem


def test_an_edited_file_is_loaded_again(write: Write) -> None:
    file = write(GOOD)
    load_problem(f"{file}:plain", 5, 0.1)
    Path(write(GOOD.replace("3.0", "11.0"))).touch()
    assert load_problem(f"{file}:plain", 5, 0.1).constants.L == 11.0


def test_a_module_is_found_from_the_working_directory(write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    directory = Path(write(GOOD)).parent
    (directory / "package_of_a_user").mkdir()
    (directory / "package_of_a_user" / "inside.py").write_text(GOOD)
    monkeypatch.chdir(directory)
    assert load_problem("package_of_a_user.inside:plain", 5, 0.1).name == "plain"


def _name_in_worker(spec: str) -> str:
    return load_problem(spec, 5, 0.1).name


def test_spawned_workers_load_it_too_without_repeating_the_notices(
    write: Write, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    spec = f"{write(GOOD)}:plain"
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as executor:
        assert executor.submit(_name_in_worker, spec).result(timeout=60) == "plain"
    assert "notice" not in capfd.readouterr().err
    with caplog.at_level(logging.WARNING, "problems"):
        load_problem(spec, 5, 0.1)
    assert caplog.messages == ["a notice"]


@pytest.mark.parametrize(
    ("text", "factory", "line"),
    [
        ("def plane(): ...", "plain", "defines no plain; did you mean plane?"),
        ("", "", "names no factory: write "),
        ("plain = 3", "plain", "plain is a int, not a function"),
        ("def plain(): return 3", "plain", "the factory returned a int, not a Problem"),
        ("def plain(): return 1 / 0", "plain", "failed: ZeroDivisionError: division by zero (line 1)"),
        ("def plain():\n  raise ValueError('task 2:\\n bad')", "plain", "failed: task 2: bad (line 2)"),
        ("def plain(): assert False", "plain", "failed: AssertionError (line 1)"),
        (
            "def plain():\n  try: 1 / 0\n  except Exception as e: raise ValueError('task 0: bad') from e",
            "plain",
            "(line 2)",
        ),
        ("def plain(data): ...", "plain", "must take no arguments, or N and alpha_L"),
        ("x = 1\nimport nothing_of_this_name", "plain", "cannot be imported: ModuleNotFoundError"),
        ("raise SystemExit('no')", "plain", "cannot be imported: SystemExit: no (line 1)"),
        ("x = 1\ndef plain(:", "plain", "cannot be imported: SyntaxError: invalid syntax (line 2)"),
    ],
)
def test_a_bad_file_gives_one_line(write: Write, text: str, factory: str, line: str) -> None:
    with pytest.raises(ValueError, match=re.escape(line)) as caught:
        load_problem(f"{write(text)}:{factory}", 5, 0.1)
    assert "\n" not in str(caught.value)


def test_what_is_no_function_is_not_suggested(write: Write) -> None:
    with pytest.raises(ValueError, match=r"defines no nope$"):
        load_problem(f"{write('import numpy as np')}:nope", 5, 0.1)


@pytest.mark.parametrize(
    ("spec", "line"),
    [
        ("nowhere.py:f", "there is no file"),
        ("somewhere.py", "write somewhere.py:FACTORY"),
        ("no_such_package.module:f", "No module named 'no_such_package'"),
        ("no-such-problem", "is unknown"),
        (":", "':' is unknown"),
        ("..:f", "cannot be imported"),
    ],
)
def test_a_bad_name_gives_one_line(spec: str, line: str) -> None:
    with pytest.raises(ValueError, match=re.escape(line)) as caught:
        load_problem(spec, 5, 0.1)
    assert "\n" not in str(caught.value)


def test_a_registered_name_resolves() -> None:
    from problems.registry import families

    name = next(iter(families()))
    problem = load_problem(name, 2, 0.05)
    assert isinstance(problem, Problem)
