"""`python -m verify implementation`, as a user calls it."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

import verify.implementation.check
from verify.commands.main import cli

MINE = """
import numpy as np

def right(tasks, w: np.ndarray, alpha, N):
    print("a notice")
    total = np.zeros_like(w)
    for task in tasks:
        path = [w]
        for _ in range(N):
            path.append(path[-1] - alpha * task.train.gradient(path[-1]))
        v = task.test.gradient(path.pop())
        for point in reversed(path):
            v = v - alpha * task.train.hvp(point, v)
        total += v
    return total / len(tasks)

def descent(tasks, w: np.ndarray, alpha, N):
    return -right(tasks, w, alpha, N)

def broken(tasks, w: np.ndarray, alpha, N):
    return tasks[0].train.gradient(w) / undefined

def silent(tasks, w, alpha, N):
    return w
"""

Invoke = Callable[..., Result]


@pytest.fixture
def invoke(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Invoke:
    """Examine functions of `mine.py` in the working directory."""
    monkeypatch.chdir(tmp_path)
    Path("mine.py").write_text(MINE)

    def invoke(*args: str) -> Result:
        result = CliRunner().invoke(cli, ["implementation", *args])
        assert result.exception is None or isinstance(result.exception, SystemExit), result.exc_info
        return result

    return invoke


@pytest.mark.parametrize(
    ("function", "code", "last"),
    [
        ("right", 0, "exact: this is the meta-gradient of MAML with N inner steps"),
        ("descent", 1, "sign: the sign is wrong"),
    ],
)
def test_it_prints_a_table_and_the_diagnosis(invoke: Invoke, function: str, code: int, last: str) -> None:
    result = invoke(f"mine.py:{function}")
    assert result.exit_code == code
    assert result.stdout.startswith(f"mine.py:{function} (NumPy): ")
    assert result.stdout.strip().split("\n")[-1] == last


def test_json_is_alone_on_standard_output(invoke: Invoke) -> None:
    result = invoke("mine.py:descent", "--json")
    read = json.loads(result.stdout)
    assert (result.exit_code, read["implementation"], read["diagnosis"]) == (1, "mine.py:descent", "sign")
    assert "a notice" in result.stderr


@pytest.mark.parametrize(
    ("args", "line"),
    [
        (["mine.py:broken"], "mine.py:broken failed on problem quadratic, N = 1, alpha = 0.03475; evaluated last: "),
        (["mine.py:broken"], "training loss of task 0: NameError: name 'undefined' is not defined (line 21)"),
        (["mine.py:silent"], "framework of mine.py:silent is not known: annotate w"),
        (["mine.py:rihgt"], "defines no rihgt; did you mean right?"),
        (["mine.py"], "implementation = 'mine.py' names no function: write mine.py:FUNCTION"),
        (["yours.py:right"], "implementation = 'yours.py:right': there is no file"),
        (["mine.py:right", "--framework", "keras"], "'keras' is not one of 'numpy', 'torch', 'jax'"),
        ([], "Missing argument 'FILE.py:FUNCTION'"),
    ],
)
def test_what_cannot_be_examined_is_one_line(invoke: Invoke, args: list[str], line: str) -> None:
    result = invoke(*args)
    assert result.exit_code == 2
    assert result.stdout == ""
    (last,) = (found for found in result.stderr.strip().split("\n") if found != "a notice")
    assert last.startswith("error: ")
    assert line in last


def test_a_file_whose_framework_is_missing_says_how_to_get_it(invoke: Invoke, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "torch", None)
    Path("theirs.py").write_text("import torch\n")
    result = invoke("theirs.py:right")
    assert result.exit_code == 2
    assert "(line 1): python -m pip install 'maml-theory-verification[implementations]'" in result.stderr


def test_an_internal_failure_is_neither_wrong_nor_bad_input(invoke: Invoke, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*args: object) -> None:
        raise RuntimeError("of ours")

    monkeypatch.setattr(verify.implementation.check, "diagnose", fails)
    result = invoke("mine.py:right")
    assert result.exit_code == 3
    assert result.stderr.endswith("error: internal failure: RuntimeError: of ours\n")


def test_it_runs_from_anywhere_and_imports_no_framework(invoke: Invoke, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    code = (
        "import sys; from verify.commands.main import cli\n"
        "try: cli(['implementation', '../mine.py:right'])\n"
        "finally: assert sys.modules.keys().isdisjoint({'torch', 'jax', 'array_api_compat', 'matplotlib', 'scipy'})"
    )
    result = subprocess.run([sys.executable, "-c", code], cwd=elsewhere, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
    assert "exact: " in result.stdout
