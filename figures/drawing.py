"""From data to files: the picture in each format, the data as CSV, the caption as Markdown, side by side."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from figures.table import Table
from problems.registry import family
from verify.cell import StepsizeRule

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure as Picture

    from figures.figure import Figure

STYLE = Path(__file__).with_name("paper.mplstyle")
FORMATS = ("pdf", "png", "svg")
MEASURED: dict[str, Any] = {"linestyle": "none", "markerfacecolor": "none", "zorder": 3}
"""How measurements look everywhere: open markers without a line, which hide nothing that lies below them."""
BOUND: dict[str, Any] = {"color": "black", "marker": "none"}
"""How bounds look everywhere: lines without markers."""
ABOVE: dict[str, Any] = {"loc": "lower center", "bbox_to_anchor": (0.5, 1.0)}
"""Where a panel's own legend goes: over its top edge, never over data."""
BESIDE = "line: bound, marker: measured"
"""Title of a legend whose entries are both."""
STEPSIZES: dict[StepsizeRule, str] = {"recommended": r"$\alpha = 1/(8NL)$", "fixed": r"$\alpha = 1/(4L)$"}
"""The two stepsize rules that figures against N compare, and how legends call them."""
Look: TypeAlias = tuple[str, str, str]
LOOKS: tuple[Look, ...] = (("o", "#0072B2", "-"), ("s", "#D55E00", "--"), ("^", "#009E73", "-."), ("D", "#CC79A7", ":"))
"""Marker, colour and line style of the series of a panel, told apart by each of the three alone."""


def beside(ax: Axes, x: Any, measured: Any, bound: Any, look: Look, band: tuple[Any, Any] | None = None) -> Any:
    """Draw a measurement over its bound, both in one look, with a band of replicas; returns one handle for a legend."""
    marker, color, linestyle = look
    (line,) = ax.plot(x, bound, marker="none", color=color, linestyle=linestyle)
    (points,) = ax.plot(x, measured, marker=marker, color=color, **MEASURED)
    if band is not None:
        ax.fill_between(x, *band, color=color, alpha=0.25, linewidth=0)
    return line, points


def in_words(rule: StepsizeRule) -> str:
    """How captions call a stepsize rule.

    >>> in_words("fixed")
    'α = 1/(4L)'
    """
    return STEPSIZES[rule].strip("$").replace(r"\alpha", "α")


def prose(text: str) -> str:
    """Return a caption as one line, without the line breaks and indentation of the source, and with minus signs."""
    return re.sub(r"(?<!\w)-(?=\d)", "−", " ".join(text.split()))


def in_prose(*problems: str) -> str:
    """What the problems of a figure are, for its caption: of each the first line of its documentation.

    >>> in_prose("quadratic")
    'The problem: quadratic, convex quadratic tasks with one Hessian, and three-point noise on the slope.'
    """
    told = [f"{name}, {_begun(family(name).summary)}" for name in dict.fromkeys(problems)]
    return f"The problem{'s' if len(told) > 1 else ''}: {'; '.join(told)}."


def _begun(sentence: str) -> str:
    """A sentence as it stands within another one, without the marks of code."""
    text = sentence.replace("`", "").rstrip(".")
    return text if text[1:2].isupper() else text[:1].lower() + text[1:]


def panels(rows: int = 1, columns: int = 1, *, height: float = 2.4, **options: Any) -> tuple[Picture, list[Axes]]:
    """Return an empty picture and its panels, row by row; one column is 3.4 inches wide, a row `height` high."""
    from matplotlib.figure import Figure as Picture

    picture = Picture(figsize=(3.4 * columns, height * rows))
    axes = picture.subplots(rows, columns, squeeze=False, **options)
    return picture, list(axes.flat)


def save(figure: Figure, table: Table, out: Path, formats: tuple[str, ...]) -> list[Path]:
    """Draw `table` and write `NAME.{pdf,png,…}` and the caption `NAME.md` into `out`; returns the paths written."""
    import matplotlib

    written = []
    with matplotlib.rc_context(fname=str(STYLE)):
        picture = figure.draw(table)
        for kind in formats:
            path = out / f"{figure.name}.{kind}"
            # No dates in the files, so that the same data give the same bytes.
            metadata = {"pdf": {"CreationDate": None}, "svg": {"Date": None}}.get(kind)
            picture.savefig(path, format=kind, metadata=metadata)
            written.append(path)
    caption = out / f"{figure.name}.md"
    caption.write_text(f"**{figure.question}** {figure.caption(table)}\n", encoding="utf-8")
    return [*written, caption]
