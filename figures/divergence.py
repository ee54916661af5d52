"""Divergence: the critical inner stepsize of exact MAML against the number of inner steps."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from figures.drawing import BOUND, MEASURED, in_prose, panels, prose
from figures.figure import Figure, Part
from figures.table import Row, Table
from problems.problem import Problem
from problems.rotated_cosine import CosineNoise, cosine_problem, cosine_tasks
from theory.constants import Constants
from theory.growth import stepsize_cap, stepsize_cap_limit
from theory.sharper import larger_cap
from verify.cell import keyed_seed
from verify.claims.stepsize_cap import critical_stepsize
from verify.evidence.critical import fixed_steps
from verify.evidence.fits import Fit, power_law

if TYPE_CHECKING:
    from matplotlib.figure import Figure as Picture

SHARP = ("opposed-curvature", "twin-wells")
TYPICAL = "random cosine tasks"
SHARP_STEPS = tuple(range(1, 51))
SHOWN = (1, 2, 3, 5, 7, 10, 14, 20, 28, 38, 50)
TYPICAL_STEPS = (1, 2, 5, 10, 20, 50)
UNIT = Constants(L=1.0)
"""For caps in units of 1/L."""
TAIL = 5
"""Exponents are fitted to N from here on, where the cap is nearly a power of N."""
DRAWS, DIM, TASKS, STARTS = 8, 4, 6, 4
RATIO, LARGEST_ALPHA_L = 2**0.25, 8.0
"""Stepsizes on the random problems: from the cap by this ratio, up to this αL."""
FIRST_STEPS, STEPS, SETTLED = 300, 50, 0.05
"""Meta steps at the cap and at each stepsize after it, and the longest last one that counts as settled."""


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
        critical = loses_minimum(problem, N, part["draw"], seed)
    return [{**part, "critical_alpha_L": critical * problem.constants.L}]


def random_cosines(draw: int, seed: int) -> Problem:
    """Rotated cosine tasks with random amplitudes and frequencies."""
    rng = np.random.default_rng(keyed_seed(seed, "divergence", "tasks", draw))
    frequency, amplitude = rng.uniform(0.5, 2.0, size=(2, DIM)), rng.uniform(0.1, 1.0, size=(2, DIM))
    population = cosine_tasks(frequency, amplitude, TASKS, rng)
    return cosine_problem(population, CosineNoise(population, s=0.1, k=1.0), [0.0] * DIM)


def loses_minimum(problem: Problem, N: int, draw: int, seed: int) -> float:
    """First α of the grid at which iterates that sit near a meta-minimiser leave it; the last where they never do.

    Each run starts where the one at the stepsize before has settled, so that no long way blurs where stability ends.
    """
    L, alpha = problem.constants.L, float(stepsize_cap(problem.constants, N))
    w = problem.probes(STARTS, np.random.default_rng(keyed_seed(seed, "divergence", "starts", draw)))
    steps = FIRST_STEPS
    while alpha * L * RATIO <= LARGEST_ALPHA_L:
        previous, w = fixed_steps(problem, N, alpha, 1 / L, w, steps)
        if not (np.linalg.norm(w - previous, axis=1) < SETTLED).all():
            break
        alpha, steps = alpha * RATIO, STEPS
    return alpha


def exponent(table: Table) -> Fit:
    """Power of N in the critical stepsize."""
    N = table["N"]
    return power_law(N[N >= TAIL], table["critical_alpha_L"][N >= TAIL])


def draw(table: Table) -> Picture:
    """Draw the sharp instances on the cap, and the random problems far above it."""
    picture, (ax,) = panels(height=3.1)
    N = np.array(SHARP_STEPS)
    ax.loglog(N, stepsize_cap(UNIT, N), **BOUND, linestyle="-", label=r"$\alpha_{\rm cap}(N)$, the paper's")
    ax.loglog(N, stepsize_cap_limit(UNIT, N), **BOUND, linestyle=":", label=r"$\ln 2/(2LN)$")
    ax.loglog(N, larger_cap(UNIT, N), color="#CC79A7", marker="none", linestyle="-.", label="own cap, resampling")
    for series, marker, color, size in zip(SHARP, "ox", ("#0072B2", "#D55E00"), (5, 3), strict=True):
        rows = table.select(series=series)
        at = np.isin(rows["N"], SHOWN)
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
    times_cap = table["critical_alpha_L"] / stepsize_cap(UNIT, table["N"])
    sharp = np.array([row["series"] in SHARP for row in table.rows])
    off = float(np.abs(times_cap - 1)[sharp].max())
    fits = [exponent(table.select(series=name)) for name in SHARP]
    typical = table.select(series=TYPICAL)
    slopes = [exponent(typical.select(draw=draw)).slope for draw in typical.distinct("draw")]
    exponents = " and ".join(f"{fit.slope:.3f} (locally {fit.lower:.3f} to {fit.upper:.3f})" for fit in fits)
    times = times_cap[~sharp & (table["N"] == TYPICAL_STEPS[-1])]
    return prose(f"""
        Critical inner stepsize, times L, of exact MAML with the fixed meta stepsize β = 1/L. On {SHARP[0]} and
        {SHARP[1]} (d = 1), by bisection at every N from {SHARP_STEPS[0]} to {SHARP_STEPS[-1]} (some shown), it equals
        α_cap(N) = (2^{{1/(2N)}} − 1)/L to {off:.0e} relative; fitted exponents of N for N ≥ {TAIL}: {exponents}. On
        {len(slopes)} problems of random cosine tasks (d = {DIM}, {TASKS} tasks, {STARTS} starts, seed {table.seed};
        median and 10–90 % band), where iterates settle at the cap and are followed as α grows in steps of
        {RATIO - 1:.0%}, their minimiser loses stability only at {np.median(times):.0f} times the cap at N =
        {TYPICAL_STEPS[-1]} in the median, with exponents of N from {min(slopes):.2f} to {max(slopes):.2f}: the worst
        case is not the typical one. Runs from afar may fail to settle earlier.
        {in_prose(*SHARP)}
    """)


FIGURE = Figure(
    name="divergence",
    question="At which inner stepsize does exact MAML diverge?",
    parts=parts(),
    compute=compute,
    draw=draw,
    caption=caption,
    cost=lambda part: 0.025 * part["N"] if part["series"] == TYPICAL else 0.02,
)
