"""The fixture `assert_meta_gradient`, in the tests of somebody else."""

from __future__ import annotations

from pathlib import Path

import pytest

pytest_plugins = ["pytester"]

ROOT = Path(__file__).parents[3]

THEIR_TESTS = """
import numpy as np

def right(tasks, w, alpha, N):
    total = np.zeros_like(w)
    for task in tasks:
        path = [w]
        for _ in range(N):
            path.append(path[-1] - alpha * task.train.gradient(path[-1]))
        v = task.test.gradient(path.pop())
        for point in reversed(path):
            v = v - alpha * task.train.hvp(point, v)
        total += v
    return total / len(tasks)

def test_right(assert_meta_gradient):
    assert assert_meta_gradient(right, framework="numpy").diagnosis.is_exact

def test_wrong(assert_meta_gradient):
    assert_meta_gradient(lambda tasks, w, alpha, N: len(tasks) * right(tasks, w, alpha, N), framework="numpy")

def test_unusable(assert_meta_gradient):
    assert_meta_gradient(right)
"""


def test_it_passes_what_is_right_and_diagnoses_what_is_wrong(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    pytester.makepyfile(THEIR_TESTS)
    result = pytester.runpytest_subprocess("-p", "maml_theory_pytest", "--tb=short", "-W", "error")
    result.assert_outcomes(passed=1, failed=2)
    result.stdout.fnmatch_lines(
        [
            "E*AssertionError: <lambda> (NumPy): relative error of the meta-gradient",
            "E*sum over tasks: this is the sum over tasks in place of the mean",
            "E*ValueError: framework of right is not known: annotate w*",
        ]
    )
