"""The fixture `assert_claims`, in the tests of somebody else."""

from __future__ import annotations

import sys
import tomllib
from pathlib import Path

import pytest

import maml_theory_pytest

pytest_plugins = ["pytester"]

ROOT = Path(__file__).parents[2]
HEAVY = ("numpy", "scipy", "theory", "problems", "verify", "figures")

THEIR_TESTS = """
import pytest
from problems import from_functions

@pytest.fixture(scope="module", params=[1.0, 0.5])
def problem(request):
    def task(centre):
        return {"value": lambda w: 0.5 * (w - centre) @ (w - centre), "gradient": lambda w: w - centre,
                "hvp": lambda w, v: v}
    constants = {"L": request.param, "rho": 0.0, "sigma": 2.0, "lower_bound": 0.0, "gradient_bound": 9.0}
    return from_functions([task(-2.0), task(2.0)], dim=1, constants=constants)

def test_mine(problem, assert_claims):
    records = assert_claims(problem, ["path", "gradient growth"], inner_steps=[1, 5])
    assert {record.verdict for record in records} == {"holds"}
"""


@pytest.fixture
def theirs(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> pytest.Pytester:
    """A project of somebody else, which sees the plugin whether or not this repository is installed."""
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    return pytester


def test_claims_that_hold_pass_and_a_wrong_constant_fails_in_a_few_lines(theirs: pytest.Pytester) -> None:
    theirs.makepyfile(THEIR_TESTS)
    result = theirs.runpytest_subprocess("-p", "maml_theory_pytest", "--tb=short", "-W", "error")
    result.assert_outcomes(passed=1, failed=1)
    result.stdout.fnmatch_lines(
        [
            "E*AssertionError: the audit of the constants fails: nothing else was examined (1 of * checks)",
            "E*violated: constants on user problem, *L: measured *, bound *",
        ]
    )


def test_the_plugin_imports_nothing_heavy_before_it_is_used(theirs: pytest.Pytester) -> None:
    theirs.makepyfile(f"""
        import sys

        def test_light():
            assert not [name for name in {HEAVY} if name in sys.modules]
    """)
    result = theirs.runpytest_subprocess("-p", "maml_theory_pytest", "--import-mode=importlib", "--doctest-modules")
    result.assert_outcomes(passed=1)


THEIR_VERIFY = """
def answer():
    return 42
"""

USES_THEIR_VERIFY = """
import verify

def test_their_own_module():
    assert verify.answer() == 42
"""


def test_a_project_with_a_module_verify_of_its_own_keeps_working(theirs: pytest.Pytester) -> None:
    theirs.makepyfile(verify=THEIR_VERIFY, test_theirs=USES_THEIR_VERIFY)
    theirs.runpytest_subprocess("-p", "maml_theory_pytest").assert_outcomes(passed=1)


def test_where_their_module_hides_the_suite_the_fixture_says_so_in_one_line(theirs: pytest.Pytester) -> None:
    theirs.makepyfile(verify=THEIR_VERIFY, test_theirs=USES_THEIR_VERIFY + "def test_ours(assert_claims): ...")
    result = theirs.runpytest_subprocess("-p", "maml_theory_pytest")
    result.assert_outcomes(passed=1, errors=1)
    result.stdout.fnmatch_lines(["assert_claims cannot be loaded: No module named 'verify.assertion'; *"])


def test_the_entry_point_names_the_plugin() -> None:
    metadata = tomllib.loads((ROOT / "pyproject.toml").read_text())
    assert metadata["project"]["entry-points"]["pytest11"] == {"maml_theory": "maml_theory_pytest"}
    assert metadata["tool"]["setuptools"]["py-modules"] == ["maml_theory_pytest"]
    assert sys.modules["maml_theory_pytest"] is maml_theory_pytest
