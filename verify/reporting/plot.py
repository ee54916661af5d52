"""A plot of one claim as SVG: measured value and bound against the number of inner steps."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

from verify.reporting.summary_files import number
from verify.running.records import Record

WIDTH, HEIGHT = 420, 190
LEFT, RIGHT, TOP, BOTTOM = 62, 78, 12, 40
"""Margins: room for the numbers of the vertical axis, for the names of the lines, and for N."""


def by_steps(records: Iterable[Record]) -> list[Record]:
    """Of each N the record with the largest ratio among those that can be plotted, ascending in N."""
    largest: dict[int, Record] = {}
    for record in records:
        if record.tightness is None or not _positive(record.measured) or not _positive(record.bound):
            continue
        known = largest.get(record.N)
        if known is None or (known.tightness or 0.0) < record.tightness:
            largest[record.N] = record
    return [largest[N] for N in sorted(largest)]


def plot(records: Sequence[Record]) -> str:
    """SVG of `records` (`by_steps`), logarithmic, the N at equal distances; "" for fewer than two."""
    if len(records) < 2:
        return ""
    measured = [float(record.measured or 0.0) for record in records]
    bound = [float(record.bound or 0.0) for record in records]
    low, high = math.log10(min(*measured, *bound)), math.log10(max(*measured, *bound))
    middle, half = (low + high) / 2, max(high - low, 0.1) / 2 * 1.1

    def x(at: int) -> float:
        return LEFT + at * (WIDTH - LEFT - RIGHT) / (len(records) - 1)

    def y(value: float) -> float:
        return TOP + (HEIGHT - TOP - BOTTOM) * (middle + half - math.log10(value)) / (2 * half)

    def line(kind: str, values: Sequence[float]) -> str:
        points = " ".join(f"{x(at):.1f},{y(value):.1f}" for at, value in enumerate(values))
        return f'<polyline class="{kind}" points="{points}"/>'

    above, below = (y(bound[-1]) - 2, y(measured[-1]) + 10)
    steps = "".join(
        f'<text x="{x(at):.1f}" y="{HEIGHT - BOTTOM + 16}" text-anchor="middle">{record.N}</text>'
        for at, record in enumerate(records)
    )
    ticks = "".join(
        f'<text x="{LEFT - 6}" y="{y(value) + 4:.1f}" text-anchor="end">{number(value)}</text>'
        for value in (10 ** (middle - half / 1.1), 10 ** (middle + half / 1.1))
    )
    dots = "".join(f'<circle cx="{x(at):.1f}" cy="{y(value):.1f}" r="3.5"/>' for at, value in enumerate(measured))
    told = "; ".join(f"N = {record.N}: {number(record.measured)} of {number(record.bound)}" for record in records)
    return (
        f'<svg class="plot" viewBox="0 0 {WIDTH} {HEIGHT}" role="img"><title>Measured of bound, {told}</title>'
        f'<path class="axis" d="M{LEFT},{TOP}V{HEIGHT - BOTTOM}H{WIDTH - RIGHT}"/>{line("bound", bound)}'
        f"{line('measured', measured)}{dots}{steps}{ticks}"
        f'<text x="{(LEFT + WIDTH - RIGHT) / 2:.1f}" y="{HEIGHT - 6}" text-anchor="middle">inner steps N</text>'
        f'<text class="bound" x="{WIDTH - RIGHT + 8}" y="{above:.1f}">bound</text>'
        f'<text class="measured" x="{WIDTH - RIGHT + 8}" y="{below:.1f}">measured</text></svg>'
    )


def _positive(value: float | None) -> bool:
    return value is not None and math.isfinite(value) and value > 0
