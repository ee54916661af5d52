"""What the guide shows is what a reader gets."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from click.testing import CliRunner

from verify.commands.main import cli
from verify.implementation.mistakes import OVER_TASKS, PER_TASK

ROOT = Path(__file__).parents[3]
GUIDE = (ROOT / "docs" / "guides" / "implementation.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    found = re.findall(r"^```(\w*)\n(.*?)^```$", GUIDE, flags=re.DOTALL | re.MULTILINE)
    return [text for kind, text in found if kind == language]


def test_the_adapter_gives_the_table_that_is_shown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for library in ("torch", "array_api_compat"):
        pytest.importorskip(library, reason="the extra implementations is not installed")
    monkeypatch.chdir(tmp_path)
    Path("mine.py").write_text(blocks("python")[0])
    command, shown = (block.strip() for block in blocks(""))
    result = CliRunner().invoke(cli, command.split()[3:])
    assert result.exit_code == 1
    assert result.stdout.strip() == shown


@pytest.mark.parametrize("name", [part.name for part in PER_TASK + OVER_TASKS if part.name])
def test_the_catalogue_has_every_mistake(name: str) -> None:
    assert f"`{name}`" in GUIDE.split("## The catalogue")[1]


def test_every_example_is_in_the_table() -> None:
    for file in (ROOT / "examples" / "implementations").glob("*.py"):
        for function in re.findall(r"^def (\w+)", file.read_text(encoding="utf-8"), flags=re.MULTILINE):
            assert f"`{file.name}:{function}`" in GUIDE
