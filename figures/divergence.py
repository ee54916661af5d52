"""Divergence: the critical inner stepsize of exact MAML against the number of inner steps."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from figures.drawing import BOUND, MEASURED, panels, prose
from figures.figure import Figure, Part
from figures.table import Row, Table
from problems.problem import Problem
from problems.rotated_cosine import CosineNoise, cosine_problem, cosine_tasks
from theory.growth import stepsize_cap
from verify.claim import keyed_seed
from verify.critical import critical_stepsize, fixed_steps

if TYPE_CHECKING:
    from matplotlib.figure import Figure as Picture

SHARP = ("opposed-curvature", "twin-wells")
TYPICAL = "random cosine tasks"
SHARP_STEPS = tuple(range(1, 51))
SHOWN = (1, 2, 3, 4, 5, 7, 10, 14, 20, 28, 38, 50)
TYPICAL_STEPS = (1, 2, 5, 10, 20, 50)
DRAWS, DIM, TASKS, STARTS, META_STEPS = 8, 4, 6, 2, 150
TIMES_CAP = np.geomspace(1, 100, 41)
SETTLED = 0.02
"""A settled meta step, in units of the scale: after 150 steps a monotone contraction over four units makes none longer."""


def parts() -> list[Part]:
    """Return each sharp instance at every N, and each random problem at some N."""
    sharp: list[Part] = [{"series": name, "draw": 0, "N": N} for name in SHARP for N in SHARP_STEPS]
    typical: list[Part] = [{"series": TYPICAL, "draw": draw, "N": N} for draw in range(DRAWS) for N in TYPICAL_STEPS]
    return sharp + typical


def compute(part: Part, seed: int) -> list[Row]:
    """Critical αL with the fixed meta stepsize β = 1/L."""
    N = part["N"]
    if part["series"] in SHARP:
        problem, found = critical_stepsize(part["series"], N)
        critical = found.low
    else:
        problem = random_cosines(part["draw"], seed)
        critical = first_unsettled(problem, N, part["draw"], seed)
    return [{**part, "critical_alpha_L": critical * problem.constants.L}]


def random_cosines(draw: int, seed: int) -> Problem:
    """Rotated cosine tasks with random amplitudes and frequencies."""
    rng = np.random.default_rng(keyed_seed(seed, "divergence", "tasks", draw))
    frequency, amplitude = rng.uniform(0.5, 2.0, size=(2, DIM)), rng.uniform(0.1, 1.0, size=(2, DIM))
    population = cosine_tasks(frequency, amplitude, TASKS, rng)
    return cosine_problem(TYPICAL, population, CosineNoise(population, s=0.1, k=1.0), [0.0] * DIM)


def first_unsettled(problem: Problem, N: int, draw: int, seed: int) -> float:
    """First α of a grid at which iterates from some start do not settle; the last of the grid where all do."""
    L = problem.constants.L
    alpha = TIMES_CAP * float(stepsize_cap(problem.constants, N))
    starts = problem.probes(STARTS, np.random.default_rng(keyed_seed(seed, "divergence", "starts", draw)))
    w = np.tile(starts, (len(alpha), 1))
    previous, last = fixed_steps(problem, N, np.repeat(alpha, STARTS), 1 / L, w, META_STEPS)
    with np.errstate(all="ignore"):
        settled = np.linalg.norm(last - previous, axis=1) < SETTLED * problem.scale
    all_settled = settled.reshape(-1, STARTS).all(axis=1)
    return float(alpha[-1] if all_settled.all() else alpha[np.argmin(all_settled)])


def slope(table: Table, series: str) -> tuple[float, float]:
    """Exponent of N in the critical stepsize, N ≥ 5, by least squares on logarithms, and its 95 % half-width."""
    from scipy import stats

    rows = table.select(series=series)
    tail = rows["N"] >= 5
    fit = stats.linregress(np.log(rows["N"][tail]), np.log(rows["critical_alpha_L"][tail]))
    half_width = fit.stderr * stats.t.ppf(0.975, int(tail.sum()) - 2)
    return float(fit.slope), float(half_width)


def draw(table: Table) -> Picture:
    """Draw the sharp instances on the cap, and the random problems far above it."""
    picture, (ax,) = panels(height=3.1)
    N = np.geomspace(1, 50, 200)
    unit_L = [float(2 ** (1 / (2 * n)) - 1) for n in N]
    ax.loglog(N, unit_L, **BOUND, linestyle="-", label=r"$\alpha_{\rm cap}(N)$, the paper's")
    ax.loglog(N, math.log(2) / (2 * N), **BOUND, linestyle=":", label=r"$\ln 2/(2LN)$")
    ax.loglog(N, np.sin(np.pi / (4 * N)), color="#CC79A7", marker="none", linestyle="-.", label="own cap, resampling")
    for series, marker, color, size in zip(SHARP, "ox", ("#0072B2", "#D55E00"), (5, 3), strict=True):
        rows = table.select(series=series)
        at = np.isin(rows["N"], (*TYPICAL_STEPS, 25, 40))
        ax.loglog(
            rows["N"][at],
            rows["critical_alpha_L"][at],
            marker=marker,
            color=color,
            markersize=size,
            label=series,
            **MEASURED,
        )
    rows = table.select(series=TYPICAL)
    by_N = [rows["critical_alpha_L"][rows["N"] == n] for n in TYPICAL_STEPS]
    low, middle, high = (np.array([np.quantile(values, level) for values in by_N]) for level in (0.1, 0.5, 0.9))
    ax.fill_between(TYPICAL_STEPS, low, high, color="#009E73", alpha=0.2, linewidth=0)
    ax.loglog(TYPICAL_STEPS, middle, marker="^", color="#009E73", linestyle="--", label=f"{TYPICAL}, median")
    ax.set_xticks([1, 2, 5, 10, 20, 50], ["1", "2", "5", "10", "20", "50"])
    ax.minorticks_off()
    ax.set_xlabel("inner steps N")
    ax.set_ylabel(r"critical $\alpha L$")
    picture.legend(*ax.get_legend_handles_labels(), ncol=2, loc="outside upper center")
    return picture


def caption(table: Table) -> str:
    """Say what was measured, with the fitted exponents."""
    fits = {name: "{:.3f} ± {:.3f}".format(*slope(table, name)) for name in (*SHARP, TYPICAL)}
    cap = 2 ** (1 / (2 * table["N"])) - 1
    sharp = np.isin([row["series"] for row in table.rows], SHARP)
    off = float(np.abs(table["critical_alpha_L"] / cap - 1)[sharp].max())
    times = (table["critical_alpha_L"] / cap)[~sharp & (table["N"] == 50)]
    return prose(f"""
        Critical inner stepsize, times L, of exact MAML with the fixed meta stepsize β = 1/L. On opposed-curvature and
        twin-wells, by bisection at every N from 1 to 50 (some shown), it equals α_cap(N) = (2^{{1/(2N)}} − 1)/L to
        {off:.0e} relative; exponents of N for N ≥ 5: {fits[SHARP[0]]} and {fits[SHARP[1]]} (95 %). On {DRAWS} random
        cosine problems (d = {DIM}, {TASKS} tasks, {STARTS} starts, {META_STEPS} meta steps; median and 10–90 % band)
        it is far above, {np.median(times):.0f} times the cap at N = 50 in the median, and its exponent is
        {fits[TYPICAL]}: the worst case is not the typical one.
    """)


FIGURE = Figure(
    name="divergence",
    question="At which inner stepsize does exact MAML diverge?",
    parts=parts(),
    compute=compute,
    draw=draw,
    caption=caption,
)
