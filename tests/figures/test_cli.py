from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from figures.cli import cli
from figures.figure import named, registry
from figures.table import Table

ROOT = Path(__file__).parents[2]
Invoke = Callable[..., Result]
Compute = Callable[..., Table]


@pytest.fixture
def invoke() -> Invoke:
    def invoke(*args: object) -> Result:
        result = CliRunner().invoke(cli, [*map(str, args)])
        assert result.exception is None or isinstance(result.exception, SystemExit), result.exc_info
        return result

    return invoke


def names(directory: Path) -> list[str]:
    return sorted(path.name for path in directory.iterdir())


def test_list_names_every_figure_and_its_question(invoke: Invoke) -> None:
    result = invoke("--list")
    assert result.exit_code == 0
    lines = result.stdout.splitlines()
    assert [line.split()[0] for line in lines] == list(registry())
    assert {"divergence", "tightness", "bias"} <= set(registry())
    assert all(line.endswith("?") for line in lines)


def test_a_figure_is_pictures_data_and_caption(invoke: Invoke, tmp_path: Path) -> None:
    out = tmp_path / "new" / "place"
    result = invoke("second_moment", "second_moment", "--out", out, "--jobs", 1)
    assert result.exit_code == 0, result.output
    assert all("parts after" in line for line in result.stderr.splitlines())  # a slow machine tells how far it is
    expected = [f"second_moment.{kind}" for kind in ("csv", "md", "pdf", "png")]
    assert names(out) == expected
    assert sorted(result.stdout.split()) == [str(out / name) for name in expected]
    assert (out / "second_moment.png").read_bytes().startswith(b"\x89PNG")


def test_drawn_again_from_data_it_is_the_same_without_computing(
    invoke: Invoke, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert invoke("second_moment", "--out", tmp_path, "--jobs", 1, "--format", "svg,svg").exit_code == 0
    before = {name: (tmp_path / name).read_bytes() for name in names(tmp_path)}
    assert list(before) == ["second_moment.csv", "second_moment.md", "second_moment.svg"]
    monkeypatch.setattr("figures.cli.generate", None)
    for kind in ("svg", "md"):
        (tmp_path / f"second_moment.{kind}").unlink()
    result = invoke("second_moment", "--out", tmp_path, "--from-data", "--format", "svg")
    assert result.exit_code == 0, result.output
    assert {name: (tmp_path / name).read_bytes() for name in names(tmp_path)} == before


def test_the_seed_changes_the_data_and_is_in_the_caption(
    invoke: Invoke, compute: Compute, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    small = replace(named("smoothness"), parts=[part for part in named("smoothness").parts if part["N"] <= 2])
    monkeypatch.setitem(registry(), "smoothness", small)
    args = ("smoothness", "--out", tmp_path, "--jobs", 1, "--seed", 5, "--format", "svg")
    assert invoke(*args).exit_code == 0
    other = compute("smoothness", problem="rotated-cosine", rule="fixed", N=(1, 2))
    table = Table.read(tmp_path / "smoothness.csv").select(problem="rotated-cosine", rule="fixed")
    assert (table.seed, other.seed) == (5, 0)
    assert list(table["N"]) == [1, 2]
    assert (table["measured"] != other["measured"]).all()
    assert "Seed 5." in (tmp_path / "smoothness.md").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("args", "line"),
    [
        (["divergense"], "figure = 'divergense' is unknown; did you mean divergence? (see `python -m figures --list`)"),
        (["--format", "gif"], "Invalid value for '--format': 'gif' is not allowed: it must be one of pdf, png, svg"),
        (["phase", "--from-data"], "phase.csv does not exist: draw the figure once without --from-data"),
        (["--jobs", "2", "--scheduler", "tcp://127.0.0.1:1"], "--jobs and --scheduler exclude each other"),
        (["phase", "--scheduler", "here"], "scheduler = 'here' is not an address like tcp://host:8786"),
        (["--seed", "-1"], "-1 is not in the range x>=0"),
        (["--nonsense"], "No such option"),
    ],
)
def test_bad_input_is_one_line_and_exit_code_2(invoke: Invoke, args: list[str], line: str, tmp_path: Path) -> None:
    result = invoke(*args, "--out", tmp_path / "out")
    assert result.exit_code == 2
    assert result.stdout == ""
    assert result.stderr.startswith("error: ")
    assert result.stderr.count("\n") == 1
    assert line in result.stderr
    if "--scheduler" not in args:
        assert not (tmp_path / "out").exists()


def test_a_directory_that_cannot_be_written_to_is_found_before_computing(
    invoke: Invoke, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("figures.cli.generate", None)
    (tmp_path / "file").touch()
    for out in (tmp_path / "file", tmp_path / "file" / "below"):
        result = invoke("phase", "--out", out)
        assert result.exit_code == 2
        assert result.stderr.count("\n") == 1
        assert str(out) in result.stderr


@pytest.mark.parametrize("content", ["", "N,y\n", "N,y\n1,2\n"])
def test_data_of_something_else_are_one_line(invoke: Invoke, tmp_path: Path, content: str) -> None:
    (tmp_path / "bias.csv").write_text(content)
    result = invoke("bias", "--out", tmp_path, "--from-data")
    assert result.exit_code == 2
    assert result.stderr.count("\n") == 1
    assert "bias.csv" in result.stderr


def test_workers_import_no_matplotlib() -> None:
    code = "import sys, figures.figure as f; f.compute_part(('second_moment', f.named('second_moment').parts[0], 0));"
    done = subprocess.run(
        [sys.executable, "-c", code + "print('matplotlib' in sys.modules)"],
        cwd=ROOT,
        env=os.environ,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == "False\n"
