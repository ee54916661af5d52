"""The starting file for a problem works where it is copied to, and its constants are attained, as it says."""

import shutil
from pathlib import Path

import pytest

from problems import registry
from problems.registry import Family
from tests.problems.suprema import declared, suprema
from verify.assertion import assert_claims
from verify.running.loading import load_problem

TEMPLATE = Path(__file__).parents[1] / "docs" / "templates" / "problem.py"


def test_the_template_is_a_problem(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    known: dict[str, Family] = {}
    monkeypatch.setattr(registry, "_FAMILIES", known)
    shutil.copy(TEMPLATE, tmp_path / "mine.py")
    spec = f"{tmp_path / 'mine.py'}:my_problem"
    problem = load_problem(spec, 1, 0.1)
    assert known["my-problem"].free == {"amplitude": 0.8, "sigma_g": 0.3}
    for name, found in suprema(problem).items():
        assert found == pytest.approx(declared(problem, name), rel=1e-4), name
    assert_claims(spec, ["constants", "meta-gradient"], inner_steps=[2])
