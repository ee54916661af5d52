"""Statements in plain text, with `_` and `^` for indices, as HTML."""

from __future__ import annotations

import html
import re

INNERMOST = re.compile(r"([_^])\{([^{}]*)\}")
SIMPLE = re.compile(r"([_^])([A-Za-z0-9]{1,4}(?![A-Za-z0-9])|[α-ω∗*′])")


def mathematics(text: str) -> str:
    """Return HTML in which `x_i`, `q^{2N−1}` and the like stand as indices; all else is escaped.

    >>> mathematics("‖w̃_j‖ ≤ q^{2N} & L_{w_k}")
    '‖w̃<sub>j</sub>‖ ≤ q<sup>2N</sup> &amp; L<sub>w<sub>k</sub></sub>'
    """
    text = html.escape(text, quote=False)
    # Braces from the inside out. Without braces, a word of at most four letters is an index as a whole (`α_cap`,
    # `C_sq1`), a longer one part of a name (`lower_bound`), and a Greek letter is one alone (`C_2σ` is a product).
    while (found := INNERMOST.sub(lambda m: _index(m[1], SIMPLE.sub(_simple, m[2])), text)) != text:
        text = found
    return SIMPLE.sub(_simple, text)


def _simple(match: re.Match[str]) -> str:
    return _index(match[1], match[2])


def _index(mark: str, content: str) -> str:
    tag = "sub" if mark == "_" else "sup"
    return f"<{tag}>{content}</{tag}>"
