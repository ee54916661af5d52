"""Where the book speaks of a claim or of a problem."""

from __future__ import annotations

import os
import re
from functools import cache
from pathlib import Path

from verify.siblings import ROOT

FOLDER = ROOT / "docs"
BUILT = FOLDER / "_build"
ANCHOR = re.compile(r"^\(([\w-]+)\)=$", flags=re.MULTILINE)


def anchor(kind: str, name: str) -> str:
    """Anchor of a thing of one kind.

    >>> anchor("claim", "link on cusp")
    'claim-link-on-cusp'
    """
    return f"{kind}-{re.sub(r'[^A-Za-z0-9_]+', '-', name)}"


def place(kind: str, name: str) -> str:
    """Page and anchor, from the root of the checkout; "" for what the book does not know, as what a user brings.

    >>> place("claim", "link")
    'docs/theory/link.md#claim-link'
    """
    found = anchor(kind, name)
    page = _pages().get(found)
    return f"docs/{page}#{found}" if page else ""


def address(kind: str, name: str, directory: Path, book: str = "") -> str:
    """Link from a page in `directory`: to the built book at `book`, or in the checkout, or to the source; "" for none.

    >>> address("claim", "link", Path(), book="https://example.org/book/")
    'https://example.org/book/theory/link.html#claim-link'
    """
    found = anchor(kind, name)
    page = _pages().get(found)
    if not page:
        return ""
    html = f"{page.removesuffix('.md')}.html#{found.lower().replace('_', '-')}"
    if book:
        return f"{book.rstrip('/')}/{html}"
    base, target = (BUILT, html) if (BUILT / "index.html").is_file() else (FOLDER, f"{page}#{found}")
    try:
        return f"{Path(os.path.relpath(base, directory.resolve())).as_posix()}/{target}"
    except ValueError:  # on another drive
        return f"{base.as_uri()}/{target}"


@cache
def _pages() -> dict[str, str]:
    """Pages by the anchors that they set; none where the packages are installed without the book."""
    pages = (page for page in sorted(FOLDER.rglob("*.md")) if "_build" not in page.parts)
    return {
        found: page.relative_to(FOLDER).as_posix()
        for page in pages
        for found in ANCHOR.findall(page.read_text(encoding="utf-8"))
    }
