"""The ledger of a run as a table for a paper or a program."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Iterator, Mapping

from verify.reporting.book import place
from verify.reporting.ledger import Summary
from verify.reporting.summary_files import number, ratio
from verify.reporting.tally import VERDICTS

COLUMNS = ("statement", "claim", "own", "verdict", "checks", "measured", "bound", "ratio", "where", "proof")


def rows(summary: Summary) -> Iterator[tuple[str, ...]]:
    """One row a claim, in the order of the ledger; numbers as everywhere in the suite."""
    for statement, claims in summary.statements.items():
        for claim in claims:
            worst = claim.worst
            counts = ", ".join(f"{claim.checks[v]} {v}" for v in VERDICTS if v in claim.checks)
            numbers = ("", "", "", claim.reason)
            if worst is not None:
                shown = "rounding" if worst.only_rounding else ratio(worst.tightness)
                numbers = (number(worst.measured), number(worst.bound), shown, f"{worst.problem}, N = {worst.N}")
            own = "own" if claim.source.own else ""
            yield statement, claim.claim, own, claim.verdict, counts, *numbers, place("claim", claim.claim)


def as_csv(summary: Summary) -> str:
    """Comma-separated values with a header."""
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows([COLUMNS, *rows(summary)])
    return text.getvalue()


def as_markdown(summary: Summary) -> str:
    """A table of Markdown."""
    lines = [
        COLUMNS,
        ("---",) * len(COLUMNS),
        *(tuple(cell.replace("|", "\\|") for cell in row) for row in rows(summary)),
    ]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def as_latex(summary: Summary) -> str:
    """A tabular of LaTeX; its rules are those of the package booktabs."""
    kept = [0, 1, 4, 5, 6, 7, 8]
    body = [[_latex(row[at]) for at in kept] for row in rows(summary)]
    head = [_latex(COLUMNS[at]) for at in kept]
    lines = ["\\begin{tabular}{lllrrrl}", "\\toprule", _line(head), "\\midrule", *map(_line, body), "\\bottomrule"]
    return "\n".join([*lines, "\\end{tabular}"]) + "\n"


FORMATS: Mapping[str, Callable[[Summary], str]] = {"csv": as_csv, "latex": as_latex, "markdown": as_markdown}


def _line(cells: list[str]) -> str:
    return " & ".join(cells) + r" \\"


def _latex(text: str) -> str:
    """Escape what LaTeX would read; powers of ten become mathematics.

    >>> print(_latex("1.234e-05 of κ_1 & 5 %"))
    $1.234 \\times 10^{-5}$ of $\\kappa$\\_1 \\& 5 \\%
    """
    text = re.sub(r"([\\&%$#_{}~^])", lambda found: _SPECIAL.get(found[1], "\\" + found[1]), text)
    text = re.sub(r"\b([\d.]+)e([+-])0?(\d+)\b", lambda m: f"${m[1]} \\times 10^{{{m[2].strip('+')}{m[3]}}}$", text)
    return "".join(_SYMBOLS.get(letter, letter) for letter in text)


_SPECIAL = {"\\": r"\textbackslash{}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}"}
_SYMBOLS = {
    symbol: f"${command}$"
    for symbol, command in {
        "α": r"\alpha",
        "β": r"\beta",
        "δ": r"\delta",
        "κ": r"\kappa",
        "λ": r"\lambda",
        "μ": r"\mu",
        "ρ": r"\rho",
        "σ": r"\sigma",
        "≤": r"\le",
        "≥": r"\ge",
        "→": r"\to",
        "−": "-",
        "∞": r"\infty",
        "√": r"\surd",
    }.items()
}
