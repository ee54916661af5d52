from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import replace
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from verify.reporting.compare import Change, Comparison
from verify.reporting.ledger import summarise
from verify.reporting.mathematics import mathematics
from verify.reporting.plot import by_steps, plot
from verify.reporting.report import COLUMNS, render, write_report
from verify.reporting.summary_files import number
from verify.running.evaluation import evaluate
from verify.running.records import CellName, Header, Record

CellOf = Callable[..., CellName]
HOSTILE = "<script>alert('q')</script> & \"w_k\""
VOID = {"meta", "input", "br", "link", "path", "circle", "polyline"}
TIGHTNESS, VERDICT = COLUMNS.index("tightness"), COLUMNS.index("verdict")


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


def checks(text: str) -> list[list[Any]]:
    """Rows of the page's own data."""
    found = re.search(r'<script type="application/json" id="checks">(.*?)</script>', text, re.DOTALL)
    assert found
    return json.loads(found[1])["rows"]


def page(records: list[Record]) -> Page:
    return Page(render(summarise(Header.new({"seed": 7, "profile": "quick"}), records, 1.0), records))


def test_the_page_shows_every_claim_with_its_verdict_and_its_largest_ratio(cell_of: CellOf) -> None:
    records = [record for name in ("fake draws", "fake violated", "fake error") for record in evaluate(cell_of(name))]
    found = page(records)
    assert {values["data-claim"] for tag, values in found.tags if tag == "tr" and values.get("class") == "claim"} == {
        "fake draws",
        "fake violated",
        "fake error",
    }
    assert re.search(r"violated\s+1\s+1\.5\s+1\s+1\.5000\s+fakes\.py:make, N = 1", found.text)
    assert "w = [1.5]" in found.text
    assert "ZeroDivisionError: on purpose" in found.text
    assert "Traceback" in found.text
    assert "profile quick" in found.text
    assert "seed 7" in found.text
    assert f"3 claims were examined by {len(records)} checks" in found.text


def test_the_page_has_every_check(cell_of: CellOf) -> None:
    records = [record for name in ("fake draws", "fake violated", "fake vacuous") for record in evaluate(cell_of(name))]
    rows = checks(render(summarise(Header.new({"seed": 7, "profile": "quick"}), records, 1.0), records))
    assert [row[VERDICT] for row in rows] == [record.verdict for record in records]
    assert [row[TIGHTNESS] for row in rows] == [record.tightness for record in records]


def test_headers_sort_and_have_a_scope(cell_of: CellOf) -> None:
    headers = [values for tag, values in page(evaluate(cell_of("fake draws"))).tags if tag == "th"]
    assert headers
    assert all("scope" in values for values in headers)


def test_headings_nest_and_there_is_one_title(cell_of: CellOf) -> None:
    levels = [int(tag[1]) for tag, _ in page(evaluate(cell_of("fake draws"))).tags if re.fullmatch("h[1-6]", tag)]
    assert levels.count(1) == 1
    assert all(below - above <= 1 for above, below in pairwise(levels))


def test_the_page_needs_no_network(cell_of: CellOf) -> None:
    found = page(evaluate(cell_of("fake draws")))
    addresses = [values.get(name) for _, values in found.tags for name in ("src", "href", "action") if name in values]
    outside = [address for address in addresses if not (address or "").startswith("#")]
    assert not outside
    assert "url(" not in render(summarise(Header.new({}), []), [])


@pytest.mark.parametrize("field", ["problem", "note", "label", "claim", "traceback"])
def test_text_of_a_user_is_escaped(cell_of: CellOf, field: str) -> None:
    records = [replace(record, **{field: HOSTILE}) for record in evaluate(cell_of("fake error"))]
    found = page(records)
    assert [tag for tag, _ in found.tags].count("script") == 2  # the checks and the program
    assert "alert('q')" in found.text


def test_a_wrong_constant_is_no_refutation(cell_of: CellOf, tmp_path: Path) -> None:
    (tmp_path / "wrong").touch()
    assert "Wrong constant." in page(evaluate(cell_of("constants of fakes"))).text
    (tmp_path / "wrong").unlink()


def test_estimated_constants_are_said(cell_of: CellOf) -> None:
    records = evaluate(cell_of("fake draws"))
    assert "with estimated constants" not in page(records).text
    assert "with estimated constants" in page([replace(record, estimated=("rho",)) for record in records]).text


def test_a_claim_that_was_not_judged_says_why_once_for_each_reason(cell_of: CellOf) -> None:
    silent = [record for N in (1, 2) for record in evaluate(cell_of("fake vacuous", N))]
    found = page([*evaluate(cell_of("fake draws")), *silent])
    assert re.search(r"vacuous, 2 checks: alpha is past the cap", found.text)


def test_what_is_only_rounding_has_no_ratio(cell_of: CellOf) -> None:
    records = [replace(r, measured=1e-16, slack=1e-15, tightness=1e-16) for r in evaluate(cell_of("fake violated"))]
    text = render(summarise(Header.new({}), records), records)
    assert "1e-16: " not in text
    assert re.search(r"1e-16\s+1\s+rounding", Page(text).text)


def test_differences_to_another_run_are_shown(cell_of: CellOf) -> None:
    records = evaluate(cell_of("fake draws"))
    change = Change("verdict", "fake draws on fakes", "holds", "violated", regression=True)
    comparison = Comparison((change,), 5, 1.0, 1.0, "")
    text = Page(render(summarise(Header.new({}), records), records, comparison, "baseline")).text
    assert "Against baseline" in text
    assert re.search(r"verdict\s*fake draws on fakes\s*holds\s*violated\s*regression", text)
    assert "Against" not in page(records).text


def test_the_plot_shows_measured_and_bound_where_a_claim_was_judged(cell_of: CellOf) -> None:
    judged = [record for N in (1, 2) for record in evaluate(cell_of("fake draws", N))]
    shown = by_steps([*judged, *(replace(r, measured=None) for r in evaluate(cell_of("fake vacuous", 5)))])
    assert [record.N for record in shown] == [1, 2]
    drawn = plot(shown)
    assert f"N = 2: {number(shown[1].measured)} of {number(shown[1].bound)}" in drawn
    assert plot(shown[:1]) == ""


def test_the_plot_is_logarithmic(cell_of: CellOf) -> None:
    record = evaluate(cell_of("fake draws"))[0]
    records = [replace(record, N=N, measured=m, bound=1.0, tightness=m) for N, m in ((1, 1.0), (2, 0.01), (5, 0.1))]
    one, hundredth, tenth = (float(y) for y in re.findall(r'cy="([\d.]+)"', plot(records)))
    assert tenth == pytest.approx((one + hundredth) / 2, abs=0.1)
    assert one < tenth < hundredth


def test_an_empty_run_has_a_page(tmp_path: Path) -> None:
    path = write_report(tmp_path, summarise(Header.new({}), []), [])
    assert path.name == "report.html"
    assert Page(path.read_text(encoding="utf-8")).tags


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


def test_each_claim_leads_to_its_proof_in_the_book(cell_of: CellOf, tmp_path: Path) -> None:
    records = [
        replace(record, claim=name) for name in ("link", "fake draws") for record in evaluate(cell_of("fake draws"))
    ]
    summary = summarise(Header.new({}), records)
    written = write_report(tmp_path, summary, records, book="https://example.org/book").read_text(encoding="utf-8")
    assert (
        '<a href="https://example.org/book/theory/link.html#claim-link">docs/theory/link.md#claim-link</a>' in written
    )
    assert written.count("<dt>proof</dt>") == 1
