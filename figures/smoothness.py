"""Smoothness: the Lipschitz constant of the meta-gradient against the number of inner steps."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from figures.drawing import BESIDE, LOOKS, STEPSIZES, beside, in_prose, in_words, panels, prose
from figures.figure import Figure, Part
from figures.numbers import checks, setting
from figures.table import Row, Table

if TYPE_CHECKING:
    from matplotlib.figure import Figure as Picture

SHARP, SMOOTH = PROBLEMS = ("teeth", "rotated-cosine")
PROFILE = "default"
INNER_STEPS = (1, 2, 3, 5, 7, 10, 14, 17, 20)


def compute(part: Part, seed: int) -> list[Row]:
    """One cell of the claim "smoothness": the worst pair found, measured and bound as Lipschitz constants over L."""
    problem, N = part["problem"], part["N"]
    (record,) = checks("smoothness", seed, PROFILE, rule=part["rule"], problems=(problem,), inner_steps=(N,))
    if record.measured is None or record.bound is None:
        raise RuntimeError(f"claim smoothness on {record.where}: {record.note}")
    L = setting(problem, N, record.alpha_L)[0].constants.L
    distance = float(np.linalg.norm(np.subtract(record.witness["w"], record.witness["u"])))
    return [{**part, "measured": record.measured / distance / L, "bound": record.bound / distance / L}]


def draw(table: Table) -> Picture:
    """One panel per problem, one measured and one bound curve per stepsize rule."""
    picture, axes = panels(2, sharex=True, height=1.9)
    for ax, problem in zip(axes, PROBLEMS, strict=True):
        handles = []
        for rule, look in zip(STEPSIZES, LOOKS, strict=False):
            rows = table.select(problem=problem, rule=rule)
            handles.append(beside(ax, rows["N"], rows["measured"], rows["bound"], look))
        ax.set_yscale("log")
        ax.set_title(problem, loc="left")
        ax.set_ylabel("Lipschitz constant / L")
    axes[-1].set_xlabel("inner steps N")
    axes[-1].set_xticks(INNER_STEPS)
    picture.legend(handles, STEPSIZES.values(), title=BESIDE, ncol=2, loc="outside lower center")
    return picture


def caption(table: Table) -> str:
    """Say what was measured."""
    return prose(f"""
        Largest ‖∇L(w) − ∇L(u)‖/‖w − u‖ found by attack over pairs (w, u), and the bound L_w there, both over L, for the
        recommended stepsize {in_words("recommended")}, where neither grows with N, and for fixed {in_words("fixed")},
        where both grow exponentially. On {SHARP} (d = 1, one task) the bound is attained; on {SMOOTH} (d = 4) it is
        not. Seed {table.seed}.
        {in_prose(*PROBLEMS)}
    """)


FIGURE = Figure(
    name="smoothness",
    question="How does the smoothness of the meta objective grow with the inner steps?",
    parts=[
        {"problem": problem, "rule": rule, "N": N} for problem in PROBLEMS for rule in STEPSIZES for N in INNER_STEPS
    ],
    compute=compute,
    draw=draw,
    caption=caption,
)
