"""Whatever is typed, there is no traceback: one line on standard error and exit code 2, or a run."""

from __future__ import annotations

import tempfile
from pathlib import Path

from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st

from verify.commands.main import cli

CODES = {0, 1, 2, 3, 4}
FEW = settings(max_examples=60)

COMMANDS = ["run", "list", "explain", "compare", "plan"]
VALUES = [
    "path",
    "link",
    "kink",
    "quadratic",
    "nonsense",
    "quick",
    "full",
    "exact",
    "a.py:b",
    "a:b",
    ":",
    "--",
    "-",
    "=",
]
NUMBERS = ["-1", "0", "1", "2", "1,2", "1,,", "nan", "inf", "-inf", "1e400"]
RUN = ["--claim", "--problem", "--profile", "--seed", "--inner-steps", "--resume", "--overwrite", "--mutants", "--help"]
OTHER = ["--json", "--L", "--rho", "--delta", "-N", "--eps", "--case", "--tolerance", "--problems"]
words = st.sampled_from([*COMMANDS, *VALUES, *NUMBERS, *RUN, *OTHER]) | st.text(max_size=6)


def call(arguments: list[str]) -> None:
    result = CliRunner().invoke(cli, arguments)
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exc_info
    assert result.exit_code in CODES
    if result.exit_code == 2:
        assert result.stderr.startswith("error: ")
        assert result.stderr.count("\n") == 1
        assert "Traceback" not in result.stderr


@FEW
@given(st.lists(words, max_size=6))
def test_any_words(arguments: list[str]) -> None:
    with tempfile.TemporaryDirectory() as directory:
        # one cheap cell at most, in one process
        tiny = ["--claim", "path", "--problem", "kink", "--inner-steps", "1", "--jobs", "1", "--profile", "quick"]
        runs = not arguments or arguments[0] == "run" or arguments[0].startswith("-")
        where = [*tiny, "--out", str(Path(directory) / "out")] if runs else []
        call([*arguments, *where])


@FEW
@given(
    claim=st.sampled_from(["path", "Gradient-Growth", "pth", ""]) | st.text(max_size=5),
    problem=st.sampled_from(["kink", "saddle", "nobody", "no.py:f", "json:loads", ":"]) | st.text(max_size=5),
    steps=st.sampled_from(["0", "1", "2", "-1", "1,1", "99999999", "1.5", ""]),
    seed=st.integers(-1, 2**70),
    mutants=st.booleans(),
)
def test_any_values(claim: str, problem: str, steps: str, seed: int, mutants: bool) -> None:
    with tempfile.TemporaryDirectory() as directory:
        values = ["--claim", claim, "--problem", problem, "--inner-steps", steps, "--seed", str(seed)]
        more = ["--profile", "quick", "--jobs", "1", "--out", directory, *(["--mutants"] if mutants else [])]
        call(["run", *values, *more])


numbers = st.sampled_from(["0", "1", "-1", "0.5", "nan", "inf", "1e308", "1e-308", "x"])


@FEW
@given(
    options=st.dictionaries(
        st.sampled_from(["--L", "--rho", "--sigma", "--sigma-g", "--sigma-H", "--b", "--b-sq", "--delta", "--eps"]),
        numbers,
        min_size=5,
    ),
    N=st.sampled_from(["-1", "0", "1", "5", "1000000", "1.5"]),
    case=st.sampled_from(["resampling", "finite-sum", "exact", "other"]),
)
def test_any_plan(options: dict[str, str], N: str, case: str) -> None:
    call(["plan", "-N", N, "--case", case, *(word for option in options.items() for word in option)])
