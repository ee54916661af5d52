"""The page of a run in a real browser, and what the axe-core rules say of it."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from verify.reporting.ledger import summarise
from verify.reporting.report import write_report
from verify.reporting.summary_files import number
from verify.running.evaluation import evaluate
from verify.running.records import CellName, Header

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-quic",
    "--disable-sync",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
]
"""What a browser in a container may wait for is left out."""
playwright = pytest.importorskip("playwright.sync_api", reason="needs the extra browser")
axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="needs the extra browser")
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium")

CellOf = Callable[..., CellName]


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with playwright.sync_playwright() as run:
        opened = run.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield opened
        opened.close()


@pytest.fixture
def address(cell_of: CellOf, tmp_path: Path) -> str:
    names = ("fake draws", "fake violated", "fake error", "fake vacuous")
    records = [record for name in names for N in (1, 2, 5) for record in evaluate(cell_of(name, N))]
    return write_report(tmp_path, summarise(Header.new({"seed": 7, "profile": "quick"}), records), records).as_uri()


@pytest.fixture
def page(browser: Any, address: str) -> Iterator[Any]:
    context = browser.new_context(viewport={"width": 1440, "height": 1000})
    opened = context.new_page()
    failures: list[str] = []
    opened.on("pageerror", lambda error: failures.append(str(error)))
    opened.goto(address)
    yield opened
    assert not failures
    context.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1440, 390])
def test_the_page_breaks_no_rule_of_accessibility(browser: Any, address: str, scheme: str, width: int) -> None:
    context = browser.new_context(viewport={"width": width, "height": 1000}, color_scheme=scheme)
    opened = context.new_page()
    opened.goto(f"{address}#claim-fake-draws")
    assert opened.evaluate("document.documentElement.scrollWidth") <= width
    found = [(rule["id"], rule["nodes"][0]["html"]) for rule in axe.Axe().run(opened).response["violations"]]
    context.close()
    assert not found


def names(page: Any) -> list[str]:
    return [name for name in page.locator("tr.claim:visible .name button").all_inner_texts() if name]


def test_a_header_sorts_and_the_order_of_the_paper_comes_back(page: Any) -> None:
    home = names(page)
    page.get_by_role("button", name="ratio", exact=True).first.click()
    assert names(page)[0] == "fake violated"
    page.get_by_role("button", name="in the order of the paper").click()
    assert names(page) == home


def test_filtering_by_a_verdict_shows_the_claims_and_checks_that_have_it(page: Any) -> None:
    page.locator("#verdict").select_option("vacuous")
    assert names(page) == ["fake vacuous"]
    page.get_by_role("button", name="fake vacuous").click()
    verdicts = page.locator("[data-claim='fake vacuous'].checks tbody .verdict").all_inner_texts()
    assert verdicts == ["vacuous"] * 3
    assert page.locator("#shown").inner_text() == "1 of 4 claims shown, with 3 of 18 checks"


def test_an_address_opens_the_check_that_it_names(page: Any, address: str) -> None:
    page.goto(f"{address}#fake%20draws/fakes.py%3Amake/2/recommended/0")
    assert page.locator("[data-claim='fake draws'].checks tbody tr.alert td").nth(1).inner_text() == "2"


def test_numbers_look_as_in_the_terminal(page: Any) -> None:
    values = [0.0, 1234.56, 0.00012345, 1.5e-5, 12345.678, 9999.96, 1e22, -3.14159, 1.0]
    assert page.evaluate("values => values.map(number)", values) == [number(value) for value in values]


def test_checks_are_downloaded_as_csv(page: Any) -> None:
    with page.expect_download() as download:
        page.get_by_role("button", name="download the checks as CSV").click()
    lines = Path(download.value.path()).read_text(encoding="utf-8").splitlines()
    assert lines[0].startswith("claim,problem,spec,N,rule")
    assert len(lines) == 19


def test_on_paper_there_are_statements_and_assumptions_and_no_controls(page: Any) -> None:
    page.emulate_media(media="print")
    assert page.locator(".statement:visible").count() == page.locator("tr.claim").count() == 4
    assert page.locator("dt:visible", has_text="assumptions").count() == 4
    for unprinted in (".controls", ".heatmap", ".checks"):
        assert page.locator(f"{unprinted}:visible").count() == 0


def test_the_command_of_a_check_names_the_file_of_a_user_s_claim(browser: Any, cell_of: CellOf, tmp_path: Path) -> None:
    records = [replace(record, claim_spec="/home/me/mine.py:") for record in evaluate(cell_of("fake draws", 1))]
    summary = summarise(Header.new({"seed": 7, "profile": "quick"}), records)
    opened = browser.new_page()
    opened.goto(f"{write_report(tmp_path, summary, records).as_uri()}#claim-fake-draws")
    said = opened.locator("[data-claim='fake draws'].checks tbody button").first.get_attribute("title")
    opened.close()
    assert "verify run --claim '/home/me/mine.py:fake draws' --problem " in said
