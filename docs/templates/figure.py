"""Template: how near LINK comes to its bound, against the number of inner steps.

Copy this file to `figures/NAME.py`; `python -m figures NAME` makes it. Nothing else needs to list it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from figures.drawing import ABOVE, LOOKS, MEASURED, in_words, panels, prose
from figures.figure import Figure, Part
from figures.numbers import checks
from figures.table import Row, Table
from verify.cell import StepsizeRule

if TYPE_CHECKING:
    from matplotlib.figure import Figure as Picture

PROBLEMS = ("convex-quadratic", "rotated-cosine")
RULE: StepsizeRule = "recommended"
PROFILE = "quick"
INNER_STEPS = (1, 2, 3)


def compute(part: Part, seed: int) -> list[Row]:
    """Rows of one part; it is called in a worker process. Draw every random number by a key that holds the seed."""
    found = checks("link", seed, PROFILE, rule=RULE, problems=(part["problem"],), inner_steps=(part["N"],))
    return [{**part, "ratio": max(record.tightness or 0.0 for record in found)}]


def draw(table: Table) -> Picture:
    """The picture, from the saved data alone; measurements and bounds look as in the other figures."""
    picture, (ax,) = panels()
    for problem, (marker, color, _) in zip(PROBLEMS, LOOKS, strict=False):
        rows = table.select(problem=problem)
        ax.plot(rows["N"], rows["ratio"], marker=marker, color=color, label=problem, **MEASURED)
    ax.set_xticks(INNER_STEPS)
    ax.set_xlabel("inner steps N")
    ax.set_ylabel("measured / bound")
    ax.legend(ncol=2, **ABOVE)
    return picture


def caption(table: Table) -> str:
    """What the reader needs to know: quantities, units, settings, the seed. Numbers come from the constants above."""
    return prose(f"""
        Largest measured/bound of LINK on {" and ".join(PROBLEMS)}, found by the {PROFILE} profile, {in_words(RULE)}.
        Seed {table.seed}.
    """)


FIGURE = Figure(
    name="template",
    question="How tight is LINK?",
    parts=[{"problem": problem, "N": N} for problem in PROBLEMS for N in INNER_STEPS],
    compute=compute,
    draw=draw,
    caption=caption,
)
