from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from verify.commands.main import cli
from verify.commands.places import free, latest
from verify.running.records import MUTANTS, RECORDS, read

ROOT = Path(__file__).parents[3]
RUN = ("run", "--claim", "fake draws", "--inner-steps", "1", "--jobs", "1")
Here = Callable[..., Result]


@pytest.fixture
def here(tmp_path: Path, fakes: str, monkeypatch: pytest.MonkeyPatch) -> Here:
    """Call the command line in an empty directory."""
    (empty := tmp_path / "empty").mkdir()
    monkeypatch.chdir(empty)

    def call(*args: object) -> Result:
        more = ["--problem", fakes] if args[0] == "run" else []
        return CliRunner().invoke(cli, [*map(str, args), *more])

    return call


def test_a_second_run_goes_to_a_directory_of_its_own_and_says_which(here: Here) -> None:
    assert here(*RUN).stderr == ""
    first = Path("results", RECORDS).read_bytes()
    for number in (2, 3):
        result = here(*RUN, "--seed", number)
        assert result.exit_code == 0
        assert result.stderr == f"the results of this run are in results-{number}: results holds another one\n"
        assert f"page in {Path(f'results-{number}', 'report.html')}" in result.stdout.splitlines()[-1]
        assert read(Path(f"results-{number}")).header.settings["seed"] == number
    assert Path("results", RECORDS).read_bytes() == first


def test_bad_input_is_the_only_line_where_there_are_results_already(here: Here) -> None:
    here(*RUN)
    result = here("run", "--claim", "pth")
    assert (result.exit_code, result.stderr.count("\n")) == (2, 1)
    assert result.stderr.startswith("error: claim = 'pth' is unknown")
    assert [path.name for path in Path().iterdir()] == ["results"]


def test_a_directory_that_is_named_is_not_left_for_another(here: Here) -> None:
    here(*RUN)
    result = here(*RUN, "--out", "results")
    assert (result.exit_code, "results holds" in result.stderr) == (2, False)
    assert not Path("results-2").exists()


def test_the_last_run_is_shown_and_goes_on(here: Here) -> None:
    here(*RUN)
    here(*RUN, "--seed", 4)
    for command in ("show", "report", "list"):
        assert "results-2" in here(command).stdout
    assert "fake draws" in here("table").stdout
    assert here(*RUN, "--seed", 4, "--resume").exit_code == 0
    assert "results-2" in here("show").stdout
    assert here(*RUN, "--seed", 5, "--overwrite").exit_code == 0  # what is overwritten unnamed is the first
    assert [read(Path(place)).header.settings["seed"] for place in ("results", "results-2")] == [5, 4]


def test_records_and_mutants_share_a_directory(here: Here) -> None:
    assert (latest(), free()) == (Path("results"), Path("results"))
    here(*RUN)
    assert (free(RECORDS), free(MUTANTS)) == (Path("results-2"), Path("results"))
    assert (latest(RECORDS), latest(MUTANTS)) == (Path("results"), Path("results"))
    Path("results-old").mkdir()
    Path("results-old", RECORDS).touch()
    assert latest() == Path("results")


@pytest.mark.parametrize("encoding", ["cp1252", "latin-1"])
@pytest.mark.parametrize(
    ("command", "code"),
    [
        ("-m verify list", 0),
        ("-m verify explain sharper", 2),
        ("-m verify explain link", 0),
        ("-m verify run --claim βρ", 2),
        ("-m verify plan --L 1 --delta 1 --rho 1 -N 1 --eps 1 --case exact --sigma 1 --b 0", 0),
        ("-m figures βρ", 2),
    ],
)
def test_a_console_that_lacks_a_character_shows_another_and_the_exit_code_stays(
    tmp_path: Path, encoding: str, command: str, code: int
) -> None:
    environment = {**os.environ, "PYTHONIOENCODING": encoding, "PYTHONPATH": str(ROOT)}
    done = subprocess.run([sys.executable, *command.split()], cwd=tmp_path, env=environment, capture_output=True)
    assert done.returncode == code, done.stderr
    shown = (done.stdout + done.stderr).decode(encoding)
    assert "?" in shown or code == 2
    assert "Error" not in shown
