"""Neighbours: how far exact, first-order and Hessian-free MAML and Reptile get, and where each must stop."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from figures.drawing import LOOKS, in_prose, panels, prose
from figures.figure import Figure, Part
from figures.numbers import setting
from figures.table import Row, Table
from problems.problem import Problem
from theory.algorithms import run
from theory.constants import Real
from theory.maml import Direction, meta_gradient
from theory.neighbours.first_order import first_order
from theory.neighbours.hessian_free import hessian_free
from theory.neighbours.reptile import reptile
from theory.paper import Paper

if TYPE_CHECKING:
    from matplotlib.figure import Figure as Picture

TYPICAL, SHARP = "rotated-cosine-finite-noise", "spikes"
N, K = 5, 100
ALPHA_L = 1 / (8 * N)
STEP, OFFSET = 1 / 400, 1e-3
"""Step of the differences, and distance of the start from the sharp fixed point, both over the problem's scale."""
LEAST = 1e-8


def methods(problem: Problem) -> dict[str, tuple[Direction, Callable[[Paper], Real]]]:
    """Each method's direction, and its proved floor for any dimension."""
    step = STEP * problem.scale
    return {
        "exact": (meta_gradient, lambda p: 0.0),
        "first-order": (first_order, lambda p: min(p.first_order_floor(0.0, 0.0), p.first_order_floor_smooth(0.0))),
        "Hessian-free": (partial(hessian_free, step=step), lambda p: p.hessian_free_floor(step, 0.0)),
        "Reptile": (reptile, lambda p: p.reptile_floor(0.0)),
    }


METHODS = ("exact", "first-order", "Hessian-free", "Reptile")


def compute(part: Part, seed: int) -> list[Row]:
    """One run: ‖∇L(w_k)‖/σ at each meta step, with the floor. Deterministic, so the seed plays no part."""
    problem, _, schedule = setting(part["problem"], N, ALPHA_L, K=K)
    c = problem.constants
    direction, floor = methods(problem)[part["method"]]
    start = problem.start + (OFFSET * problem.scale if part["problem"] == SHARP else 0.0)
    trajectory = run(
        "exact", problem, c, schedule, start, np.random.default_rng(seed), meta_stepsize=1 / c.L, direction=direction
    )
    bound = float(floor(Paper(c, schedule))) / c.sigma
    return [
        {**part, "k": k, "gradient_norm": float(y) / c.sigma, "floor": bound}
        for k, y in enumerate(trajectory.gradient_norm[0])
    ]


def draw(table: Table) -> Picture:
    """One panel an ordinary problem and one a sharp one; each method's run, and its floor in the same colour."""
    picture, axes = panels(2, sharex=True, height=2.3)
    for ax, (problem, title) in zip(axes, {TYPICAL: "ordinary problem", SHARP: "sharp instance"}.items(), strict=True):
        for method, (marker, color, linestyle) in zip(METHODS, LOOKS, strict=True):
            rows = table.select(problem=problem, method=method)
            y = np.maximum(rows["gradient_norm"], LEAST)
            ax.semilogy(rows["k"], y, marker=marker, color=color, markevery=(0.05, 0.2), markersize=4, label=method)
            if method != "exact":
                ax.axhline(rows["floor"][0], color=color, linestyle=linestyle, linewidth=1, alpha=0.8)
        ax.set_title(f"{title}: {problem}", loc="left")
        ax.set_ylabel(r"$\|\nabla\mathcal{L}(w_k)\|/\sigma$")
    axes[-1].set_xlabel("meta step k")
    picture.legend(*axes[0].get_legend_handles_labels(), ncol=4, loc="outside upper center")
    return picture


def caption(table: Table) -> str:
    """Say what was run, and how far each run stays from its floor."""

    def ended(problem: str, method: str) -> tuple[float, float]:
        rows = table.select(problem=problem, method=method)
        return float(rows["gradient_norm"][-1]), float(rows["floor"][0])

    reached = {problem: {m: ended(problem, m) for m in METHODS[1:]} for problem in (TYPICAL, SHARP)}
    typical = ", ".join(f"{m} {y:.1e} (floor {floor:.2g})" for m, (y, floor) in reached[TYPICAL].items())
    y, floor = reached[SHARP]["first-order"]
    return prose(f"""
        Exact ‖∇L(w_k)‖ over the spread σ, along runs of each method with N = {N}, α = 1/(8NL), fixed β = 1/L.
        Horizontal lines: the proved floors, how large ‖∇L‖ can be at a fixed point (Hessian-free: step {STEP:g} of the
        problem's scale; exact: none). Above, {TYPICAL} (d = 2, without its noise): after {K} steps {typical}. Below,
        {SHARP} (d = 1), started in the spike: first-order MAML converges to a point that is not stationary, at
        {y / floor:.3f} of its floor, while the others leave for flat ground. Norms are drawn down to {LEAST:g}.
        Deterministic: no seed.
        {in_prose(TYPICAL, SHARP)}
    """)


FIGURE = Figure(
    name="neighbours",
    question="Where must first-order MAML, Hessian-free MAML and Reptile stop?",
    parts=[{"problem": problem, "method": method} for problem in (TYPICAL, SHARP) for method in METHODS],
    compute=compute,
    draw=draw,
    caption=caption,
)
