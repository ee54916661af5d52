"""A figure: parts that are computed on their own, one drawing, one caption. Each is a file of this package."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from figures.table import Row, Table
from theory.validation import suggestion

if TYPE_CHECKING:
    from matplotlib.figure import Figure as Picture

Part: TypeAlias = dict[str, Any]
"""Plain values that name one independent piece of a figure's data, for instance `{"N": 5}`."""
FOLDER = Path(__file__).parent
"""Where figures are looked for: beside this file, whatever else is called `figures`."""


@dataclass(frozen=True, kw_only=True)
class Figure:
    """One figure.

    Attributes
    ----------
    name : what `python -m figures NAME` calls it.
    question : the question it answers, which is its title.
    parts : the independent pieces of its data; each is computed in one worker.
    compute : `(part, seed) ↦ rows`; every draw is keyed by the seed and the part.
    draw : data ↦ picture.
    caption : data ↦ the text under it, with parameters, units and seeds.
    cost : part ↦ about how many seconds it takes; long parts are computed first.
    """

    name: str
    question: str
    parts: Sequence[Part]
    compute: Callable[[Part, int], list[Row]]
    draw: Callable[[Table], Picture]
    caption: Callable[[Table], str]
    cost: Callable[[Part], float] = lambda part: 0.1


@cache
def registry() -> dict[str, Figure]:
    """All figures by name: each module of this package that has a `FIGURE`."""
    found = {}
    for module in pkgutil.iter_modules([str(FOLDER)]):
        if module.name.startswith("_"):
            continue
        figure = getattr(importlib.import_module(f"figures.{module.name}"), "FIGURE", None)
        if isinstance(figure, Figure):
            found[figure.name] = figure
    if not found:
        raise RuntimeError(f"no figure was found in {FOLDER}: the installation is incomplete")
    return dict(sorted(found.items()))


def named(name: str) -> Figure:
    """Return the figure called `name`; raises ValueError with the nearest name where there is none."""
    known = registry()
    if name not in known:
        hint = suggestion(name, known)
        raise ValueError(f"figure = {name!r} is unknown{hint} (see `python -m figures --list`)")
    return known[name]


def compute_part(place: tuple[str, Part, int]) -> list[Row]:
    """Compute one part, `(figure's name, part, seed)`, each row with the seed; called in a worker."""
    name, part, seed = place
    return [{**row, "seed": seed} for row in named(name).compute(part, seed)]
