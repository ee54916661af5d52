"""The adversary measures by the claims' own functions, finds what attains a bound, and refutes what is wrong."""

from __future__ import annotations

import json
import shlex
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner, Result

import problems.data
from verify.cell import PROFILES, Cell
from verify.claim import claims
from verify.commands.main import cli
from verify.evidence.attack import Attack, worst_of
from verify.own_bound import bound
from verify.running.execution import open_workers
from verify.search import searching
from verify.search.adversary import Adversary, Target
from verify.search.coding import Coding
from verify.search.searching import Found, climb, refuted, search, targets
from verify.verdict import Measured

pytestmark = pytest.mark.usefixtures("forgotten")


def target(claim: str, N: int = 1, part: str = "", **more: Any) -> Target:
    return replace(Target(claim, "", part, N, "near cap", 0.0, 0), **more)


@pytest.fixture
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a restart be short."""
    monkeypatch.setattr(searching, "GENERATIONS", 60)
    monkeypatch.setattr(searching, "SIMPLEX", 100)


def found(*names: Any, **more: Any) -> Found:
    with open_workers(1) as workers:
        return search(target(*names, **more), workers, 1)


@pytest.mark.parametrize("tasks", [1, 2])
def test_all_members_are_of_the_class(tasks: int) -> None:
    coding = Coding(tasks, (-1.0, 2.0))
    coded = np.random.default_rng(0).uniform(size=(300, coding.length))
    coded[:100] = coded[:100].round()
    members = coding.members(coded)
    x, h = members.knots, members.curvature
    assert (np.diff(x) > 0).all()
    assert np.abs(h).max() == 1
    assert np.abs(np.diff(h) / np.diff(x)).max() <= 1 + 1e-9
    assert (h[..., [0, -1]] == 1).all()
    assert (np.abs(members.gradient) >= 0.1).all()
    assert (np.abs(members.gradient) <= 100).all()
    at = np.zeros((300, tasks, 1))
    np.testing.assert_allclose(members.losses.gradient(at)[..., 0], members.gradient, atol=1e-9)
    assert set(np.sign(members.gradient).ravel()) == ({1.0} if tasks == 1 else {1.0, -1.0})


@pytest.mark.parametrize(
    ("claim", "N", "part"),
    [
        ("path", 2, ""),
        ("gradient growth", 2, "displacement"),
        ("smoothness", 2, ""),
        ("task smoothness", 1, ""),
        ("descent", 1, ""),
        ("link", 1, "norm of the mean"),
        ("link", 2, "mean of the norms"),
        ("sharper link", 1, ""),
        ("bias per task", 2, ""),
        ("bias", 1, ""),
    ],
)
def test_a_member_is_measured_as_its_loss_is_by_itself(claim: str, N: int, part: str) -> None:
    adversary = Adversary(target(claim, N, part, gradient=1.0))
    coded = np.random.default_rng(1).uniform(size=(7, adversary.length))
    together = adversary.measured(coded)
    for member in range(7):
        loss, witness = adversary.drawn(coded[member])
        problem, known = loss.problem(), claims()[claim]
        cell = Cell(claim, "loss", problem, N, "near cap", PROFILES["quick"], 0, 1e-10)
        if isinstance(known.by, Attack):
            arguments: dict[str, Any] = {
                name: np.full((1, 1, 1) if name in "wu" else 1, value) for name, value in witness.items()
            }
            alone = known.measure(cell, **arguments, **({"part": part} if part else {}))
        else:
            few = replace(cell, problem=replace(problem, probes=lambda count, rng: np.zeros((count, 1))))
            (finding, *_) = known.check(few)
            alone = Measured(np.array([finding.measured]), np.array([finding.bound]), np.array([finding.slack]))
        value, limit, slack = (float(np.ravel(x)[0]) for x in worst_of(Measured(*map(np.asarray, alone))))
        assert np.asarray(together.value)[member] == pytest.approx(value, rel=1e-6, abs=1e-9)
        assert np.asarray(together.bound)[member] == pytest.approx(limit, rel=1e-9)
        # The loudest noise of all members bounds the rounding error of each.
        assert 0 < slack <= np.asarray(together.slack)[member] * (1 + 1e-6) < 1e-4 * limit < np.inf


def test_the_least_gradient_is_kept(short: None) -> None:
    adversary = Adversary(target("smoothness", gradient=30.0))
    coded = np.random.default_rng(1).uniform(size=(50, adversary.length))
    assert min(adversary.drawn(one)[0].gradient[0] for one in coded) >= 30
    assert found("smoothness", gradient=30.0).loss.gradient[0] >= 30


@pytest.mark.parametrize(
    ("claim", "N", "part"), [("path", 2, ""), ("gradient growth", 2, "gradient"), ("smoothness", 1, "")]
)
def test_what_attains_a_bound_is_found_without_a_hint(short: None, claim: str, N: int, part: str) -> None:
    worst = found(claim, N, part)
    assert 0.99 < worst.ratio <= 1
    assert not worst.refutes


@pytest.mark.parametrize(
    ("claim", "mutant", "part"),
    [
        ("path", "q^{j−1} for q^j", ""),
        ("gradient growth", "1 + jαL for q^j", "gradient"),
        ("smoothness", "C_L dropped", ""),
        ("smoothness", "q^N L for q^{2N} L", ""),
        ("link", "1 for C_1", "norm of the mean"),
        ("bias per task", "E_1 dropped", ""),
    ],
)
def test_mutants_are_refuted(short: None, claim: str, mutant: str, part: str) -> None:
    wrong = found(claim, 2, part, mutant=mutant)
    assert wrong.refutes
    assert refuted([wrong]) == {mutant: True}


def test_a_bound_of_ones_own_is_refuted_where_the_ledgers_is_not(short: None) -> None:
    bound("path", name="mine", path=lambda p, j, distance: 0.99 * p.path(j, distance))
    assert found("mine").refutes


def test_a_search_depends_on_its_seed_alone() -> None:
    wanted = target("gradient growth", 2, "gradient")
    with open_workers(1) as one, open_workers(2) as two:
        first, again = search(wanted, one, 100_000), search(wanted, two, 100_000)
    assert first == again
    assert climb((wanted, 0)).coded.tolist() != climb((replace(wanted, seed=1), 0)).coded.tolist()


def test_progress_is_told_after_each_restart(short: None) -> None:
    told: list[tuple[int, int]] = []
    with open_workers(1) as workers:
        search(target("descent"), workers, 3 * searching.RESTART, lambda done, of, best: told.append((done, of)))
    assert told == [(1, 3), (2, 3), (3, 3)]


def invoke(*arguments: object) -> Result:
    return CliRunner().invoke(cli, ["search", *map(str, arguments), "--jobs", "1"])


def test_the_worst_loss_is_written_and_examined_again(short: None, tmp_path: Path) -> None:
    file = tmp_path / "worst.json"
    result = invoke("smoothness", "-N", 1, "--gradient", 5, "--budget", 1, "--stepsize", "near cap", "--out", file)
    assert result.exit_code == 0, result.output
    kept = json.loads(file.read_text(encoding="utf-8"))
    assert f"{kept['ratio']:.6f} of the bound, not refuted" in result.stdout
    command = result.stdout.split("again: python -m verify ")[1].split()[:-2]
    run = CliRunner().invoke(cli, [*command, "--out", str(tmp_path / "again"), "--jobs", "1"])
    assert run.exit_code == 0, run.output
    records = [json.loads(line) for line in (tmp_path / "again" / "records.jsonl").read_text().splitlines()[1:]]
    ratios = [r["tightness"] for r in records if r["claim"] == "smoothness" and r["rule"] == "near cap"]
    assert max(ratios) >= kept["ratio"] - 1e-3
    assert {r["verdict"] for r in records} == {"holds"}


def test_the_loss_that_refutes_a_bound_of_ones_own_refutes_it_again(short: None, tmp_path: Path) -> None:
    mine, file = tmp_path / "my bounds.py", tmp_path / "worst.json"
    mine.write_text('from verify import bound\nbound("smoothness", name="mine", C_L=lambda p: p.C_L / 2)\n')
    result = invoke(mine, "--gradient", 5, "--out", file)
    assert (result.exit_code, ", refuted (" in result.stdout) == (1, True), result.output
    command = shlex.split(result.stdout.split("again: python -m verify ")[1])[:-2]
    run = CliRunner().invoke(cli, [*command, "--out", str(tmp_path / "again"), "--jobs", "1"])
    assert run.exit_code == 1, run.output
    assert "mine: refuted by worst.json, N = 1, " in run.stdout


def test_the_worst_loss_is_drawn(short: None, tmp_path: Path) -> None:
    result = invoke("link", "--budget", 1, "--figure", tmp_path / "worst.svg")
    assert result.exit_code == 0, result.output
    assert result.stdout.count("link, ") == 2
    assert "worst: measured " in result.stdout
    drawn = (tmp_path / "worst.svg").read_text(encoding="utf-8")
    assert drawn.count("task 1") == drawn.count("task 2") == 1


def test_json_and_exit_codes(short: None, tmp_path: Path) -> None:
    result = invoke("path", "--json")
    (shown,) = json.loads(result.stdout)
    assert (result.exit_code, shown["claim"], shown["witness"]["w"]) == (0, "path", 0.0)
    mine = tmp_path / "mine.py"
    mine.write_text('from verify import bound\nbound("path", name="half", path=lambda p, j, d: p.path(j, d) / 2)\n')
    result = invoke(mine)
    assert (result.exit_code, ", refuted (" in result.stdout) == (1, True)
    result = invoke("path", "--mutants", "-N", 2)
    assert (result.exit_code, "2 of 2 mutants refuted" in result.stdout) == (0, True)
    mine.write_text('from verify import bound\nbound("path", name="half", path=lambda p, j, d: 1 / 0)\n')
    result = invoke(mine)
    assert (result.exit_code, result.stderr.count("\n")) == (3, 1)
    assert "path: ZeroDivisionError: division by zero (line 2)" in result.stderr


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        ("pth", "claim = 'pth' is unknown; did you mean 'path'?"),
        ("constants", "claim = 'constants' is not allowed: only what is attacked over points"),
        ("theorem-exact", "claim = 'theorem exact' is not allowed: only what is attacked over points"),
        ("second-moment-finite-sum", "it does not speak of the resampling case"),
        ("link --stepsize past", "'past' is not one of"),
        ("link --stepsize", "requires an argument"),
        ("path --budget 0", "0 is not in the range"),
        ("path --gradient=-1", "-1.0 is not in the range"),
        ("path --out worst.txt", "out = worst.txt is not allowed: it must end in .json"),
        ("path --out nowhere/worst.json", "out = nowhere/worst.json is not allowed: there is no directory nowhere"),
        ("path --figure worst.txt", "figure = worst.txt is not allowed: it must end in"),
    ],
)
def test_bad_input_is_one_line_and_exit_code_2(arguments: str, line: str) -> None:
    result = CliRunner().invoke(cli, ["search", *arguments.split()])
    assert (result.exit_code, result.stdout, result.stderr.count("\n")) == (2, "", 1), result.output
    assert line in result.stderr


def test_a_drawn_loss_is_explained_as_a_problem_and_is_no_claim() -> None:
    file = str(Path(problems.data.__file__).with_name("found") / "link-1.json")
    result = CliRunner().invoke(cli, ["explain", file])
    assert result.exit_code == 0, result.output
    assert "link-1.json" in result.stdout
    result = CliRunner().invoke(cli, ["run", "--claim", file])
    assert (result.exit_code, result.stderr.count("\n")) == (2, 1)
    assert "is not allowed: it must be a Python file" in result.stderr


def test_past_the_cap_a_bound_that_needs_it_is_silent() -> None:
    with pytest.raises(ValueError, match="alpha"):
        targets("link", 1, "past cap")
