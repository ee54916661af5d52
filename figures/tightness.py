"""Tightness: how near each claim comes to its bound, on ordinary problems and on the instances made for it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from figures.drawing import panels, prose
from figures.figure import Figure, Part
from figures.numbers import checks
from figures.table import Row, Table
from problems.registry import families
from verify.cell import PROFILES
from verify.claim import claims
from verify.reporting.ledger import grouped
from verify.verdict import JUDGED

if TYPE_CHECKING:
    from matplotlib.figure import Figure as Picture

PROFILE = "quick"
SHARP = "sharp instance"
NEAR = 0.03
"""How near to its bound a claim counts as attained."""


def parts() -> list[Part]:
    """One claim each, in the order of the ledger."""
    by_statement = grouped(sorted(claims().values(), key=lambda claim: claim.name))
    return [{"claim": claim.name} for group in by_statement.values() for claim in group]


def compute(part: Part, seed: int) -> list[Row]:
    """Largest tightness of a claim's checks on each problem, by the suite's quick profile.

    A claim that the bound of another one is attained counts as that one.
    """
    name = part["claim"]
    counted = claims()[name].of or name
    largest: dict[str, float] = {}
    for record in checks(name, seed, PROFILE):
        if record.tightness is not None and record.verdict in JUDGED:
            largest[record.problem] = max(largest.get(record.problem, 0.0), record.tightness)
    return [
        {"claim": counted, "problem": problem, "role": families()[problem].role, "tightness": value}
        for problem, value in largest.items()
    ]


def matrix(table: Table) -> tuple[list[str], list[str], np.ndarray]:
    """Claims, problems (ordinary ones, then the best sharp instance), and the tightness of each pair, NaN for none."""
    rows = [str(claim) for claim in table.distinct("claim")]
    columns = [*sorted(map(str, table.select(role="ordinary").distinct("problem"))), SHARP]
    values = np.full((len(rows), len(columns)), np.nan)
    for row in table.rows:
        at = rows.index(str(row["claim"])), columns.index(str(row["problem"]) if row["role"] == "ordinary" else SHARP)
        values[at] = np.fmax(values[at], float(row["tightness"]))
    return rows, columns, values


def draw(table: Table) -> Picture:
    """Numbers on shades that darken with tightness; empty where a claim does not speak."""
    rows, columns, values = matrix(table)
    picture, (ax,) = panels(height=1.1 + 0.15 * len(rows))
    ax.pcolormesh(values, cmap="Blues", vmin=0, vmax=1, edgecolors="white", linewidth=0.5)
    for (i, j), value in np.ndenumerate(values):
        if np.isfinite(value):
            color = "white" if value > 0.6 else "black"
            ax.text(j + 0.5, i + 0.5, label(value), ha="center", va="center", color=color, fontsize=5)
    ax.set_yticks(np.arange(len(rows)) + 0.5, rows, fontsize=5.5)
    ax.set_xticks(np.arange(len(columns)) + 0.5, columns, rotation=55, ha="left", rotation_mode="anchor", fontsize=5.5)
    ax.xaxis.tick_top()
    ax.invert_yaxis()
    ax.tick_params(length=0)
    ax.grid(False)
    for side in ("left", "bottom"):
        ax.spines[side].set_visible(False)
    return picture


def label(value: float) -> str:
    """Two decimals, cut and not rounded, so that 1 is only said of what rounds to it within 10⁻⁶."""
    return "1" if value > 1 - 1e-6 else f"{np.floor(100 * value) / 100:.2f}"[1:]


def caption(table: Table) -> str:
    """Say what is shown."""
    values = matrix(table)[2]
    attained = int((np.nanmax(values, axis=1) > 1 - NEAR).sum())
    steps = ", ".join(map(str, PROFILES[PROFILE].inner_steps))
    return prose(f"""
        Largest measured/bound over all checks of the suite's {PROFILE} profile (N = {steps}, the stepsize rules of each
        claim, seed {table.seed}), decimals cut: claims (rows) on the ordinary problems, and on the best of the
        instances that were made for the claim (last column); no entry where a claim does not apply. {attained} of
        {len(values)} come within {NEAR:.0%} on some problem. META-GRADIENT is an equation, of which only rounding is
        measured.
    """)


FIGURE = Figure(
    name="tightness",
    question="How tight is each bound, and on which problem?",
    parts=parts(),
    compute=compute,
    draw=draw,
    caption=caption,
    cost=lambda part: 2.5 if "theorem" in part["claim"] else 0.5,
)
