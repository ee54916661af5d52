"""The examples run, as a reader would run them, and their claims hold."""

from __future__ import annotations

import importlib.util
import re
import sys
from pathlib import Path

import pytest

from problems.problem import Problem
from verify import claim as claim_module
from verify.advice import advise
from verify.assertion import assert_claims
from verify.claim import claims
from verify.running.loading import load_problem
from verify.running.selection import find_claims

EXAMPLES = Path(__file__).parents[1] / "examples"

needs_torch = pytest.mark.skipif(importlib.util.find_spec("torch") is None, reason="the extra torch is not installed")


def example(spec: str) -> Problem:
    return load_problem(str(EXAMPLES / spec), 2, 0.1)


def test_the_bandit_has_estimated_constants_and_keeps_its_claims() -> None:
    problem = example("softmax_bandit.py:bandit")
    assert (problem.case, problem.number_of_tasks, problem.noise is not None) == ("resampling", 4, True)
    assert set(problem.estimated) >= {"L", "rho", "sigma", "sigma_g", "sigma_H"}
    assert "lower_bound" not in problem.estimated
    claims = {"path", "link", "bias per task"}
    records = assert_claims(problem, claims, inner_steps=2)
    assert {record.claim for record in records} >= claims
    assert {record.estimated for record in records if record.claim in claims} == {problem.estimated}


@needs_torch
def test_the_network_has_estimated_constants_and_keeps_its_claims() -> None:
    problem = example("sinusoid.py:sinusoid")
    assert (problem.case, problem.dim, problem.number_of_tasks) == ("finite-sum", 40, 8)
    assert (problem.train_size, problem.test_size) == (10, 10)
    assert problem.estimated == ("L", "rho", "sigma", "b", "b_sq", "lower_bound", "gradient_bound")
    claims = {"path", "link"}
    records = assert_claims(problem, claims, inner_steps=2)
    assert {record.claim for record in records} >= claims
    advice = advise(problem, [1, 5], alpha=[0.01], steps=5)
    for known in advice.advised:
        assert known.on_paths.L < problem.constants.L
        words = {verdict.words(5) for verdict in known.verdicts if verdict.alpha == 0.01}
        assert words == {"stable in 5 steps, not certified"}


def test_the_diagnosis_has_proved_smoothness_and_keeps_its_claims() -> None:
    problem = example("breast_cancer.py:diagnosis")
    assert (problem.case, problem.train_size, problem.test_size) == ("finite-sum", 10, 10)
    assert problem.estimated == ("sigma", "b", "b_sq")
    claims = {"meta-gradient", "gradient growth", "smoothness", "oracle calls"}
    records = assert_claims(problem, claims, inner_steps=2)
    assert {record.claim for record in records} >= claims


def test_an_example_that_lacks_a_module_is_one_line(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setitem(sys.modules, "problems.data", None)
    copy = tmp_path / "breast_cancer.py"  # a file of its own, which is not yet loaded
    copy.write_text((EXAMPLES / "breast_cancer.py").read_text())
    with pytest.raises(ValueError, match=r"cannot be imported: ModuleNotFoundError: .*problems.data") as caught:
        load_problem(f"{copy}:diagnosis", 2, 0.1)
    assert "\n" not in str(caught.value)


def test_of_the_bounds_the_tempting_one_is_refuted_and_the_others_are_not(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(claim_module, "_CLAIMS", dict(claims()))
    places = {"tempting link": "convex-quadratic", "deviation by Jensen": "saddle-noise", "last step": "saddle"}
    assert find_claims(str(EXAMPLES / "own_bound.py")) == list(places)
    with pytest.raises(AssertionError, match="violated: tempting link on convex-quadratic"):
        assert_claims(places.pop("tempting link"), str(EXAMPLES / "own_bound.py:tempting_link"), inner_steps=1)
    for claim, problem in places.items():
        records = assert_claims(problem, f"{EXAMPLES / 'own_bound.py'}:{claim}", inner_steps=[1, 2])
        assert max(r.tightness or 0.0 for r in records if r.claim == claim) > 0.999


@pytest.mark.parametrize("file", sorted(EXAMPLES.glob("*.py")), ids=lambda file: file.name)
def test_each_docstring_shows_a_command_that_names_what_is_there(file: Path) -> None:
    text = file.read_text()
    found = re.search(r"python -m verify run --(?:problem|claim) examples/([^\s:]+)(?::(\S+))?", text.split('"""')[1])
    assert found is not None
    assert found[1] == file.name
    assert found[2] is None or f"def {found[2]}(" in text
