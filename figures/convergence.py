"""Convergence: the mean gradient norm of the three algorithms against meta steps and batches, beside the theorems."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from figures.drawing import ABOVE, BESIDE, LOOKS, beside, in_prose, in_words, panels, prose
from figures.figure import Figure, Part
from figures.numbers import setting
from figures.table import Row, Table
from problems import slow_slope
from problems.ramp import MADE_FOR
from theory.algorithms import Algorithm, run
from theory.complexity import theorem
from verify.cell import StepsizeRule, alpha_L, keyed_seed
from verify.claims.theorem_finite_sum import SETTINGS as FINITE_SUM
from verify.claims.theorem_resampling import SETTINGS as RESAMPLING
from verify.evidence.fits import Fit, power_law

if TYPE_CHECKING:
    from matplotlib.figure import Figure as Picture

REPLICAS = 32
TAIL = 1000
"""Exponents of K are fitted from here on."""
BATCHES = (1, 2, 4, 8, 16, 32, 64, 128, 256)


@dataclass(frozen=True)
class Series:
    """Runs of one algorithm, `varies` of whose schedule takes several values."""

    algorithm: Algorithm
    problem: str
    varies: str
    values: tuple[int, ...]
    schedule: Mapping[str, float]
    N: int = 5
    rule: StepsizeRule = "recommended"

    @property
    def settings(self) -> str:
        """What the schedule chooses, for the caption."""
        names = {"C_beta": "C_β", "B_prime": "B'"}
        return ", ".join(f"{names.get(name, name)} = {value:g}" for name, value in self.schedule.items())

    @property
    def label(self) -> str:
        """Algorithm, problem, and what varies where it is a batch."""
        name = {"exact": "exact MAML", "finite-sum": "Algorithm 2", "resampling": "Algorithm 1"}[self.algorithm]
        return f"{name}, {self.problem}" + ("" if self.varies == "K" else f", against {self.varies}")


def steps(last: float) -> tuple[int, ...]:
    """Numbers of meta steps, four a decade from 10 on."""
    return tuple(int(K) for K in np.geomspace(10, last, round(4 * np.log10(last / 10)) + 1).round())


ORDINARY = (
    Series("exact", "rotated-cosine", "K", steps(1000), {"C_beta": 1}),
    Series("finite-sum", "quadratic-finite-sum", "K", steps(1000), FINITE_SUM[0]),
    Series("resampling", "rotated-cosine", "K", steps(1000), RESAMPLING[0]),
)
RATE = Series("exact", "slow-slope", "K", steps(10_000), {"C_beta": 20})
RAMP = Series("exact", "ramp", "K", steps(MADE_FOR["K"]), {"C_beta": MADE_FOR["C_beta"]})
FLOORS = (
    Series("finite-sum", "noise-floor", "B", BATCHES, {"K": 200, "C_beta": 8}, N=1, rule="small"),
    Series("resampling", "noise-floor-data", "B", BATCHES, {"K": 200, "C_beta": 20}, N=1, rule="small"),
    Series("resampling", "noise-floor-data", "S", BATCHES, {"K": 200, "C_beta": 20, "B": 8, "T": 10**6}),
)
PANELS = (ORDINARY, (RATE, RAMP), FLOORS[:2], FLOORS[2:])
SERIES = {series.label: series for panel in PANELS for series in panel}


def parts() -> list[Part]:
    """One part holds all K of a series, since the shorter runs begin the longest one, or one batch size."""
    found: list[Part] = []
    for label, series in SERIES.items():
        together = [series.values] if series.varies == "K" else [(value,) for value in series.values]
        found += [{"series": label, "values": values} for values in together]
    return found


def compute(part: Part, seed: int) -> list[Row]:
    """ḡ at each value: mean and 10 and 90 % quantiles over replicas of a run's own mean, and the theorem's bound."""
    label, values = part["series"], part["values"]
    series = SERIES[label]
    problem, alpha, s = setting(series.problem, series.N, alpha_L(series.rule, series.N), **series.schedule)
    s = replace(s, Delta=problem.initial_gap(alpha, series.N), **{series.varies: max(values)})
    rng = np.random.default_rng(keyed_seed(seed, "convergence", label, *values))
    replicas = 1 if series.algorithm == "exact" else REPLICAS
    norms = run(series.algorithm, problem, problem.constants, s, problem.start, rng, replicas=replicas).gradient_norm
    rows: list[Row] = []
    for value in values:
        chosen = replace(s, **{series.varies: value})
        means = norms[:, : int(chosen.K)].mean(axis=1)
        low, high = np.quantile(means, (0.1, 0.9))
        bound = float(theorem(problem.constants, chosen, series.algorithm).bound)
        rows.append({"series": label, "x": value, "measured": means.mean(), "low": low, "high": high, "bound": bound})
    return rows


def draw(table: Table) -> Picture:
    """Ordinary problems and instances against K, and noise floors against B and against S."""
    picture, axes = panels(2, 2, height=2.4)
    for ax, shown in zip(axes, PANELS, strict=True):
        handles = []
        for series, look in zip(shown, LOOKS, strict=False):
            rows = table.select(series=series.label)
            band = None if series.algorithm == "exact" else (rows["low"], rows["high"])
            handles.append(beside(ax, rows["x"], rows["measured"], rows["bound"], look, band))
        ax.set_xscale("log")
        ax.set_yscale("log")
        ax.set_ylabel(r"$\bar g$")
        ax.legend(handles, [series.label for series in shown], title=BESIDE if ax is axes[0] else None, **ABOVE)
    axes[0].set_xlabel("meta steps K")
    axes[1].set_xlabel("meta steps K")
    axes[2].set_xlabel("tasks per meta step B")
    axes[3].set_xlabel("data per inner gradient S")
    return picture


def exponent(table: Table, series: Series, column: str = "measured") -> Fit:
    """Power of what varies in a column, for K from `TAIL` on."""
    rows = table.select(series=series.label)
    tail = rows["x"] >= (TAIL if series.varies == "K" else 1)
    return power_law(rows["x"][tail], rows[column][tail])


def caption(table: Table) -> str:
    """Say what was run, with the fitted exponents."""
    rate, p = exponent(table, RATE), slow_slope.POWER
    on_ramp = table.select(series=RAMP.label)
    exact, finite_sum, resampling = ORDINARY
    B, _, S = (exponent(table, series).slope for series in FLOORS)
    return prose(f"""
        Mean ḡ = (1/K) Σ E‖∇L(w_k)‖ of the exact meta-gradient norm along runs with β_k = 1/(C_β L̂_k) (markers), and
        the theorem (line of the same colour and style); {in_words("recommended")} and N = {RATE.N} unless said
        otherwise; {REPLICAS} replicas, bands from 10 to 90 %; seed {table.seed}. Above, left: ordinary problems; exact
        MAML with {exact.settings}, Algorithm 2 with {finite_sum.settings}, Algorithm 1 with {resampling.settings}.
        Right: instances; {RATE.problem} ({RATE.settings}) has the exponent {rate.slope:.3f} (locally {rate.lower:.3f}
        to {rate.upper:.3f}) for K ≥ {TAIL}, in the limit −(1+p)/(2+p) = {-(1 + p) / (2 + p):.3f}; {RAMP.problem}
        ({RAMP.settings}) comes to {on_ramp["measured"][-1] / on_ramp["bound"][-1]:.2f} of the bound. Below: floors of
        runs from the minimum, so that only the draws keep ḡ up; left: against B with αL = 1/1000 and N = {FLOORS[0].N}
        ({FLOORS[0].settings}; {FLOORS[1].settings}), exponent {B:.2f}; right: against S ({FLOORS[2].settings}),
        exponent {S:.2f}, far below a bound that pays for a bias that constant Hessians do not have.
        {in_prose(*(series.problem for series in SERIES.values()))}
    """)


FIGURE = Figure(
    name="convergence",
    question="How fast do the three algorithms converge, and to which floor?",
    parts=parts(),
    compute=compute,
    draw=draw,
    caption=caption,
    cost=lambda part: 3.0 if len(part["values"]) > 1 else part["values"][0] / 250,
)
