"""Tightness: how near each claim comes to its bound, on ordinary problems and on the instances made for it."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

import numpy as np
import numpy.typing as npt

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
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure as Picture

Values: TypeAlias = npt.NDArray[np.float64]
PROFILE = "quick"
SHARP = "sharp instance"
OBSERVED = ("typical stepsize",)
"""Claims that say how far ordinary problems stay from a worst case: no bound that should be attained."""
ROUNDING = -1.0
"""Stands for a ratio that is no more than rounding."""
GAP = 1.2
"""Rows between the bounds and what is set apart."""
NEAR = 0.03
"""How near to its bound a claim counts as attained."""


def parts() -> list[Part]:
    """One claim each, in the order of the ledger."""
    by_statement = grouped(sorted(claims().values(), key=lambda claim: claim.name))
    return [{"claim": claim.name} for group in by_statement.values() for claim in group]


def compute(part: Part, seed: int) -> list[Row]:
    """Largest tightness of a claim's checks on each problem, by the suite's quick profile, where there are inner steps.

    At N = 0 most bounds are equalities of no interest. A claim that the bound of another one is attained counts as that
    one.
    """
    name = part["claim"]
    counted = claims()[name].of or name
    largest: dict[str, tuple[float, bool]] = {}
    for record in checks(name, seed, PROFILE):
        if record.N > 0 and record.tightness is not None and record.verdict in JUDGED:
            found = (0.0, True) if record.only_rounding else (record.tightness, False)
            largest[record.problem] = max(largest.get(record.problem, (0.0, True)), found)
    return [
        {
            "claim": counted,
            "problem": problem,
            "role": families()[problem].role,
            "tightness": value,
            "rounding": float(rounds),
        }
        for problem, (value, rounds) in largest.items()
    ]


def matrix(table: Table) -> tuple[list[str], list[str], Values]:
    """Claims, problems (ordinary ones, then the best sharp instance), and the tightness of each pair.

    NaN stands for none, `ROUNDING` for what is no more than rounding. What is set apart comes last.
    """
    names = [str(claim) for claim in table.distinct("claim")]
    columns = [*sorted(map(str, table.select(role="ordinary").distinct("problem"))), SHARP]
    values = np.full((len(names), len(columns)), np.nan)
    for row in table.rows:
        at = names.index(str(row["claim"])), columns.index(str(row["problem"]) if row["role"] == "ordinary" else SHARP)
        values[at] = np.fmax(values[at], ROUNDING if row["rounding"] else float(row["tightness"]))
    order = sorted(range(len(names)), key=lambda i: is_apart(names[i], values[i]))
    return [names[i] for i in order], columns, values[order]


def is_apart(claim: str, values: Values) -> bool:
    """Whether a row is no bound to come near to: an equation, of which only rounding is measured, or an observation."""
    return claim in OBSERVED or bool((values[np.isfinite(values)] == ROUNDING).all())


def draw(table: Table) -> Picture:
    """Two halves, side by side: numbers on shades that darken with tightness; empty where a claim does not speak."""
    rows, columns, values = matrix(table)
    apart = sum(is_apart(row, line) for row, line in zip(rows, values, strict=True))
    y = np.arange(len(rows)) + np.where(np.arange(len(rows)) >= len(rows) - apart, GAP, 0.0)
    half = (len(rows) + 1) // 2
    picture, axes = panels(1, 2, height=1.1 + 0.15 * (half + GAP))
    for ax, part in zip(axes, (slice(0, half), slice(half, None)), strict=True):
        _draw_rows(ax, rows[part], columns, values[part], y[part] - y[part][0])
        ax.set_ylim(half + GAP, 0)
    if apart:
        axes[1].text(
            0, y[-apart] - y[half] - 0.15, "equations and observations", fontsize=5, style="italic", va="bottom"
        )
    return picture


def _draw_rows(ax: Axes, rows: list[str], columns: list[str], values: Values, y: Values) -> None:
    from matplotlib import colormaps
    from matplotlib.patches import Rectangle

    shade = colormaps["Blues"]
    for (i, j), value in np.ndenumerate(values):
        if np.isfinite(value):
            top = float(y[i])
            ax.add_patch(Rectangle((j, top), 1, 1, facecolor=shade(max(value, 0.0)), edgecolor="white", linewidth=0.5))
            color = "white" if value > 0.6 else "black"
            ax.text(j + 0.5, top + 0.5, label(value), ha="center", va="center", color=color, fontsize=5)
    ax.set_xlim(0, len(columns))
    ax.set_yticks(y + 0.5, rows, fontsize=5.5)
    ax.set_xticks(np.arange(len(columns)) + 0.5, columns, rotation=55, ha="left", rotation_mode="anchor", fontsize=5.5)
    ax.xaxis.tick_top()
    ax.tick_params(length=0)
    ax.grid(False)
    for side in ("left", "bottom"):
        ax.spines[side].set_visible(False)


def label(value: float) -> str:
    """A dot for rounding, else two decimals, cut and not rounded: 1 is only said of what is 1 within 10⁻⁶."""
    if value == ROUNDING:
        return "·"
    return "1" if value > 1 - 1e-6 else f"{np.floor(100 * value) / 100:.2f}"[1:]


def caption(table: Table) -> str:
    """Say what is shown."""
    names, _, all_values = matrix(table)
    values = np.array([line for name, line in zip(names, all_values, strict=True) if not is_apart(name, line)])
    attained = int((np.nanmax(values, axis=1) > 1 - NEAR).sum())
    steps = ", ".join(str(N) for N in PROFILES[PROFILE].inner_steps if N > 0)
    return prose(f"""
        Largest measured/bound over all checks of the suite's {PROFILE} profile (N = {steps}, the stepsize rules of each
        claim, seed {table.seed}), decimals cut: claims (rows) on the ordinary problems, and on the best of the
        instances that were made for the claim (last column); no entry where a claim does not apply. {attained} of
        {len(values)} come within {NEAR:.0%} on some problem. A dot: measured is no more than rounding. Set apart below:
        equations, of which only rounding is measured, and observations of ordinary problems.
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
