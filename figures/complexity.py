"""Complexity: meta steps and oracle calls to an accuracy, as measured and as the theorems certify."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from figures.drawing import ABOVE, BESIDE, LOOKS, STEPSIZES, Look, beside, in_prose, in_words, panels, prose
from figures.figure import Figure, Part
from figures.numbers import setting
from figures.table import Row, Table
from problems import slow_slope
from problems.problem import Problem
from theory.algorithms import Algorithm, run
from theory.complexity import oracle_calls, steps_to_accuracy
from theory.constants import Constants, Schedule
from theory.growth import stepsize_cap
from verify.cell import alpha_L, keyed_seed
from verify.evidence.fits import Fit, power_law

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure as Picture


@dataclass(frozen=True)
class Series:
    """Runs of one algorithm on one problem, with a C_β at which the theorem speaks."""

    label: str
    problem: str
    C_beta: float
    accuracies: tuple[float, ...]


SERIES: dict[Algorithm, Series] = {
    "exact": Series("exact MAML", "slow-slope", 1, (0.8, 0.57, 0.4, 0.28, 0.2, 0.14, 0.1, 0.07, 0.05)),
    "finite-sum": Series("Algorithm 2", "quadratic-finite-sum", 10, (0.8, 0.57, 0.4, 0.28, 0.2)),
    "resampling": Series("Algorithm 1", "rotated-cosine", 20, (0.8, 0.57, 0.4, 0.28)),
}
BATCH, B_PRIME, D_L, REPLICAS = 1.5, 8, 20, 8
"""Tasks and data per inner gradient, `B = S = ⌈(BATCH/x)²⌉` at relative accuracy x, and what does not depend on it."""
N_FIXED, X_FIXED, ALPHA_L_FIXED = 5, 0.4, 1 / 16
UNIT = Constants(L=1.0)
"""For the cap in units of 1/L."""
INNER_STEPS = (1, 2, 3, 4, 5, 7, 10, 14, 20, 28)
LAST_CERTIFIED = max(N for N in INNER_STEPS if stepsize_cap(UNIT, N) > ALPHA_L_FIXED)
"""Beyond it the fixed stepsize is past the cap."""


def parts() -> list[Part]:
    """Accuracies at one N for each algorithm, and inner steps at one accuracy for two stepsize rules of exact MAML."""
    recommended: list[Part] = [
        {"panel": "accuracy", "algorithm": algorithm, "rule": "recommended", "N": N_FIXED, "x": x}
        for algorithm, series in SERIES.items()
        for x in series.accuracies
    ]
    return recommended + [
        {"panel": "N", "algorithm": "exact", "rule": rule, "N": N, "x": X_FIXED}
        for rule in ("recommended", "fixed")
        for N in INNER_STEPS
    ]


def compute(part: Part, seed: int) -> list[Row]:
    """Meta steps and oracle calls until ḡ ≤ ε, and how many the theorem certifies; ε is x‖∇l(w_0)‖."""
    algorithm, N, x = part["algorithm"], part["N"], part["x"]
    series = SERIES[algorithm]
    unit_alpha = alpha_L("recommended", N) if part["rule"] == "recommended" else ALPHA_L_FIXED
    batch = math.ceil((BATCH / x) ** 2)
    problem, alpha, s = setting(
        series.problem, N, unit_alpha, C_beta=series.C_beta, B=batch, S=batch, B_prime=B_PRIME, D_L=D_L
    )
    if algorithm == "exact":
        s = replace(s, B=problem.number_of_tasks)
    c, s = problem.constants, replace(s, Delta=problem.initial_gap(alpha, N))
    epsilon = x * float(np.linalg.norm(problem.outer.gradient(problem.start[None]).mean(axis=0)))
    place = keyed_seed(seed, "complexity", algorithm, part["rule"], N, x)
    mean, per_run = first_accurate(problem, algorithm, s, epsilon, place)
    low, high = np.quantile(per_run, (0.1, 0.9))
    steps = {"measured": mean, "low": low, "high": high, "theory": float(steps_to_accuracy(c, s, epsilon, algorithm))}
    per_step = float(oracle_calls(s, algorithm, problem.train_size, problem.test_size).total)
    calls = {f"calls_{name}": K * per_step for name, K in steps.items()}
    return [{**part, "B": s.B, **steps, **calls}]


def first_accurate(
    problem: Problem, algorithm: Algorithm, s: Schedule, epsilon: float, place: np.random.SeedSequence
) -> tuple[int, npt.NDArray[np.intp]]:
    """Least K at which ḡ ≤ ε: of the mean over replicas, and of each replica alone (R,). Longer and longer runs."""
    K, replicas = 32, 1 if algorithm == "exact" else REPLICAS
    while True:
        rng = np.random.default_rng(place)  # so that a longer run begins as the shorter one did
        trajectory = run(algorithm, problem, problem.constants, replace(s, K=K), problem.start, rng, replicas=replicas)
        so_far = trajectory.mean_gradient_norm_so_far
        accurate = so_far <= epsilon
        if accurate.any(axis=1).all():
            mean = int(np.argmax(so_far.mean(axis=0) <= epsilon)) + 1
            return mean, accurate.argmax(axis=1) + 1
        K *= 2


def draw(table: Table) -> Picture:
    """Meta steps and oracle calls against the accuracy, the spread of runs, and oracle calls against N."""
    picture, axes = panels(2, 2, height=2.5)
    steps, calls, spread, inner = axes
    for ax, prefix, ylabel in ((steps, "", "meta steps K"), (calls, "calls_", "oracle calls")):
        for (algorithm, series), look in zip(SERIES.items(), LOOKS, strict=False):
            _draw(ax, table.select(panel="accuracy", algorithm=algorithm), "x", prefix, look, label=series.label)
        ax.set_ylabel(ylabel)
        _accuracies(ax, table.select(panel="accuracy"))
    steps.legend(title=BESIDE, ncol=3, **ABOVE)
    _draw_spread(spread, table)
    _accuracies(spread, table.select(panel="accuracy", algorithm="finite-sum"))
    for rule, look in zip(("recommended", "fixed"), LOOKS, strict=False):
        label = STEPSIZES["recommended"] if rule == "recommended" else rf"$\alpha = 1/({1 / ALPHA_L_FIXED:.0f}L)$"
        _draw(inner, table.select(panel="N", rule=rule), "N", "calls_", look, label=label)
    inner.axvspan(LAST_CERTIFIED + 0.5, 1.15 * INNER_STEPS[-1], color="0.92", linewidth=0)
    inner.text(LAST_CERTIFIED + 1, 0.97, rf"no theorem for $\alpha = 1/({1 / ALPHA_L_FIXED:.0f}L)$", fontsize=6,
               transform=inner.get_xaxis_transform(), va="top")  # fmt: skip
    inner.set_xlim(right=1.15 * INNER_STEPS[-1])
    inner.legend(ncol=2, **ABOVE)
    inner.set_xlabel(f"inner steps N (exact MAML, {SERIES['exact'].problem})")
    inner.set_xticks([1, 2, 5, 10, 20], ["1", "2", "5", "10", "20"])
    inner.set_ylabel("oracle calls")
    inner.minorticks_off()
    return picture


def _draw(ax: Axes, rows: Table, x: str, prefix: str, look: Look, label: str) -> None:
    """Measured beside certified, as far as it is; where no theorem speaks the markers are crosses."""
    ax.set_xscale("log")
    ax.set_yscale("log")
    measured, theory = rows[prefix + "measured"], rows[prefix + "theory"]
    certified = np.isfinite(theory)
    handle = beside(ax, rows[x][certified], measured[certified], theory[certified], look)
    handle[0].set_label(label)
    handle[0].set(marker=look[0], markevery=[], markerfacecolor="none")
    ax.plot(rows[x][~certified], measured[~certified], marker="x", color=look[1], linestyle="none")


def _draw_spread(ax: Axes, table: Table) -> None:
    """How wide the band of single replicas is, over the mean; exact MAML draws nothing."""
    for (algorithm, series), (marker, color, _) in list(zip(SERIES.items(), LOOKS, strict=False))[1:]:
        rows = table.select(panel="accuracy", algorithm=algorithm)
        width = (rows["high"] - rows["low"]) / rows["measured"]
        ax.plot(rows["x"], width, marker=marker, color=color, linestyle="-", linewidth=0.6, markerfacecolor="none",
                label=series.label)  # fmt: skip
    ax.set_xscale("log")
    ax.set_yscale("log")
    ax.set_ylabel("band from 10 to 90 %, over K")
    ax.legend(ncol=2, **ABOVE)


def _accuracies(ax: Axes, rows: Table) -> None:
    shown = [x for x in (0.8, 0.4, 0.2, 0.1, 0.05) if x in rows["x"]]
    ax.set_xlabel(r"accuracy $\varepsilon / \|\nabla l(w_0)\|$")
    ax.set_xticks(shown, [f"{x:g}" for x in shown])
    ax.minorticks_off()
    ax.invert_xaxis()


def exponent(table: Table, algorithm: Algorithm, column: str) -> Fit:
    """Power of 1/ε in a column."""
    rows = table.select(panel="accuracy", algorithm=algorithm)
    return power_law(1 / rows["x"], rows[column])


def caption(table: Table) -> str:
    """Say what was run, with the fitted exponents."""
    steps, limit = exponent(table, "exact", "measured"), (2 + slow_slope.POWER) / (1 + slow_slope.POWER)
    exact, C_beta = SERIES["exact"], ", ".join(f"{series.C_beta:g} ({series.label})" for series in SERIES.values())
    K = table.select(panel="N", rule="recommended")["measured"]
    powers = ", ".join(
        f"{series.label} {exponent(table, algorithm, 'calls_measured').slope:.2f} "
        f"({exponent(table, algorithm, 'calls_theory').slope:.2f})"
        for algorithm, series in SERIES.items()
    )
    runs = ", ".join(f"{series.label} on {series.problem}" for series in SERIES.values())
    return prose(f"""
        Above, left: meta steps until the mean gradient norm ḡ ≤ ε of the mean over {REPLICAS} replicas (markers), and
        the fewest that the theorem certifies (line of the same colour), N = {N_FIXED}, {in_words("recommended")}, C_β =
        {C_beta}, B = S = ⌈({BATCH}‖∇l(w_0)‖/ε)²⌉, D = T = 1, B' = {B_PRIME}, D_L = {D_L}, seed {table.seed}; {runs}. On
        {exact.problem} K grows with the power {steps.slope:.2f} of 1/ε (locally {steps.lower:.2f} to
        {steps.upper:.2f}), in the limit {limit:.2f}; the theorem's is 2. Right: the same in calls (gradients and
        Hessian-vector products of single data), with powers of 1/ε measured (and certified): {powers}, where the
        corollaries allow 2, 4 and 6. Below, left: the width of the band that K of single replicas fills from 10 to 90
        %, over K: too narrow to be seen above. Right: exact MAML on {exact.problem} to ε = {X_FIXED}‖∇l(w_0)‖: with
        {in_words("recommended")} it takes {K.min():.0f} to {K.max():.0f} meta steps of 2N + 2 calls at every N, with
        fixed α exponentially many; beyond N = {LAST_CERTIFIED} that α is past α_cap(N), no theorem speaks, and there is
        no bound to be beside (crosses).
        {in_prose(*(series.problem for series in SERIES.values()))}
    """)


FIGURE = Figure(
    name="complexity",
    question="How many meta steps and oracle calls does an accuracy take?",
    parts=parts(),
    compute=compute,
    draw=draw,
    caption=caption,
    cost=lambda part: 0.6 / part["x"] ** 2 if part["algorithm"] == "resampling" else 0.1 * part["N"],
)
