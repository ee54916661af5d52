"""Whole runs of the algorithms: the mean gradient norm of the meta objective beside what a theorem guarantees."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from problems.problem import Problem
from theory.algorithms import Algorithm, Trajectory, run
from theory.constants import Schedule
from theory.growth import growth, growth_excess
from theory.smoothness import smoothness_floor
from verify.claim import Cell
from verify.evidence.rounding import extent, meta_gradient_error, meta_objective_error, unit
from verify.evidence.sampling import AlmostSure
from verify.evidence.statistics import Interval, Values, mean_interval, sample_until
from verify.verdict import EPS, Finding

CUT = 1.5
"""Samples count for at most this multiple of the bound in the lower limit, whatever their range."""


def schedule(cell: Cell, **fields: Any) -> Schedule:
    """Return the cell's schedule with its own initial gap Δ, which rounding must not make negative."""
    return cell.schedule(Delta=max(cell.problem.initial_gap(cell.alpha, cell.N), 0.0), **fields)


def horizon(cell: Cell, C_beta: float) -> int:
    """Meta steps K of a run that is repeated: half of a single run's, unless fewer show as much.

    The bound depends on `C_β/K`. Where the problem does not bound its gradients, their range grows like `e^{K/C_β}`.
    """
    enough = 15 if math.isfinite(cell.problem.gradient_bound) else 1.5
    return min(cell.effort.meta_steps // 2, round(enough * C_beta))


def exact_run(cell: Cell, algorithm: Algorithm, s: Schedule) -> Finding:
    """One run in which nothing is random, beside `cell.formula(c, s).bound`; PremiseError if the theorem is silent."""
    problem, c = cell.problem, cell.constants
    bound = float(cell.formula(c, s).bound)
    trajectory = run(algorithm, problem, c, s, problem.start, cell.rng("run"))
    error, drift = rounding(problem, s, trajectory)
    drifted = float(cell.formula(c, replace(s, Delta=float(s.Delta) + drift)).bound)
    return Finding(
        measured=float(trajectory.mean_gradient_norm[0]),
        bound=bound,
        slack=error + (drifted - bound) + unit(problem) * (cell.N + 1) * bound,
        method="run",
        **_described(s),
    )


def rounding(problem: Problem, s: Schedule, trajectory: Trajectory) -> tuple[float, float]:
    """Error of the mean of the computed gradient norms, and the gap that the errors of all steps are worth.

    A computed step is one along `∇L(w) + e`. By the descent lemma it lowers the objective by at least what the exact
    one is sure to, less `β(1 + 1/C_β)(‖∇L‖ + ‖e‖)‖e‖`: as if the initial gap were larger by the sum of these.
    """
    w, norm, beta = trajectory.points[0, :-1], trajectory.gradient_norm[0], trajectory.meta_stepsize[0]
    size = extent(problem, w[:, None])
    e = meta_gradient_error(problem, s, size).mean(axis=-1) + EPS * (np.linalg.norm(w, axis=-1) / beta + 4 * norm)
    drift = float((beta * (1 + 1 / s.C_beta) * (norm + e) * e).sum())
    start = meta_objective_error(problem, s, size[0], trajectory.objective[0, 0])
    return float(e.mean()), drift + float(np.mean(start))


def sampled_runs(cell: Cell, algorithm: Algorithm, settings: Sequence[Mapping[str, int]]) -> Iterator[Finding]:
    """Independent runs on an ordinary problem at each of the settings; none where no interval could be made."""
    for setting in settings:
        s = schedule(cell, **setting, K=horizon(cell, setting["C_beta"]))
        if math.isfinite(largest_mean(cell.problem, s)):
            yield sampled_run(cell, algorithm, s, share=len(settings))


def sampled_run(cell: Cell, algorithm: Algorithm, s: Schedule, share: int = 1) -> Finding:
    """Independent runs beside `cell.formula(c, s).bound`; PremiseError where the theorem does not speak.

    One sample is the mean gradient norm of one run. The upper limit rests on its almost-sure range, the lower one on
    that of the smaller variable `min(sample, CUT · bound)`; each has half of the error probability.
    """
    problem, c = cell.problem, cell.constants
    bound = float(cell.formula(c, s).bound)
    highest = largest_mean(problem, s)
    top = min(CUT * bound, highest) if bound > 0 else highest

    def draw(count: int, rng: np.random.Generator) -> Values:
        return run(algorithm, problem, c, s, problem.start, rng, replicas=count).mean_gradient_norm[:, None]

    def interval(samples: Values, delta: float) -> Interval:
        cut = mean_interval(np.minimum(samples, top), delta / 2, 0.0, top)
        return Interval(samples.mean(axis=0), cut.lower, mean_interval(samples, delta / 2, 0.0, highest).upper)

    described = _described(s)
    enough = replace(cell, effort=replace(cell.effort, samples=first_round(cell, highest, bound)))
    finding, _ = sample_until(enough, draw, interval, np.array([bound]), described["label"], share=share)
    return replace(finding, method="run", **described)


def first_round(cell: Cell, highest: float, bound: float) -> int:
    """How many runs to begin with: few where the bound exceeds all that can happen, else so many that the interval's
    term in the range is about half of the bound.
    """
    least, most = cell.effort.replicas, cell.effort.samples
    if highest <= bound:
        return least
    needed = 5 * highest * math.log(8 * cell.effort.rounds / cell.delta)
    return max(least, math.ceil(needed / bound)) if needed < most * bound else most


def largest_mean(problem: Problem, s: Schedule) -> float:
    """Largest value that the mean gradient norm of one run of Algorithm 1 or 2 can take; ∞ where none is known.

    With `g` the largest gradient of a test loss, `‖∇l_T(w̃_N)‖ ≤ q^N g + (q^N − 1) b_i` and `‖∇L_i‖` is at most `q^N`
    times that. A meta step moves by at most `‖Ĝ‖/(C_β a)`, which raises `g` by at most L times as much. The problem's
    `gradient_bound` caps both.
    """
    c, N = problem.constants, int(s.N)
    sure = AlmostSure.of(problem, float(s.alpha), N)
    stretch = float(growth(c, s, N))
    mismatch = float(growth_excess(c, s, N)) * problem.number_of_tasks * c.b  # no b_i exceeds the sum of all
    step = c.L / (float(s.C_beta) * float(smoothness_floor(c, s)))
    g = float(np.linalg.norm(problem.outer.gradient(problem.start[None]), axis=-1).max())
    total = 0.0
    for _ in range(int(s.K)):
        last = min(stretch * g + mismatch, problem.gradient_bound)
        total += stretch * last
        g = min(g + step * float(sure.estimator(np.asarray(last))), problem.gradient_bound)
    return total / float(s.K)


def _described(s: Schedule) -> dict[str, Any]:
    """Label and witness of a run: the schedule."""
    chosen = {name: float(getattr(s, name)) for name in ("C_beta", "B", "S", "D", "T", "B_prime", "D_L", "K", "Delta")}
    return {"label": f"C_β = {s.C_beta:g}, B = {s.B:g}, K = {s.K:g}", "witness": chosen}
