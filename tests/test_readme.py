"""What the README shows works as shown."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```python\n(.*?)```", README, flags=re.DOTALL)


def block(start: str) -> str:
    (found,) = (text for text in BLOCKS if text.startswith(start))
    return found


def test_a_problem_of_ones_own_keeps_its_claims(assert_claims: Callable[..., Any]) -> None:
    names: dict[str, Any] = {}
    exec(block("# mine.py"), names)
    exec(block("def test_my_problem"), names)
    names["test_my_problem"](assert_claims)


def test_a_run_from_python_is_within_the_theorem(capsys: pytest.CaptureFixture[str]) -> None:
    exec(block("import numpy"), {})
    measured, bound = map(float, capsys.readouterr().out.split("<="))
    assert 0 < measured <= bound


def test_every_file_that_is_linked_exists() -> None:
    for target in re.findall(r"\]\(([^)#:]+)\)", README):
        assert (ROOT / target).exists(), target
