from __future__ import annotations

import itertools
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from problems.registry import families
from verify.claim import claims
from verify.commands.main import cli
from verify.running.records import MUTANTS, RECORDS, Record, header_path, read

Invoke = Callable[..., Result]
ROOT = Path(__file__).parents[3]


@pytest.fixture
def invoke(tmp_path: Path) -> Invoke:
    """Call the command line in this process; `run` with one process and results in a new directory."""

    def invoke(*args: object) -> Result:
        more = ["--jobs", 1, "--out", tmp_path / "out"] if args[0] == "run" and "--out" not in args else []
        result = CliRunner().invoke(cli, [*map(str, args), *map(str, more)])
        assert result.exception is None or isinstance(result.exception, SystemExit), result.exc_info
        return result

    return invoke


def fake(*names: str) -> list[str]:
    return [part for name in names for part in ("--claim", f"fake {name}")] + ["--inner-steps", "1,2"]


@pytest.mark.parametrize(
    ("names", "code"),
    [
        (["draws", "vacuous"], 0),
        (["draws", "violated", "error"], 1),
        (["draws", "interval"], 3),
        (["error"], 3),
        (["needs"], 4),
    ],
)
def test_run_prints_a_table_and_exits_with_the_verdict(
    invoke: Invoke, fakes: str, names: list[str], code: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "100")
    result = invoke("run", "--problem", fakes, *fake(*names))
    assert result.exit_code == code, result.output
    assert "FAKE" in result.stdout
    assert all(f"fake {name}" in result.stdout for name in names)
    table = itertools.takewhile(lambda line: not re.match(r"[\w ]+: |\d", line), result.stdout.splitlines())
    assert max(map(len, table)) <= 100
    assert result.stderr == ""


def test_a_run_leaves_records_and_summaries(invoke: Invoke, fakes: str, tmp_path: Path) -> None:
    result = invoke("run", "--problem", fakes, *fake("draws"), "--seed", 7)
    out = tmp_path / "out"
    assert f"records in {out}" in result.stdout
    run = read(out)
    assert run.header.settings["seed"] == 7
    assert run.header.settings["inner_steps"] == [1, 2]
    assert set(run.header.settings["user code"]) == {"file fakes.py", "problem fakes.py:make"}
    assert {record.seed for record in run.records} == {7}
    claims_of = [record.claim for record in run.records]
    assert claims_of.index("fake draws") > claims_of.index("constants of fakes")
    assert json.loads((out / "summary.json").read_text())["exit_code"] == 0
    assert "fake draws" in (out / "summary.md").read_text()
    assert "fake draws" in (out / "report.html").read_text()


def test_a_violation_is_named_below_the_table(invoke: Invoke, fakes: str) -> None:
    result = invoke("run", "--problem", fakes, *fake("violated"))
    assert "fake violated: refuted by fakes.py:make, N = 1, recommended: 1.5 > 1; again: " in result.stdout


def test_what_was_not_judged_is_explained_below_the_table(invoke: Invoke, fakes: str) -> None:
    result = invoke("run", "--problem", fakes, *fake("draws", "vacuous", "needs", "silent"))
    assert "vacuous: alpha is past the cap (4 checks of fake vacuous)\n" in result.stdout
    assert "inapplicable: the claim has nothing to check here (4 checks of fake silent)\n" in result.stdout
    assert "inapplicable: speaks of the finite-sum case only (1 check of fake needs)\n" in result.stdout
    assert "of fake draws" not in result.stdout


def test_claims_that_were_not_judged_for_one_reason_share_a_line(invoke: Invoke, fakes: str) -> None:
    Path(fakes).with_name("wrong").touch()
    names = ("draws", "violated", "slow", "vacuous", "nan", "interval")
    result = invoke("run", "--problem", fakes, *fake(*names))
    (line,) = [line for line in result.stdout.splitlines() if line.startswith("inapplicable: ")]
    assert line.startswith("inapplicable: the audit refuted the constant rho (24 checks of fake ")
    assert line.endswith(" and 2 more)")


def test_a_wrong_constant_is_no_refutation_of_the_theory(invoke: Invoke, fakes: str) -> None:
    Path(fakes).with_name("wrong").touch()
    result = invoke("run", "--problem", fakes, *fake("draws", "violated"))
    assert result.exit_code == 1
    assert "fakes.py:make: the audit refuted the constant rho: 2 > 1" in result.stdout
    assert "refuted by" not in result.stdout


def test_a_resumed_run_knows_what_the_audit_refuted(invoke: Invoke, fakes: str, tmp_path: Path) -> None:
    """The first run ended after its audits."""
    Path(fakes).with_name("wrong").touch()
    arguments = ("run", "--problem", fakes, *fake("draws"))
    whole = invoke(*arguments)
    path = tmp_path / "out" / RECORDS
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join(line for line in lines if b'"claim": "constants' in line))
    assert invoke(*arguments, "--resume").exit_code == whole.exit_code == 1
    assert {record.verdict for record in read(path).records if record.claim == "fake draws"} == {"inapplicable"}


@pytest.mark.parametrize(
    ("first", "again"),
    [
        (("--profile", "quick"), ("--profile", "quick", "--inner-steps", "5,1,0,2,1")),
        (("--claim", "fake needs", "--claim", "FAKE_draws"), ("--claim", "fake-draws", "--claim", "fake needs")),
    ],
)
def test_settings_that_say_the_same_can_be_resumed(
    invoke: Invoke, fakes: str, first: tuple[str, ...], again: tuple[str, ...]
) -> None:
    claim = () if "--claim" in first else ("--claim", "fake draws")
    assert invoke("run", "--problem", fakes, *claim, *first).exit_code == 0
    assert invoke("run", "--problem", fakes, *claim, *again, "--resume").exit_code == 0


def test_resume_runs_only_what_is_missing_or_failed(invoke: Invoke, fakes: str, tmp_path: Path) -> None:
    arguments = ("run", "--problem", fakes, *fake("draws", "error"))
    assert invoke(*arguments).exit_code == 3
    again = invoke(*arguments)
    assert (again.exit_code, again.stderr.count("\n")) == (2, 1)
    assert "go on with --resume, replace them with --overwrite, or choose another --out" in again.stderr
    before = read(tmp_path / "out").records
    Path(fakes).with_name("mended").touch()
    assert invoke(*arguments, "--resume").exit_code == 0
    after = read(tmp_path / "out").records
    kept = [record for record in before if record.claim != "fake error"]
    assert [record for record in after if record.claim != "fake error"] == kept  # to the digits of their times
    assert {record.verdict for record in after} == {"holds"}
    other = invoke(*arguments, "--resume", "--seed", 3)
    assert (other.exit_code, other.stderr) == (
        2,
        f"error: {tmp_path / 'out' / RECORDS} cannot be resumed: seed was 0 and is 3 (--overwrite starts again)\n",
    )


def test_a_run_makes_no_more_statistical_checks_than_its_error_allows(
    invoke: Invoke, fakes: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Four checks have intervals; those that an earlier run made count as well."""
    command = ["run", "--problem", fakes, *fake("draws", "interval")]
    monkeypatch.setattr("verify.suite.MAX_STATISTICAL", 3)
    for more in ([], ["--resume"], ["--resume"]):
        result = invoke(*command, *more)
        assert result.exit_code == 3
        assert re.fullmatch(r"error: more than 3 statistical checks: the chance .* fewer claims.*\n", result.stderr)
    assert sum(record.upper is not None for record in read(tmp_path / "out").records) == 4
    monkeypatch.setattr("verify.suite.MAX_STATISTICAL", 4)
    assert "4 inconclusive" in invoke(*command, "--resume").stdout


def test_a_changed_file_is_another_problem(invoke: Invoke, fakes: str) -> None:
    arguments = ("run", "--problem", fakes, *fake("draws"))
    assert invoke(*arguments).exit_code == 0
    file = Path(fakes.rpartition(":")[0])
    file.write_text(file.read_text(encoding="utf-8") + "\n", encoding="utf-8")
    result = invoke(*arguments, "--resume")
    assert (result.exit_code, "user code was" in result.stderr) == (2, True)


def test_mutants_are_refuted_or_named(invoke: Invoke, fakes: str, tmp_path: Path) -> None:
    result = invoke("run", "--problem", fakes, "--problem", "quadratic", "--claim", "fake draws", "--mutants")
    assert result.exit_code == 1
    assert "3 mutants" in result.stdout
    assert "1 error, 1 refuted, 1 survived" in result.stdout
    assert "survived: mutant 'loose' of fake draws on quadratic" in result.stdout
    assert "error: mutant 'crashing' of fake draws on quadratic" in result.stdout
    assert (tmp_path / "out" / MUTANTS).exists()
    assert not (tmp_path / "out" / RECORDS).exists()


def test_list_shows_the_ledger_and_what_was_found(invoke: Invoke, fakes: str, tmp_path: Path) -> None:
    empty = invoke("list", "--out", tmp_path / "nothing")
    assert empty.exit_code == 0
    assert "No results" in empty.stdout
    assert all(_letters(claim.title) in _letters(empty.stdout) for claim in claims().values())
    invoke("run", "--problem", fakes, *fake("draws", "violated"))
    found = invoke("list", "--out", tmp_path / "out").stdout
    assert "8 holds; tightest" in found
    assert "4 violated; tightest 1.5000" in found
    assert _letters("on fakes.py:make, N = ") in _letters(found)


def test_list_shows_the_problems(invoke: Invoke) -> None:
    lines = invoke("list", "--problems").stdout.splitlines()
    assert [line.split()[0] for line in lines if not line.startswith(" ")] == list(families())


@pytest.mark.parametrize("arguments", [["list"], ["list", "--problems"], ["explain", "link"], ["explain", "teeth"]])
def test_at_80_columns_no_line_is_broken(invoke: Invoke, arguments: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    lines = [line for line in invoke(*arguments).stdout.splitlines() if "#claim-" not in line]  # a link stays whole
    assert max(map(len, lines)) <= 80


def test_explain_tells_everything_about_a_claim(invoke: Invoke) -> None:
    for name, claim in claims().items():
        shown = _letters(invoke("explain", name).stdout)
        for text in (claim.title, claim.source.text, claim.says, claim.sharpness, *(m.name for m in claim.mutants)):
            assert _letters(text) in shown


def _letters(text: str) -> str:
    """Text without the places where a narrow terminal may break it."""
    return "".join(text.split())


def test_compare_finds_no_difference_of_a_run_to_itself_and_a_regression(
    invoke: Invoke, fakes: str, tmp_path: Path
) -> None:
    invoke("run", "--problem", fakes, *fake("draws"))
    out = tmp_path / "out"
    same = invoke("compare", out, out)
    assert (same.exit_code, "0 regressions" in same.stdout) == (0, True)
    first, *lines = (out / RECORDS).read_text(encoding="utf-8").splitlines(keepends=True)
    record = Record.from_json(first)
    worse = replace(record, measured=2 * (record.bound or 0.0), tightness=2.0, verdict="violated")
    (tmp_path / "worse.jsonl").write_text("".join([worse.to_json() + "\n", *lines]), encoding="utf-8")
    shutil.copy(header_path(out / RECORDS), header_path(tmp_path / "worse.jsonl"))
    assert invoke("compare", out, tmp_path / "worse.jsonl").exit_code == 1


def test_an_edited_record_is_noticed_by_all_who_read_it(invoke: Invoke, fakes: str, tmp_path: Path) -> None:
    run = ("run", "--problem", fakes, *fake("violated"))
    assert invoke(*run).exit_code == 1
    out = tmp_path / "out"
    text = (out / RECORDS).read_text(encoding="utf-8").replace('"verdict": "violated"', '"verdict": "holds"')
    (out / RECORDS).write_text(text, encoding="utf-8")
    for command in (("list", "--out", out), ("compare", out, out), (*run, "--resume")):
        result = invoke(*command)
        assert (result.exit_code, result.stderr.count("\n")) == (2, 1)
        assert "was edited: its numbers do not give the verdict holds" in result.stderr


def scaled(record: Record, factor: float) -> Record:
    """The record of a larger measurement."""
    measured = factor * (record.measured or 0.0)
    bound = record.bound or 1.0
    return replace(record, measured=measured, tightness=measured / bound, attained=False)


def test_compare_lets_a_tightness_move_by_one_percent(invoke: Invoke, fakes: str, tmp_path: Path) -> None:
    invoke("run", "--problem", fakes, *fake("draws"))
    lines = (tmp_path / "out" / RECORDS).read_bytes().splitlines(keepends=True)
    records = [Record.from_json(line) for line in lines]
    shutil.copy(header_path(tmp_path / "out" / RECORDS), header_path(tmp_path / "moved.jsonl"))
    for factor, code in ((1 / 1.009, 0), (1 / 1.012, 1)):
        moved = [scaled(record, factor).to_json() for record in records]
        path = tmp_path / "moved.jsonl"
        path.write_text("".join(f"{line}\n" for line in moved), encoding="utf-8")
        assert invoke("compare", tmp_path / "out", path).exit_code == code


def test_plan_prints_text_and_json(invoke: Invoke) -> None:
    constants = ["--L", 2, "--rho", 1.5, "--sigma", 0.7, "--b", 0.2, "--b-sq", 0.1, "--delta", 3]
    request = [*constants, "-N", 5, "--eps", 0.2, "--case", "exact"]
    assert "certifies" in invoke("plan", *request).stdout
    planned = json.loads(invoke("plan", *request, "--json").stdout)
    assert planned["schedule"]["N"] == 5
    infeasible = invoke("plan", *request, "--rho", "inf")
    assert (infeasible.exit_code, infeasible.stderr.count("\n")) == (2, 1)
    assert "missing: --rho, which the exact theorem needs" in infeasible.stderr


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("runn", "command = 'runn' is unknown; did you mean run?"),
        ("--claims path", "No such option"),
        ("run extra", "Got unexpected extra argument (extra)"),
        ("run --claim pth", "claim = 'pth' is unknown; did you mean 'path'?"),
        ("run --problem quadratics", "problem = 'quadratics' is unknown; did you mean quadratic?"),
        ("run --problem missing.py:make", "there is no file"),
        ("run --inner-steps 1,x", "'1,x' is not allowed: integers >= 0, separated by commas"),
        ("run --inner-steps -1", "inner steps N = -1 is not allowed"),
        ("run --inner-steps=", "'' is not allowed: integers >= 0"),
        ("run --profile fast", "'fast' is not one of 'quick', 'default', 'full'"),
        ("run --seed -1", "-1 is not in the range x>=0"),
        ("run --jobs 0", "0 is not in the range 1<=x<=256"),
        ("run --resume --overwrite", "--resume and --overwrite exclude each other"),
        ("run --jobs 2 --scheduler tcp://host:1", "--jobs and --scheduler exclude each other"),
        ("run --scheduler nowhere", "scheduler = 'nowhere' is not an address"),
        ("run --claim path --problem kink --inner-steps 3 --out /dev/null/x --jobs 1", "cannot write to /dev/null/x"),
        ("explain", "Missing argument 'CLAIM|PROBLEM'"),
        ("explain lnk", "claim = 'lnk' is unknown; did you mean 'link'?"),
        ("compare nowhere nowhere", "cannot read nowhere: No such file or directory"),
        ("compare nowhere nowhere --tolerance=-1", "tolerance = -1 is not allowed"),
        ("plan --L 1", "Missing option '-N'"),
        (
            "plan --delta 1 -N 1 --eps 0.1",
            "missing: --L, --sigma, --sigma-g, --rho, --sigma-H, which the resampling theorem needs as finite numbers",
        ),
        ("plan --L 1 --delta 1 -N 0 --eps 0.1 --case exact", "missing: --sigma, which the exact theorem needs"),
    ],
)
def test_bad_input_is_one_line_and_exit_code_2(arguments: str, message: str) -> None:
    result = CliRunner().invoke(cli, arguments.split())
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.startswith("error: ")
    assert result.stderr.count("\n") == 1
    assert message in result.stderr


def test_a_failure_of_our_own_is_one_line_and_exit_code_3(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """1 would be a violated bound."""

    def broken(*args: object, **more: object) -> None:
        raise TypeError("two\nlines")

    monkeypatch.setattr("verify.suite.verify", broken)
    result = CliRunner().invoke(cli, ["run", "--out", str(tmp_path)])
    assert result.exit_code == 3
    assert re.fullmatch(r"error: internal failure: TypeError: two lines \(test_main.py, line \d+\)\n", result.stderr)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
@pytest.mark.parametrize(
    ("redirection", "code", "line"),
    [
        ("> /dev/full", 3, "error: cannot go on: OSError: [Errno 28] No space left on device\n"),
        ("| true", 3, "error: cannot go on: standard output was closed\n"),
        (">&-", 0, ""),
        ("> /dev/null", 0, ""),
    ],
)
@pytest.mark.parametrize("command", ["explain path", "run --help"])
def test_a_standard_output_that_is_full_or_closed_is_one_line(
    command: str, redirection: str, code: int, line: str
) -> None:
    # What is written to a pipe fails only after its reader has left.
    call = f"(sleep 0.5; exec {sys.executable} -m verify {command})"
    script = f"{call} {redirection}; exit ${{PIPESTATUS[0]}}"
    done = subprocess.run(["bash", "-c", script], cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (code, line)


def test_what_a_console_cannot_show_is_replaced() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "verify", "explain", "path"],
        cwd=ROOT,
        env={**os.environ, "PYTHONIOENCODING": "cp1252"},
        capture_output=True,
        check=True,
    )
    assert b"?" in done.stdout


def test_there_is_one_process_for_each_core_unless_told(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []

    def record(*args: object, jobs: int, **more: object) -> None:
        asked.append(jobs)
        raise ValueError("enough is known")

    monkeypatch.setattr("verify.suite.verify", record)
    monkeypatch.setattr("verify.commands.run.cores", lambda: 5)
    for arguments in ([], ["--jobs", "7"]):
        assert CliRunner().invoke(cli, ["run", *arguments]).stderr == "error: enough is known\n"
    assert asked == [5, 7]


def test_no_command_means_run(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, fakes: str) -> None:
    result = CliRunner().invoke(
        cli, ["--problem", fakes, *fake("draws"), "--jobs", "1", "--out", str(tmp_path / "out")]
    )
    assert result.exit_code == 0
    assert read(tmp_path / "out").records


def test_start_up_imports_nothing_slow() -> None:
    """The listing takes less than half a second: what is slow to import is not imported."""
    script = "import sys; from verify.commands.main import cli; cli(['list'], standalone_mode=True)\n"
    probe = (
        "import sys, atexit\n"
        "atexit.register(lambda: print(sorted({name.split('.')[0] for name in sys.modules}), file=sys.stderr))\n"
    )
    done = subprocess.run([sys.executable, "-c", probe + script], capture_output=True, text=True, check=True)
    loaded = done.stderr
    for package in ("scipy", "rich", "jinja2", "matplotlib", "distributed", "sklearn", "threadpoolctl"):
        assert f"'{package}'" not in loaded
