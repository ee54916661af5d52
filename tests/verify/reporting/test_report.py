from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest

from verify.reporting.ledger import summarise
from verify.reporting.mathematics import mathematics
from verify.reporting.report import chart, render, write_report
from verify.running.evaluation import evaluate
from verify.running.records import CellName, Header, Record

CellOf = Callable[..., CellName]
HOSTILE = "<script>alert('q')</script> & \"w_k\""
VOID = {"meta", "input", "br", "link", "path", "circle", "polyline"}


class Page(HTMLParser):
    """Reads a page and insists that its elements nest."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(text)
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag not in VOID:
            assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if not {"script", "style"} & set(self.open):
            self.text += data


def page(records: list[Record]) -> Page:
    return Page(render(summarise(Header.new({"seed": 7, "profile": "quick"}), records, 1.0), records))


def test_the_page_shows_every_claim_with_its_verdict_and_its_largest_ratio(cell_of: CellOf) -> None:
    records = [record for name in ("fake draws", "fake violated", "fake error") for record in evaluate(cell_of(name))]
    found = page(records)
    claims = {values["data-name"]: values for tag, values in found.tags if values.get("class") == "claim"}
    assert set(claims) == {"fake draws", "fake violated", "fake error"}
    assert claims["fake violated"]["data-verdicts"] == "violated"
    assert float(claims["fake violated"]["data-tightness"] or "") == 1.5
    assert "fakes.py:make, N = 1, recommended: w = [1.5]" in found.text
    assert "ZeroDivisionError: on purpose" in found.text
    assert "Traceback" in found.text
    assert "profile quick" in found.text
    assert "seed 7" in found.text


def test_the_page_needs_no_network(cell_of: CellOf) -> None:
    found = page(evaluate(cell_of("fake draws")))
    assert not [values for _, values in found.tags if {"src", "href", "action"} & values.keys()]
    assert "url(" not in render(summarise(Header.new({}), []), [])


@pytest.mark.parametrize("field", ["problem", "note", "label", "claim", "traceback"])
def test_text_of_a_user_is_escaped(cell_of: CellOf, field: str) -> None:
    records = [replace(record, **{field: HOSTILE}) for record in evaluate(cell_of("fake error"))]
    found = page(records)
    assert [tag for tag, _ in found.tags].count("script") == 1
    assert "alert('q')" in found.text


def test_a_wrong_constant_is_no_refutation(cell_of: CellOf, tmp_path: Path) -> None:
    (tmp_path / "wrong").touch()
    assert "Wrong constant." in page(evaluate(cell_of("constants of fakes"))).text
    (tmp_path / "wrong").unlink()


def test_estimated_constants_are_said(cell_of: CellOf) -> None:
    records = evaluate(cell_of("fake draws"))
    assert "with estimated constants" not in page(records).text
    assert "with estimated constants" in page([replace(record, estimated=("rho",)) for record in records]).text


def test_a_claim_that_was_not_judged_says_why(cell_of: CellOf) -> None:
    found = page([*evaluate(cell_of("fake draws")), *evaluate(cell_of("fake vacuous"))])
    assert "vacuous: alpha is past the cap" in found.text
    assert found.text.count("alpha is past the cap") == 2  # in the ledger's line, and where the claim is opened


def test_the_chart_shows_where_a_claim_was_judged_only(cell_of: CellOf) -> None:
    judged = [record for N in (1, 2) for record in evaluate(cell_of("fake draws", N))]
    silent = [replace(record, verdict="vacuous", tightness=0.0) for record in evaluate(cell_of("fake draws", 5))]
    assert re.search(r"N = 1: 0\.\d+, N = 2: 0\.\d+\s", page([*judged, *silent]).text + "\n")
    assert "N = 5: " not in page([*judged, *silent]).text


def test_an_empty_run_has_a_page(tmp_path: Path) -> None:
    path = write_report(tmp_path, summarise(Header.new({}), []), [])
    assert path.name == "report.html"
    assert Page(path.read_text(encoding="utf-8")).tags


def test_the_chart_puts_one_at_the_top_and_zero_at_the_bottom() -> None:
    assert chart([(1, 0.5)]) == ""
    heights = [float(y) for y in re.findall(r'cy="([\d.]+)"', chart([(1, 1.0), (5, 0.0), (20, 0.5)]))]
    assert heights == [4.0, 24.0, 14.0]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("q^{2N−1}L", "q<sup>2N−1</sup>L"),
        ("α_cap(N)", "α<sub>cap</sub>(N)"),
        ("2^{1/(2N)}", "2<sup>1/(2N)</sup>"),
        ("L_{w_k}", "L<sub>w<sub>k</sub></sub>"),
        ("E_τ σ_g²", "E<sub>τ</sub> σ<sub>g</sub>²"),
        ("C_2σ", "C<sub>2</sub>σ"),
        ("lower_bound", "lower_bound"),
        ("a < b & c", "a &lt; b &amp; c"),
        ("x_<b>", "x_&lt;b&gt;"),
    ],
)
def test_indices_become_markup_and_the_rest_is_escaped(text: str, expected: str) -> None:
    assert mathematics(text) == expected
