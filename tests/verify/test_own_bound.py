"""A bound of one's own is measured as the ledger's, is told apart from it, and fails by its own name only."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner

from theory.symbols import BOUNDS
from theory.validation import PremiseError
from verify.claim import Claim, Mutant, claims
from verify.commands.main import cli
from verify.own_bound import LEDGER, FormulaError, bound
from verify.reporting.answers import answer
from verify.reporting.tally import Tally
from verify.running.evaluation import evaluate, replay
from verify.running.execution import open_workers
from verify.running.provenance import Provenance, claims_code
from verify.running.records import CellName, Record, RunError, read
from verify.running.runner import run
from verify.running.selection import Selection, find_claims, plan
from verify.suite import verify

pytestmark = pytest.mark.usefixtures("forgotten")


def told_of(records: Sequence[Record]) -> str:
    """What is said of the one claim that these records are of."""
    tally = Tally()
    for record in records:
        tally.take(record)
    return answer(records[0].claim, tally)


def cell(made: Claim | str, problem: str, N: int = 2, rule: Any = "near cap", mutant: str = "") -> CellName:
    name = made if isinstance(made, str) else made.name
    return CellName(
        claim=name, problem=problem, problem_spec=problem, N=N, rule=rule, profile="quick", seed=0, mutant=mutant
    )


SAME: dict[str, tuple[str, Any]] = {
    "path": ("saddle", lambda p, j, distance: p.path(j, distance)),
    "link": ("cusp", lambda p, norm: (norm + p.C_2 * p.sigma + p.m) / p.C_1),
    "descent": ("rotated-cosine", lambda p, norm, L_w: p.descent(norm, L_w)),
    "bias per task": ("tent", lambda p, norm: p.task_bias(norm)),
    "deviation mean": ("saddle-noise", lambda p, j: p.deviation(j)),
    "second moment": ("two-point-tasks", lambda p, norm: p.second_moment(norm)),
    "stepsize kappa": ("two-point-stepsize", lambda p: p.kappa),
}


@pytest.mark.parametrize("of", SAME)
def test_the_ledgers_own_formula_gives_the_ledgers_own_findings(of: str) -> None:
    problem, formula = SAME[of]
    mine = bound(of, name="mine", **{"kappa" if of == "stepsize kappa" else "formula": formula})
    found, ledgers = evaluate(cell(mine, problem)), evaluate(cell(of, problem))
    assert [(r.measured, r.bound, r.verdict, r.label) for r in found] == [
        (r.measured, r.bound, r.verdict, r.label) for r in ledgers
    ]
    judged = [r for r in found if r.verdict == "holds"]
    assert judged
    assert [r.witness[LEDGER] for r in judged] == pytest.approx([r.bound for r in judged])


@pytest.mark.parametrize(
    ("of", "problem", "changes"),
    [
        ("path", "quadratic", {"path": lambda p, j, distance: 2 * p.path(j, distance)}),
        ("smoothness", "rotated-cosine", {"L_w": lambda p, norm: 2 * (p.a + p.C_L * norm)}),
        ("bias per task", "tent", {"task_bias": lambda p, norm: 2 * p.task_bias(norm)}),
        ("deviation mean", "saddle-noise", {"sigma_g": lambda sigma_g: 2 * sigma_g}),
        ("theorem exact", "ramp", {"Delta": lambda Delta: 1e6 * Delta}),
    ],
)
def test_each_finding_knows_what_the_ledger_says_at_the_same_place(
    of: str, problem: str, changes: dict[str, Any]
) -> None:
    found = [r for r in evaluate(cell(bound(of, name="mine", **changes), problem)) if r.verdict == "holds"]
    assert found
    for record in found:
        if of == "theorem exact":
            ledgers = evaluate(cell(of, problem))[record.index].bound
            assert record.witness[LEDGER] == ledgers
        else:
            assert record.bound == pytest.approx(2 * record.witness[LEDGER])
        assert "% above the ledger's bound there" in told_of([record])


def test_a_constant_that_is_smaller_is_refuted_and_the_answer_says_how_to_see_it_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "mine.py"
    file.write_text('from verify import bound\nbound("link", name="my link", C_1=lambda p: 2 * p.C_1)\n')
    chosen = Selection(claims=(str(file),), problems=("convex-quadratic",), inner_steps=(1,), profile="quick")
    summary = verify(chosen, tmp_path / "results")
    (told,) = [each.answer for each in summary.claims if each.claim == "my link"]
    assert told.startswith("my link: refuted by convex-quadratic, N = 1, ")
    assert "50 % below the ledger's bound there; again: python -m verify run " in told
    monkeypatch.chdir(tmp_path)
    result = CliRunner().invoke(cli, [*shlex.split(told.split("again: python -m verify ")[1]), "--jobs", "1"])
    assert result.exit_code == 1
    assert "my link: refuted by convex-quadratic, N = 1, " in result.stdout
    again = {record.cell: record for record in read(tmp_path / "again").records if record.verdict == "violated"}
    first = {record.cell: record for record in read(tmp_path / "results").records if record.verdict == "violated"}
    assert {place: record.measured for place, record in again.items()} == {
        place: record.measured for place, record in first.items()
    }
    assert {replay(record).verdict for record in first.values()} == {"violated"}


def test_what_is_not_refuted_is_told_with_its_tightest_check_and_how_far_below_the_ledger_it_is() -> None:
    mine = bound("deviation mean", name="mine", formula=lambda p, j: p.delta(j))
    found = evaluate(cell(mine, "saddle-noise", N=5))
    told = told_of(found)
    assert told.startswith(f"mine: not refuted in {len(found)} checks; tightest ")
    assert told.endswith(" % below the ledger's bound there")


def test_a_change_without_effect_is_told() -> None:
    assert told_of(evaluate(cell(bound("path", name="mine", C_L=0.0), "saddle"))) == (
        "mine: not refuted, but the same as the ledger's bound in all 1 checks"
    )


def test_the_ledgers_own_claims_have_no_answer() -> None:
    assert told_of(evaluate(cell("path", "saddle"))) == ""


def failing(p: Any, j: Any, distance: Any) -> Any:
    raise ZeroDivisionError("no such step")


@pytest.mark.parametrize(
    ("formula", "note"),
    [
        (failing, r"^FormulaError: path: ZeroDivisionError: no such step \(line \d+\)$"),
        (lambda p, j, distance: p.C_9, r"^FormulaError: path: AttributeError: .*'C_9' \(line \d+\)$"),
        (lambda p, j, distance: -1.0, r"^FormulaError: path gives -1: it must give a number >= 0$"),
        (lambda p, j, distance: np.nan * np.asarray(distance), r"path gives nan: it must give a number >= 0$"),
        (lambda p, j, distance: None, r"path gives None: it must give a number >= 0$"),
        (lambda p, j, distance: "big", r"path gives 'big': it must give a number >= 0$"),
        (lambda p, j, distance: np.ones(7), r"path gives an array \(7,\) where its arguments have \(\d+, 2, 1\)$"),
    ],
)
def test_a_formula_that_fails_is_an_error_and_refutes_nothing(formula: Any, note: str) -> None:
    (record,) = evaluate(cell(bound("path", name="mine", formula=formula), "saddle"))
    assert record.verdict == "error"
    assert re.search(note, record.note), record.note
    assert told_of([record]).startswith(
        "mine: open, 1 of 1 checks are error, on saddle, N = 2, near cap for one; again: "
    )


def test_a_formula_may_say_that_its_premise_fails() -> None:
    def silent(p: Any, j: Any, distance: Any) -> Any:
        raise PremiseError("j is too large")

    (record,) = evaluate(cell(bound("path", name="mine", formula=silent), "saddle"))
    assert (record.verdict, record.note) == ("vacuous", "j is too large")


@pytest.mark.parametrize(
    ("of", "fields", "line"),
    [
        ("pth", {"q": 1.0}, r"^claim = 'pth' is unknown; did you mean 'path'\?"),
        ("path", {}, r"^mine changes nothing: give formula, or a symbol of the paper by its name$"),
        ("path", {"sigmag": 1.0}, r"^sigmag is not a symbol of the paper; did you mean sigma_g\?$"),
        ("path", {"C_1": -1.0}, r"^C_1 = -1 is not allowed: C_1 must be a number >= 0$"),
        ("path", {"C_1": "1"}, r"^C_1 = '1' is not allowed: C_1 must be a number >= 0$"),
        ("path", {"formula": lambda p: 1.0}, r"^path is not allowed: its function must take \(p, j, distance\)$"),
        ("path", {"sigma": lambda p, j: 1.0}, r"^sigma is not allowed: its function must take \(sigma\)$"),
        ("path", {"C_1": lambda: 1.0}, r"^C_1 is not allowed: its function must take \(p\)$"),
        ("path", {"name": "path", "q": 1.0}, r"^two claims are named 'path'$"),
        ("path", {"name": "a\nb", "q": 1.0}, r"^name = 'a\\nb' is not allowed: it must be one line without a colon$"),
        ("path", {"name": "", "q": 1.0}, r"^name = '' is not allowed"),
        ("path on saddle", {"q": 1.0}, r"^of = 'path on saddle' is not allowed: .* bound, here 'path'$"),
        ("constants", {"L": 1.0}, r"^of = 'constants' is not allowed: it must be a claim with a bound$"),
        ("theorem exact", {"formula": lambda p: 1.0}, r"^formula is not allowed for theorem exact: change symbols"),
    ],
)
def test_what_cannot_be_a_bound_is_one_line(of: str, fields: dict[str, Any], line: str) -> None:
    with pytest.raises(ValueError, match=line) as caught:
        bound(of, **{"name": "mine", **fields})
    assert "\n" not in str(caught.value)


def test_a_formula_stands_in_for_the_bound_of_the_claims_name_or_the_only_one() -> None:
    assert set(bound("link", name="one", formula=lambda p, norm: norm).by.changes) == {"link"}  # type: ignore[attr-defined]
    assert set(bound("smoothness", name="two", formula=lambda p, norm: norm).by.changes) == {"L_w"}  # type: ignore[attr-defined]


@pytest.mark.parametrize("name", [name for name, made in claims().items() if not made.of])
def test_what_explain_shows_as_bounds_of_a_claim_is_what_it_reads(name: str) -> None:
    assert set(claims()[name].bounds) <= set(BOUNDS)


def test_a_claim_of_ones_own_meets_all_problems_at_all_stepsizes_of_the_sharp_ones() -> None:
    bound("link", name="mine", C_1=1.0)
    cells = plan(Selection(claims=("mine",), inner_steps=(1,), profile="quick"))
    met = {(each.problem, each.rule) for each in cells if each.claim == "mine"}
    assert {
        ("convex-quadratic", "small"),
        ("cusp-mismatch", "near cap"),
        ("quadratic", "fixed"),
        ("ramp", "small"),
    } <= met


def test_a_mutant_of_a_bound_of_ones_own_is_refuted_beside_it() -> None:
    halved = Mutant("halved", "saddle", N=2, formula=None, path=lambda p, j, distance: p.path(j, distance) / 2)
    bound("path", name="mine", q=lambda p, j: 1.01 * p.q(j), mutants=[halved])
    verdicts = [
        record.verdict
        for each in plan(Selection(claims=("mine",), profile="quick", mutants=True))
        for record in evaluate(each)
    ]
    assert verdicts == ["holds", "violated"]


FILE = """
from verify import Finding, bound
from verify.claim import claim, own

half = bound("path", name="half of path", path=lambda p, j, distance: 0.5 * p.path(j, distance))
bound("gradient growth", name="more growth", q=lambda p, j: {factor} * p.q(j))

@claim("mine alone", "MINE", "one is below two", says="1 ≤ 2", source=own(), measured="one", inner_steps=(1,))
def alone(cell):
    yield Finding(measured=1.0, bound=2.0)
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "bounds.py"
    path.write_text(FILE.format(factor=1.1))
    return path


def test_the_claims_of_a_file_are_found_by_their_names_and_variables(file: Path) -> None:
    assert find_claims(str(file)) == ["half of path", "more growth", "mine alone"]
    assert find_claims(f"{file}:half") == find_claims(f"{file}:Half-of-path") == ["half of path"]
    assert find_claims(f"{file}:alone") == ["mine alone"]


@pytest.mark.parametrize(
    ("text", "name", "line"),
    [
        (None, "", "there is no file"),
        ("x = 1", "", r"makes no claim: write verify.bound\(…\) or @claim\(…\) there$"),
        (FILE, "hlf", r"makes no claim 'hlf'; did you mean half of path\?$|makes no claim 'hlf'$"),
        (FILE, "more groth", r"makes no claim 'more groth'; did you mean more growth\?$"),
        ("1/0", "", r"cannot be imported: ZeroDivisionError: division by zero \(line 1\)$"),
        (
            "from verify import bound\nbound('path', name='m')",
            "",
            r"cannot be imported: m changes nothing.* \(line 2\)$",
        ),
    ],
)
def test_a_file_without_the_claim_is_one_line_and_exit_code_2(
    tmp_path: Path, text: str | None, name: str, line: str
) -> None:
    path = tmp_path / "bad.py"
    if text is not None:
        path.write_text(text.format(factor=2))
    with pytest.raises(ValueError, match=line):
        find_claims(f"{path}:{name}" if name else str(path))
    result = CliRunner().invoke(
        cli, ["run", "--claim", f"{path}:{name}" if name else str(path), "--out", str(tmp_path)]
    )
    assert (result.exit_code, result.stderr.count("\n")) == (2, 1)


def outcome(found: Any) -> dict[CellName, list[Record]]:
    return {each[0].cell: [replace(record, seconds=0.0) for record in each] for each in found}


def test_processes_that_know_nothing_of_it_load_the_file(file: Path) -> None:
    cells = plan(Selection(claims=(str(file),), problems=("saddle", "quadratic"), inner_steps=(1, 2), profile="quick"))
    assert {each.claim_spec for each in cells if not each.is_audit} == {f"{file}:"}
    with open_workers(1) as here, open_workers(2) as there:
        known = Provenance(claims_code(str(file)))
        assert outcome(run(cells, there, provenance=known)) == outcome(run(cells, here))


def test_an_edit_during_a_run_ends_it_and_a_later_one_is_not_resumed(file: Path, tmp_path: Path) -> None:
    chosen = Selection(claims=(str(file),), problems=("saddle",), inner_steps=(1,), profile="quick")
    cells = plan(chosen)
    summary = verify(chosen, tmp_path / "out")
    assert summary.header.settings["claims"] == ["half of path", "mine alone", "more growth"]
    with open_workers(1) as workers:
        found = run(cells, workers, provenance=Provenance(claims_code(str(file))))
        next(found)
        file.write_text(FILE.format(factor=1.2))
        with pytest.raises(RunError, match=r"^bounds.py was edited during the run: start it again with --overwrite$"):
            list(found)
    with pytest.raises(ValueError, match=r"cannot be resumed: user code was file bounds.py"):
        verify(chosen, tmp_path / "out", resume=True)


def test_a_run_of_a_file_is_resumed_compared_listed_and_explained(file: Path, tmp_path: Path) -> None:
    def invoke(*arguments: object) -> str:
        result = CliRunner().invoke(cli, [*map(str, arguments)])
        assert result.exit_code in (0, 1), result.output
        return str(result.stdout)

    out = tmp_path / "out"
    chosen = ("--claim", file, "--problem", "saddle", "--inner-steps", 1, "--profile", "quick", "--jobs", 1)
    first = invoke("run", *chosen, "--out", out)
    lines = (out / "records.jsonl").read_text().splitlines(keepends=True)
    (out / "records.jsonl").write_text("".join(lines[:-2]))
    assert "half of path: refuted by saddle, N = 1, " in first
    assert invoke("run", *chosen, "--out", out, "--resume").splitlines()[:-1] == first.splitlines()[:-1]
    assert "0 regressions, 0 other changes" in invoke("compare", out, out)
    assert "half of path: refuted by saddle" in invoke("show", out)
    listed = invoke("list", "--claim", file, "--out", out)
    assert "MINE\n  mine alone" in listed
    assert "3 holds; tightest 0.5000 on saddle" in listed.split("  mine alone")[1].split("\n\n")[0]
    assert "Bounds       path(p, j, distance)" in invoke("explain", f"{file}:half")


def test_two_files_of_one_name_need_two_runs(file: Path, tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    other = tmp_path / "other" / "bounds.py"
    other.write_text('from verify import bound\nbound("path", name="other", q=lambda p, j: 2 * p.q(j))\n')
    chosen = Selection(claims=(str(file), str(other)), problems=("saddle",), inner_steps=(1,), profile="quick")
    with pytest.raises(ValueError, match=r"^two different files are called bounds.py: they need two runs$"):
        verify(chosen, tmp_path / "out")


def test_a_change_tells_its_name_when_it_is_called() -> None:
    changes: Callable[..., Any] = bound("path", name="mine", q=lambda p, j: -1.0).by.changes["q"]  # type: ignore[attr-defined]
    with pytest.raises(FormulaError, match=r"^q gives -1: it must give a number >= 0$"):
        changes(1.0, 2)


def test_the_bound_of_the_guide_is_refuted_as_the_guide_says() -> None:
    guide = (Path(__file__).parents[2] / "docs" / "guides" / "own-bound.md").read_text(encoding="utf-8")
    exec(guide.split("```python\n")[1].split("```")[0], {})
    told = told_of(evaluate(cell("my deviation", "tent-kink", N=1, rule="recommended")))
    assert told.startswith("my deviation: refuted by tent-kink, N = 1, recommended, S = 1, all j ≤ 1: ")
    assert told in guide.replace("--claim mine.py:", "--claim ")
