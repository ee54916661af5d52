"""`advise`, and `plan` for a problem, as a user types them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from verify.commands.main import cli

BOWLS = """
import problems

def bowls():
    def task(centre):
        return {"value": lambda w: ((w - centre) ** 2).sum(axis=-1), "gradient": lambda w: 2 * (w - centre),
                "hvp": lambda w, v: 2 * v}
    return problems.from_functions([task(-1.0), task(1.0)], dim=2, vectorised=True, start=[0.5, 0.5],
                                   constants={"L": 2.0, "rho": 0.0, "sigma": 3.0})
"""


@pytest.fixture
def spec(tmp_path: Path) -> str:
    (tmp_path / "bowls.py").write_text(BOWLS)
    return f"{tmp_path / 'bowls.py'}:bowls"


def invoke(*args: Any) -> Result:
    return CliRunner().invoke(cli, [*map(str, args)])


def test_advise_prints_tables_and_draws(spec: str, tmp_path: Path) -> None:
    picture = tmp_path / "advice.png"
    result = invoke("advise", spec, "-N", "1,2", "--alpha", 0.3, "--beta", 0.5, "--steps", 5, "--figure", picture)
    assert result.exit_code == 0, result.output
    assert result.stdout.startswith("bowls.py:bowls: 2 parameters, 2 tasks (resampling)\n")
    assert "5 meta steps, with the theorem's β or with β = 0.5" in result.stdout
    assert picture.read_bytes().startswith(b"\x89PNG")


def test_advise_prints_json(spec: str) -> None:
    result = invoke("advise", spec, "-N", "3", "--steps", 2, "--json")
    assert [entry["N"] for entry in json.loads(result.stdout)["advised"]] == [3]


@pytest.mark.parametrize(
    ("args", "line"),
    [
        (["-N", "0"], "inner steps N = 0 is not allowed"),
        (["-N", "x"], "'x' is not allowed: integers >= 0, separated by commas"),
        (["--alpha", "-1"], "alpha = -1 is not allowed"),
        (["--beta", "0"], "beta = 0 is not allowed"),
        (["--steps", "0"], "steps = 0 is not allowed"),
        (["--figure", "picture.doc"], "figure = picture.doc is not allowed: it must end in png, pdf, svg"),
        (["--figure", "no/such/picture.png"], "figure = no/such/picture.png is not allowed: there is no directory"),
    ],
)
def test_wrong_options_are_one_line(spec: str, args: list[str], line: str) -> None:
    result = invoke("advise", spec, *args)
    assert result.exit_code == 2
    assert line in result.stderr
    assert result.stderr.count("\n") == 1
    assert result.stdout == ""


def test_an_unknown_problem_is_one_line() -> None:
    result = invoke("advise", "rotated-cosin")
    assert result.exit_code == 2
    assert "did you mean rotated-cosine?" in result.stderr


def test_plan_takes_a_problem_and_says_where_it_is_far_from_practice(spec: str) -> None:
    options = ["-N", 2, "--eps", 0.1, "--case", "exact"]
    by_name = invoke("plan", "--problem", spec, *options)
    assert by_name.exit_code == 0, by_name.output
    typed = invoke("plan", "--L", 2, "--rho", 0, "--sigma", 3, "--b", 0, "--b-sq", 0, "--tasks", 2, "--delta",
                   json.loads(invoke("plan", "--problem", spec, *options, "--json").stdout)["schedule"]["Delta"],
                   *options)  # fmt: skip
    assert typed.stdout == by_name.stdout
    assert "far from practice" not in by_name.stdout
    tiny = invoke("plan", "--problem", spec, *options[:2], "--eps", 1e-4, "--case", "exact")
    assert "far from practice: " in tiny.stdout


def test_a_plan_needs_a_problem_or_its_constants() -> None:
    result = invoke("plan", "-N", 2, "--eps", 0.1)
    assert (result.exit_code, result.stderr.count("\n")) == (2, 1)
    assert "missing: --L, --delta, " in result.stderr
