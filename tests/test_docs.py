"""The book and the code name the same claims, problems, symbols and fields, and what the guides show works."""

from __future__ import annotations

import importlib
import re
from collections.abc import Iterable
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest

from problems import families
from theory import Constants, Schedule, larger_cap, recommended_stepsize, stepsize_cap
from theory.symbols import NAMES
from verify.claim import claims
from verify.reporting.book import anchor
from verify.running.evaluation import DELTA, MAX_STATISTICAL
from verify.running.records import Header, Record
from verify.running.selection import Selection
from verify.suite import verify

DOCS = Path(__file__).parents[1] / "docs"
PAGES = {page: page.read_text(encoding="utf-8") for page in sorted(DOCS.rglob("*.md")) if "_build" not in page.parts}
ANCHORS = [anchor for text in PAGES.values() for anchor in re.findall(r"^\(([\w-]+)\)=$", text, flags=re.MULTILINE)]


def anchors(kind: str, names: Iterable[str]) -> set[str]:
    """Anchors of things of one kind: `claim-link-on-cusp` for the claim "link on cusp"."""
    return {anchor(kind, name) for name in names}


def written(kind: str) -> set[str]:
    return {anchor for anchor in ANCHORS if anchor.startswith(f"{kind}-")}


def test_every_claim_has_an_anchor_and_every_anchor_of_a_claim_its_claim() -> None:
    own = [name for name, made in claims().items() if made.module.startswith("verify.claims.")]
    assert written("claim") == anchors("claim", own)


def test_every_problem_has_an_anchor_and_every_anchor_of_a_problem_its_problem() -> None:
    assert written("problem") == anchors("problem", families())
    shown = {name for text in PAGES.values() for name in re.findall(r"```\{problem\} (\S+)", text)}
    assert shown == set(families())


def test_every_symbol_of_the_paper_has_an_anchor() -> None:
    symbols = {*NAMES, *(field.name for made in (Constants, Schedule) for field in fields(made))}
    capitals = {name.lower() for name in symbols if name[0].isupper()}
    # Anchors do not tell b from B.
    assert anchors("symbol", (f"small-{name}" if name in capitals else name for name in symbols)) <= set(ANCHORS)


def test_anchors_differ_in_more_than_case() -> None:
    lower = [anchor.lower() for anchor in ANCHORS]
    assert sorted(set(lower)) == sorted(lower)


def test_pictures_are_small_and_of_registered_problems() -> None:
    pictures = sorted((DOCS / "pictures").glob("*.svg"))
    assert pictures
    assert {picture.stem for picture in pictures} <= set(families())
    assert all(picture.stat().st_size < 40_000 for picture in pictures)


def test_each_instance_that_is_drawn_has_its_picture(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(DOCS / "tools"))
    drawn = importlib.import_module("pictures").PICTURES
    assert set(drawn) == {picture.stem for picture in (DOCS / "pictures").glob("*.svg")}


@pytest.mark.parametrize(("title", "made"), [("A record", Record), ("The header", Header)])
def test_the_table_of_the_format_names_every_field(title: str, made: Any) -> None:
    section = PAGES[DOCS / "reference" / "records.md"].split(f"## {title}\n")[1].split("\n## ")[0]
    first_cells = re.findall(r"^\| (`.*?) \|", section, flags=re.MULTILINE)
    assert re.findall(r"`(\w+)`", " ".join(first_cells)) == [field.name for field in in_table_order(made, first_cells)]


def in_table_order(made: Any, cells: list[str]) -> list[Any]:
    """Fields of a dataclass in the order of the table; a field that the table lacks comes last."""
    order = re.findall(r"`(\w+)`", " ".join(cells))
    return sorted(fields(made), key=lambda field: order.index(field.name) if field.name in order else len(order))


def test_the_stepsizes_of_the_guide_are_those_of_the_theory() -> None:
    guide = PAGES[DOCS / "guides" / "stepsizes.md"]
    rows = re.findall(r"^\| (\d+) \| ([\d.]+) \| ([\d.]+) \| ([\d.]+) \|$", guide, flags=re.MULTILINE)
    assert rows
    c = Constants(L=1.0)
    for row in rows:
        N = int(row[0])
        computed = [recommended_stepsize(c, N), stepsize_cap(c, N), larger_cap(c, N)]
        assert [float(shown) for shown in row[1:]] == pytest.approx([float(x) for x in computed], abs=5.001e-5)


def test_the_error_control_of_the_guide_is_that_of_the_runs() -> None:
    guide = PAGES[DOCS / "guides" / "evidence.md"]
    assert f"at most {MAX_STATISTICAL:,} statistical checks".replace(",", " ") in guide
    assert pytest.approx(1e-10) == DELTA
    assert "= 10^{-10}$" in guide


def blocks(page: str) -> list[str]:
    return re.findall(r"```python\n(.*?)```", PAGES[DOCS / "guides" / page], flags=re.DOTALL)


def test_the_run_from_python_is_within_the_theorem(capsys: pytest.CaptureFixture[str]) -> None:
    exec(blocks("start.md")[0], {})
    measured, bound = map(float, capsys.readouterr().out.split("<="))
    assert 0 < measured <= bound


def test_a_record_is_reproduced_as_the_guide_shows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    chosen = Selection(claims=("smoothness",), problems=("teeth",), inner_steps=(2,), profile="quick")
    verify(chosen, Path("results"))
    names: dict[str, Any] = {}
    for block in blocks("reproduce.md"):
        exec(block, names)
    replayed, by_hand = (line.split() for line in capsys.readouterr().out.splitlines())
    assert replayed[0] == replayed[1]
    assert float(by_hand[0]) == pytest.approx(float(by_hand[1]))
