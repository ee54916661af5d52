"""The claim to begin with works where it is copied to: among the suite's own, and beside a user's problem."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import pytest

import verify.claims
from verify import claim as claim_module
from verify.claim import claims
from verify.reporting.ledger import summarise
from verify.running.evaluation import evaluate
from verify.running.records import Header
from verify.running.selection import Selection, plan

TEMPLATE = Path(__file__).parents[3] / "docs" / "templates" / "claim.py"
PROBLEM = '''
from problems.registry import family

def make():
    """Quadratic tasks."""
    return family("quadratic").build(1, 0.1)
'''


@pytest.fixture(autouse=True)
def forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    """Claims that a test adds are forgotten after it."""
    claims()
    monkeypatch.setattr(claim_module, "_CLAIMS", dict(claim_module._CLAIMS))
    assert "first step" not in claims()


def test_copied_into_the_suite_it_is_found_and_holds_and_its_mutants_fall(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copy(TEMPLATE, tmp_path / "first_step.py")
    monkeypatch.setattr(verify.claims, "__path__", [*verify.claims.__path__, str(tmp_path)])
    monkeypatch.setattr(claim_module, "FOLDER", tmp_path)
    claim_module._discover.cache_clear()
    try:
        names = [name for name in claims() if name.startswith("first step")]
        assert names == ["first step", "first step on saddle"]
        selection = Selection(claims=tuple(names), problems=(), inner_steps=(1,), profile="quick")
        summary = summarise(Header.new({}), [r for job in plan(selection) for r in evaluate(job)])
        assert summary.exit_code == 0
        assert all(claim.checks.keys() == {"holds"} for claim in summary.claims if claim.claim != "constants")
        wrong = Selection(claims=tuple(names), profile="quick", mutants=True)
        found = summarise(Header.new({}), [r for job in plan(wrong) for r in evaluate(job)]).mutants
        assert [mutant.status for mutant in found] == ["refuted", "refuted"]
    finally:
        sys.modules.pop("verify.claims.first_step", None)
        claim_module._discover.cache_clear()


def test_beside_a_user_s_problem_it_is_found_and_holds(tmp_path: Path) -> None:
    file = tmp_path / "mine.py"
    file.write_text(TEMPLATE.read_text(encoding="utf-8") + PROBLEM, encoding="utf-8")
    selection = Selection(problems=(f"{file}:make",), inner_steps=(1,), profile="quick")
    cells = [job for job in plan(selection) if job.claim == "first step"]
    assert {job.problem for job in cells} == {"mine.py:make"}
    assert {record.verdict for job in cells for record in evaluate(job)} == {"holds"}
