"""The packages are found whatever lies in the working directory."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from verify.running.records import read

ROOT = Path(__file__).parents[2]
NAMES = ("theory", "problems", "figures")
RUN = ("-m", "verify", "run", "--claim", "path", "--profile", "quick", "--inner-steps", "1", "--out", "out")


def python(directory: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Python in a working directory that comes first on its path."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    return subprocess.run(
        [sys.executable, *arguments], cwd=directory, env=environment, capture_output=True, text=True, check=False
    )


@pytest.fixture(params=["folders", "packages"])
def crowded(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """A working directory with folders, or packages, of the names of ours."""
    for name in NAMES:
        (tmp_path / name).mkdir()
        if request.param == "packages":
            (tmp_path / name / "__init__.py").write_text("raise RuntimeError('not this one')")
    return tmp_path


def checks(directory: Path, jobs: int) -> list[tuple[object, ...]]:
    """Checks of a small run in a working directory."""
    done = python(directory, *RUN, "--jobs", str(jobs))
    assert done.returncode == 0, done.stderr
    return [(r.claim, r.problem, r.rule, r.measured, r.bound) for r in read(directory / "out").records]


@pytest.fixture(scope="module")
def expected(tmp_path_factory: pytest.TempPathFactory) -> list[tuple[object, ...]]:
    """The checks of that run in an empty directory."""
    return checks(tmp_path_factory.mktemp("empty"), 1)


def test_a_run_is_the_same_in_a_directory_that_has_folders_or_packages_of_these_names(
    crowded: Path, expected: list[tuple[object, ...]]
) -> None:
    assert len({problem for _, problem, *_ in expected}) > 5
    assert checks(crowded, 2) == expected


def test_figures_are_found_beside_a_folder_of_their_name(tmp_path: Path) -> None:
    (tmp_path / "figures").mkdir()
    done = python(tmp_path, "-m", "figures", "--list")
    assert (done.returncode, done.stderr) == (0, "")
    assert "divergence" in done.stdout


def test_another_package_that_was_imported_first_is_one_clear_line(tmp_path: Path) -> None:
    (tmp_path / "problems").mkdir()
    (tmp_path / "problems" / "__init__.py").touch()
    done = python(tmp_path, "-c", "import problems, verify")
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1].startswith(
        "ImportError: this project needs its own package problems, but another one was imported: "
    )
