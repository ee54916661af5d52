"""What a user's code may do to its process, and which of its files are known."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from verify.running.user_code import contained, guarded, load_function, loaded_files


class Stop(BaseException):
    """No error by its class."""


class Mute(Exception):
    """An exception whose text cannot be made."""

    def __str__(self) -> str:
        raise RuntimeError("no text")


def raises(error: BaseException) -> Callable[[], None]:
    def action() -> None:
        raise error

    return action


def test_the_process_stays_where_it_is_and_as_it_was(tmp_path: Path) -> None:
    directory, leave, handling = os.getcwd(), os._exit, np.geterr()
    with contained():
        os.chdir(tmp_path)
        np.seterr(all="raise")
    assert (os.getcwd(), os._exit, np.geterr()) == (directory, leave, handling)


@pytest.mark.parametrize(
    ("action", "line"),
    [
        (lambda: os._exit(0), "failed: SystemExit: os._exit(0)"),
        (raises(Stop("base")), "failed: RuntimeError: Stop: base"),
        (raises(GeneratorExit()), "failed: RuntimeError: GeneratorExit"),
        (raises(Mute()), "failed: Mute"),
        (raises(SystemExit(0)), "failed: SystemExit: 0"),
    ],
)
def test_whatever_a_users_code_raises_is_one_line(action: Callable[[], None], line: str) -> None:
    with pytest.raises(ValueError, match=r"^failed: ") as caught:
        guarded("failed", "mine.py", action)
    assert str(caught.value) == line


def test_ctrl_c_is_for_the_run() -> None:
    with pytest.raises(KeyboardInterrupt), contained():
        raise KeyboardInterrupt


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A user's file with a neighbour and a package beside it, and a virtual environment in the same directory."""
    (tmp_path / "package_beside").mkdir()
    (tmp_path / "venv" / "site-packages").mkdir(parents=True)
    (tmp_path / "mine.py").write_text("import neighbour_beside\nimport package_beside.part\ndef f(): ...")
    (tmp_path / "neighbour_beside.py").write_text("")
    (tmp_path / "package_beside" / "part.py").write_text("import installed_beside")
    (tmp_path / "venv" / "site-packages" / "installed_beside.py").write_text("")
    return tmp_path


def test_the_files_of_a_problem_are_its_own_and_what_it_imports_from_its_directory(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(folder / "venv" / "site-packages")
    load_function("problem", f"{folder / 'mine.py'}:f")
    found = loaded_files(f"{folder / 'mine.py'}:f")
    assert set(found) == {"mine.py", "neighbour_beside.py", os.path.join("package_beside", "part.py")}
    (folder / "neighbour_beside.py").write_text("changed = 1")
    assert loaded_files(f"{folder / 'mine.py'}:f") == found  # this process goes on with what it has loaded
    (folder / "mine.py").write_text("def f(): ...")
    load_function("problem", f"{folder / 'mine.py'}:f")
    assert loaded_files(f"{folder / 'mine.py'}:f")["mine.py"] != found["mine.py"]


def test_the_files_of_a_module_are_those_of_its_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("package_of_files", "other_of_files"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "__init__.py").write_text("")
        (tmp_path / name / "part.py").write_text("")
    (tmp_path / "package_of_files" / "inside.py").write_text(
        "import other_of_files.part, package_of_files.part\ndef f(): ..."
    )
    monkeypatch.chdir(tmp_path)
    load_function("problem", "package_of_files.inside:f")
    names = {"__init__.py", "inside.py", "part.py"}
    assert set(loaded_files("package_of_files.inside:f")) == names
    (tmp_path / "single_of_files.py").write_text("def f(): ...")
    load_function("problem", "single_of_files:f")
    assert set(loaded_files("single_of_files:f")) == {"single_of_files.py"}
    for name in [name for name in sys.modules if "of_files" in name]:
        del sys.modules[name]


def test_a_file_that_is_edited_within_its_second_is_loaded_anew(tmp_path: Path) -> None:
    """Bytecode that is kept would be taken for that of the new text, which is as long."""
    file = tmp_path / "quick.py"
    for answer in ("1", "2", "3"):
        file.write_text(f"def f(): return {answer}")
        os.utime(file, ns=(0, 10**18 + int(answer)))
        assert load_function("problem", f"{file}:f")() == int(answer)
