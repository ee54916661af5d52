"""The worst losses that a search found without a hint, beside those that are proved to attain the bound."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from figures.drawing import ABOVE, FORMATS, LOOKS, MEASURED, STYLE, in_prose, panels, prose
from figures.figure import Figure, Part
from figures.table import Row, Table
from problems.drawn import Drawn, kept
from problems.losses.curvature_spline import CurvatureSpline
from problems.registry import family
from theory.maml import adapt

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure as Picture

    from verify.search.searching import Found

__all__ = ["FIGURE", "FORMATS", "save"]

NAMES = ("smoothness-1", "smoothness-2")
PROVED = "teeth"
SERIES = ("found", "proved")
SHOWN = -1.008, -0.9
"""Of `l''/L`: teeth are small."""
MARGIN = 0.15
"""Of the length of the inner path, to either side of it."""


def compute(part: Part, seed: int) -> list[Row]:
    """Where `l''` bends, and the points of the inner path from 0, with `l''` there; lengths in L/ρ, `l''` in L."""
    held = kept(part["name"])
    loss = Drawn(**held["loss"])
    losses = loss.losses()
    if part["series"] == "proved":
        built = family(PROVED).build(held["N"], held["alpha_L"], L=1.0, rho=1.0, steepness=loss.gradient[0])
        assert isinstance(built.inner, CurvatureSpline)
        losses = built.inner
    path = np.ravel(adapt(np.zeros((1, 1)), held["alpha_L"], [losses] * held["N"]))
    places = {"knot": losses.knots[0], "path": path}
    return [
        {**part, "kind": kind, "x": float(x), "curvature": _curvature(losses, float(x)), "ratio": held["ratio"]}
        for kind, at in places.items()
        for x in at
    ]


def _curvature(losses: CurvatureSpline, x: float) -> float:
    return float(losses.hvp(np.array([[x]]), np.ones((1, 1)))[0, 0])


def draw(table: Table) -> Picture:
    """One panel for each search: lines are `l''`, markers the inner path."""
    picture, axes = panels(len(NAMES), height=1.9)
    lines: list[Any] = []
    for ax, name in zip(axes, NAMES, strict=True):
        for series, (marker, color, linestyle) in zip(SERIES, LOOKS, strict=False):
            knots = table.select(name=name, series=series, kind="knot")
            path = table.select(name=name, series=series, kind="path")
            look: dict[str, Any] = {
                "color": color,
                "linestyle": linestyle,
                "marker": "none",
                "label": f"$l''$, {series}",
            }
            lines += ax.plot(knots["x"], knots["curvature"], **look)
            ax.plot(path["x"], path["curvature"], marker=marker, color=color, **MEASURED)
            ends = path["x"].min(), path["x"].max()
        room = MARGIN * (ends[1] - ends[0])
        ax.set_xlim(ends[0] - room, ends[1] + room)
        ax.set_ylim(*SHOWN)
        ax.set_title(name.replace("-", r", $N = $"), loc="left")
        ax.set_ylabel(r"$l''/L$")
    axes[-1].set_xlabel(r"$w\rho/L$")
    picture.legend(handles=lines[: len(SERIES)], ncol=2, loc="outside lower center")
    return picture


def caption(table: Table) -> str:
    """Say what was found."""
    ratios = " and ".join(f"{float(table.select(name=name, series='found')['ratio'][0]):.4f}" for name in NAMES)
    return prose(f"""
        Second derivatives of the losses on which SMOOTHNESS is nearest to being violated (L = ρ = 1, one task), near
        the inner path from w = 0, whose points are marked. Found: by a search over such losses that knows only that the
        gradient at w is large; measured over bound is {ratios}. Proved: {PROVED}, which attain the bound in the limit
        of small teeth, at the same gradient. Each bends just right of every point of the path but the last.
        {in_prose(PROVED)}
    """)


def save(found: Found, path: Path) -> None:
    """Draw `l''` of what a search found into a file of one of the `FORMATS`, by its ending."""
    import matplotlib

    with matplotlib.rc_context(fname=str(STYLE)):
        picture, (ax,) = panels(height=2.4)
        losses = found.loss.losses()
        for task, (_, color, linestyle) in zip(range(len(losses.knots)), LOOKS, strict=False):
            one = losses.take(np.array([task]))
            path_of = np.ravel(adapt(np.zeros((1, 1)), found.alpha_L, [one] * found.N))
            _draw_loss(ax, one, path_of, f"task {task + 1}", color, linestyle)
        ax.set(xlabel=r"$w\rho/L$", ylabel=r"$l''/L$")
        ax.legend(**ABOVE, ncols=2, title=f"{found.claim}, N = {found.N}: {found.ratio:.4f} of the bound")
        picture.savefig(path, bbox_inches="tight")


def _draw_loss(ax: Axes, loss: CurvatureSpline, path: np.ndarray, label: str, color: str, linestyle: str) -> None:
    marks = [_curvature(loss, float(x)) for x in path]
    knots = loss.knots[loss.index.item()]
    bends = [_curvature(loss, float(x)) for x in knots]
    ax.plot(knots, bends, color=color, linestyle=linestyle, marker="none", label=label)
    ax.plot(path, marks, color=color, marker="o", **MEASURED)


FIGURE = Figure(
    name="found",
    question="Which losses does a search find, and which are proved to be the worst?",
    parts=[{"name": name, "series": series} for name in NAMES for series in SERIES],
    compute=compute,
    draw=draw,
    caption=caption,
)
