"""Deployed: what another number of inner steps at test time makes of a point that is trained with N."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from figures.drawing import ABOVE, BOUND, LOOKS, beside, in_prose, panels, prose
from figures.figure import Figure, Part
from figures.numbers import setting
from figures.table import Row, Table
from problems.problem import Problem
from theory.algorithms import run
from theory.loss import Array
from theory.maml import adapt, mean_over_tasks, meta_gradient
from theory.paper import Paper

if TYPE_CHECKING:
    from matplotlib.figure import Figure as Picture

ORDINARY, SHARP, FINITE_SUM = "rotated-cosine-finite-noise", "late-bend", "quadratic-finite-sum"
N, K = 5, 150
ALPHA_L = {ORDINARY: 1 / (8 * N), SHARP: 1 / (8 * N), FINITE_SUM: 1 / 4}
MORE = tuple(range(1, 11))
FOLLOWED = 40
"""Inner steps that are followed in the finite-sum case."""


def compute(part: Part, seed: int) -> list[Row]:
    """What inner steps after the N of training make of a trained point. Deterministic, so the seed plays no part."""
    problem, alpha, schedule = setting(part["problem"], N, ALPHA_L[part["problem"]], K=K)
    trained = problem.start  # of the sharp instance, which is stationary there
    if part["problem"] != SHARP:
        rng, beta = np.random.default_rng(seed), 1 / problem.constants.L
        trained = run("exact", problem, problem.constants, schedule, trained, rng, meta_stepsize=beta).points[0, -1]
    look = losses if part["problem"] == FINITE_SUM else gradients
    return [{**part, "steps": n, "measured": y, "bound": bound} for n, y, bound in look(problem, alpha, trained)]


def gradients(problem: Problem, alpha: float, w: Array) -> list[tuple[int, float, float]]:
    """‖∇L^{(N+m)}(w)‖ of exact MAML for each m, and its bound, over σ."""
    c = problem.constants

    def norm(steps: int) -> float:
        gradient = mean_over_tasks(meta_gradient(w, alpha, steps, problem.inner, problem.outer))
        return float(np.linalg.norm(gradient))

    p, left = Paper(c, setting(problem.name, N, alpha * c.L)[2]), norm(N)
    slope = float(np.linalg.norm(mean_over_tasks(problem.inner.gradient(w))))
    return [(N + m, norm(N + m) / c.sigma, bound(p, problem.dim, float(m), left, slope) / c.sigma) for m in MORE]


def bound(p: Paper, dim: int, m: float, left: float, slope: float) -> float:
    """Bound on ‖∇L^{(N+m)}(w)‖ where ‖∇L^{(N)}(w)‖ and ‖∇l(w)‖ have these values."""
    if dim == 1:
        return float(p.more_steps_floor_line(m, left, slope) + p.more_steps_middle(m) * left)
    return float(p.more_steps_floor(m, left) + left)


def losses(problem: Problem, alpha: float, w: Array) -> list[tuple[int, float, float]]:
    """Mean test loss after each inner step, and a bound by what the step before is sure of; none at step 0."""
    p = Paper(problem.constants, setting(problem.name, N, alpha * problem.constants.L)[2])
    path = adapt(np.tile(w, (problem.number_of_tasks, 1)), alpha, [problem.inner] * FOLLOWED)
    values = [float(problem.outer.value(x).mean()) for x in path]
    found = [(0, values[0], np.inf)]
    for n, x in enumerate(path[:-1]):
        training, test = problem.inner.gradient(x), problem.outer.gradient(x)
        slope = np.linalg.norm(training, axis=-1)
        missed = p.missed_descent(slope, np.linalg.norm(training - test, axis=-1))
        found.append((n + 1, values[n + 1], values[n] + float(np.mean(missed - alpha * slope**2))))
    return found


def sure_descent(rows: Table) -> int:
    """The last step of the finite-sum case that the bound lets only fall, one after another from the first."""
    rises = rows["bound"][1:] >= rows["measured"][:-1]
    return int(np.argmax(rises)) if rises.any() else FOLLOWED


def draw(table: Table) -> Picture:
    """Above the meta-gradient of N + m steps at a point trained with N, below the test loss along the inner path."""
    picture, (ax, below) = panels(2, height=2.3)
    for (problem, name), look in zip({SHARP: "late-bend", ORDINARY: "rotated cosines"}.items(), LOOKS, strict=False):
        rows = table.select(problem=problem)
        _, points = beside(ax, rows["steps"], rows["measured"], rows["bound"], look)
        points.set_label(name)
    ax.set_yscale("log")
    ax.set_ylabel(r"$\|\nabla\mathcal{L}^{(N+m)}(w)\|/\sigma$")
    ax.set_xlabel(f"inner steps N + m at test time, trained with N = {N}")
    ax.legend(ncol=2, **ABOVE)
    rows = table.select(problem=FINITE_SUM)
    marker, color, _ = LOOKS[2]
    below.plot(rows["steps"], rows["measured"], marker=marker, color=color, markersize=3, label="mean test loss")
    below.axvspan(0, sure_descent(rows), color=color, alpha=0.12, linewidth=0, label="sure to fall")
    below.axvline(N, **BOUND, linestyle=":", linewidth=0.8)
    below.set_ylabel("test loss")
    below.set_xlabel("inner steps at test time")
    below.legend(ncol=2, **ABOVE)
    return picture


def caption(table: Table) -> str:
    """Say what was trained, what was changed, and what the bounds promise."""
    ordinary, sharp, finite = (table.select(problem=name) for name in (ORDINARY, SHARP, FINITE_SUM))
    share = float(ordinary["measured"][-1] / ordinary["bound"][-1])
    best = int(finite["steps"][np.argmin(finite["measured"])])
    return prose(f"""
        A point that is trained with N = {N} inner steps, deployed with another number of them. Above: exact
        ‖∇L^{{(N+m)}}(w)‖ over σ, m = 1 to {MORE[-1]}, α = 1/(8NL), markers, and the bound of more steps floor, lines.
        {SHARP} (d = 1) is built to attain it: at least {float((sharp["measured"] / sharp["bound"]).min()):.4f} of
        it; on {ORDINARY} (d = 2), after {K} steps of exact MAML with β = 1/L, {share:.0e} of it at m = {MORE[-1]}.
        Below: mean test loss on {FINITE_SUM} along the inner path of its training losses, α = 1/(4L), trained likewise.
        Each of the first {sure_descent(finite)} steps is sure to lower it (shaded), because training gradients are
        large beside their mismatch; it is least after {best} steps, then it rises. Dotted: the N of training.
        Deterministic: no seed.
        {in_prose(SHARP, ORDINARY, FINITE_SUM)}
    """)


FIGURE = Figure(
    name="deployed",
    question="What do more inner steps at test time than in training do?",
    parts=[{"problem": problem} for problem in (SHARP, ORDINARY, FINITE_SUM)],
    compute=compute,
    draw=draw,
    caption=caption,
)
