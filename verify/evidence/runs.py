"""Whole runs of the algorithms: the mean gradient norm of the meta objective beside what a theorem guarantees."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Protocol, TypeAlias

import numpy as np

from problems.problem import Problem
from theory.algorithms import Algorithm, Trajectory, run
from theory.constants import Real, Schedule
from theory.maml import mean_over_tasks
from theory.norm import norm
from theory.paper import Paper
from verify.cell import Cell
from verify.claim import Way
from verify.evidence.expectation import noisy_extent
from verify.evidence.intervals import Interval, mean_interval
from verify.evidence.moments import is_linear, mean_gradient_norm
from verify.evidence.quantities import meta_gradients
from verify.evidence.ranges import AlmostSure
from verify.evidence.rounding import extent, meta_gradient_error, meta_objective_error, unit
from verify.evidence.sampling import GROWTH, sample_until
from verify.evidence.tree import enumerate_paths, mean_estimator
from verify.shared import shared
from verify.verdict import EPS, Finding, Values


class Promised(Protocol):
    """What a theorem promises: `ḡ ≤ bound`."""

    @property
    def bound(self) -> Real:
        """The bound."""


Promise: TypeAlias = Callable[[Paper], Promised]
"""The paper at a run's schedule ↦ what a theorem promises of the run; PremiseError where it does not speak."""
MANY = 10**9
"""Tasks per step from which on a step of Algorithm 1 is as good as its mean."""
LONGEST = 1000
"""Meta steps from which on runs that can be computed without any draw are."""
MOST = 10**6
"""Meta steps that a run may take at most."""
CUT = 1.5
"""Samples count for at most this multiple of the bound in the lower limit, whatever their range."""


@dataclass(frozen=True)
class Run(Way):
    """Run an algorithm from the problem's start; the decorated function gives the theorem that says how far it gets.

    A problem that is made for a schedule is run by that one, any other by each of the settings. Nothing is drawn where
    all draws are equal, where a step takes so many that their mean is as good, or where moments say enough.

    Attributes
    ----------
    settings : fields of a schedule, with at least `C_beta`; K is chosen.
    """

    algorithm: Algorithm
    settings: Sequence[Mapping[str, float]]
    long = True

    def findings(self, cell: Cell, promise: Promise) -> Iterator[Finding]:
        """One finding for each schedule; none where no interval could be made."""
        problem = cell.problem
        made_for = chosen_by(problem, ("C_beta", "K")) if self.algorithm == "exact" else chosen_by(problem)
        settings = [made_for] if made_for else self.settings
        for setting in settings:
            if self.algorithm == "exact" or problem.deterministic:
                s = schedule(cell, **{"K": cell.effort.meta_steps, **setting})
                yield exact_run(cell, promise, s)
                continue
            s = schedule(cell, **{"K": horizon(cell, setting["C_beta"]), **setting})
            if float(s.K) > LONGEST and is_linear(problem):
                yield linear_run(cell, promise, s)
            elif float(s.B) >= MANY:
                yield expected_run(cell, promise, s)
            elif made_for or math.isfinite(largest_mean(problem, s)):
                yield sampled_run(cell, promise, self.algorithm, s, share=len(settings))


def chosen_by(problem: Problem, read: Sequence[str] = ()) -> dict[str, float]:
    """Fields of the schedule of a run that a problem is made for, all or those that are read.

    None where it names no run, or one that is too long to be made and reads but these fields.
    """
    K = problem.made_for.get("K", math.inf)
    if math.isinf(K) or (read and K > MOST):
        return {}
    return {name: value for name, value in problem.made_for.items() if not read or name in read}


def schedule(cell: Cell, **fields: Any) -> Schedule:
    """Return the cell's schedule with its own initial gap Δ, which rounding must not make negative."""
    s = cell.schedule(**fields)
    return replace(s, Delta=max(cell.problem.initial_gap(float(s.alpha), int(s.N)), 0.0))


def horizon(cell: Cell, C_beta: float) -> int:
    """Meta steps K of a run that is repeated: half of a single run's, unless fewer show as much.

    The bound depends on `C_β/K`. Where the problem does not bound its gradients, their range grows like `e^{K/C_β}`.
    """
    enough = 15 if math.isfinite(cell.problem.gradient_bound) else 1.5
    return min(cell.effort.meta_steps // 2, round(enough * C_beta))


def exact_run(cell: Cell, promise: Promise, s: Schedule) -> Finding:
    """One run in which nothing is random, beside what is promised; PremiseError if the theorem is silent."""
    problem, bound = cell.problem, float(promise(cell.paper_at(s)).bound)
    trajectory = one_run(cell, s)
    error, drift = run_error(problem, s, trajectory)
    drifted = float(promise(cell.paper_at(replace(s, Delta=float(s.Delta) + drift))).bound)
    return Finding(
        measured=float(trajectory.mean_gradient_norm[0]),
        bound=bound,
        slack=error + (drifted - bound) + unit(problem) * (cell.N + 1) * bound,
        method="run",
        **_described(s),
    )


def one_run(cell: Cell, s: Schedule) -> Trajectory:
    """One run from the problem's start in which nothing is random, made once for all claims and mutants."""
    # Where there is one task and no noise, all draws are equal, and so is their mean: every algorithm is exact MAML,
    # which reads none of these sizes.
    one = replace(s, Delta=0.0, **dict.fromkeys(("B", "S", "D", "T", "B_prime", "D_L"), 1))
    problem, rng = cell.problem, cell.common.rng("run")
    return shared(cell, partial(run, "exact", problem, cell.constants, one, problem.start, rng), "run", one)


def run_error(problem: Problem, s: Schedule, trajectory: Trajectory) -> tuple[float, float]:
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


def expected_run(cell: Cell, promise: Promise, s: Schedule) -> Finding:
    """A run whose steps average so many draws that each is along the mean of Ĝ, which is enumerated; B', D_L → ∞ too.

    One sample are the first steps. An error e of a step moves all that follow: gradients by at most `(1 + 1/C_β)` times
    as much at each further step.
    """
    bound, steps, free = float(promise(cell.paper_at(s)).bound), cell.effort.meta_steps, replace(s, Delta=0.0)
    mean, error = shared(cell, partial(mean_norm_of_means, cell, free, steps), "run along means", free, steps)
    return Finding(
        measured=mean,
        bound=bound,
        slack=error * (1 + 1 / float(s.C_beta)) ** steps + unit(cell.problem) * (cell.N + 1) * bound,
        method="enumeration",
        samples=steps,
        **_described(s),
    )


def mean_norm_of_means(cell: Cell, s: Schedule, steps: int) -> tuple[float, float]:
    """Mean of ‖∇L(w_k)‖ over steps along the mean of Ĝ, and the largest error of one of them."""
    problem, alpha, N, S = cell.problem, float(s.alpha), int(s.N), int(s.S)
    p = cell.paper_at(s).unchanged
    w, norms, error = problem.start[None], [], 0.0
    for _ in range(steps):
        point = w[:, None]
        norms.append(float(norm(mean_over_tasks(meta_gradients(cell, point)))[0]))
        error = max(error, float(meta_gradient_error(problem, s, noisy_extent(problem, w)).mean()))
        mean = mean_over_tasks(mean_estimator(problem, enumerate_paths(problem, w, alpha, N, S), alpha))
        w = w - mean / (s.C_beta * p.L_w(norm(problem.outer.gradient(point)).mean()))
    return float(np.mean(norms)), error


def linear_run(cell: Cell, promise: Promise, s: Schedule) -> Finding:
    """The mean over all runs from 0 that are linear in w, between limits that rest on moments."""
    bound, free = float(promise(cell.paper_at(s)).bound), replace(s, Delta=0.0)
    mean = shared(cell, partial(mean_gradient_norm, cell.problem, free), "linear run", free)
    return Finding(
        measured=float(mean.estimate[0]),
        bound=bound,
        lower=float(mean.lower[0]),
        upper=float(mean.upper[0]),
        slack=unit(cell.problem) * (cell.N + 1) * bound,
        method="enumeration",
        **_described(s),
    )


def sampled_run(cell: Cell, promise: Promise, algorithm: Algorithm, s: Schedule, share: int = 1) -> Finding:
    """Independent runs beside what is promised; PremiseError where the theorem does not speak.

    One sample is the mean gradient norm of one run. The upper limit rests on its almost-sure range, the lower one on
    that of the smaller variable `min(sample, CUT · bound)`; each has half of the error probability.
    """
    problem, c = cell.problem, cell.constants
    bound = float(promise(cell.paper_at(s)).bound)
    highest = largest_mean(problem, s)
    top = min(CUT * bound, highest) if bound > 0 else highest

    def draw(count: int, rng: np.random.Generator) -> Values:
        return run(algorithm, problem, c, s, problem.start, rng, replicas=count).mean_gradient_norm[:, None]

    def interval(samples: Values, delta: float) -> Interval:
        cut = mean_interval(np.minimum(samples, top), delta / 2, 0.0, top)
        return Interval(samples.mean(axis=0), cut.lower, mean_interval(samples, delta / 2, 0.0, highest).upper)

    described = _described(s)
    enough = replace(cell, effort=replace(cell.effort, samples=first_round(cell, highest, bound)))
    place = ("run", algorithm, *(value for name, value in described["witness"].items() if name != "Delta"))
    finding, _ = sample_until(enough.common, draw, interval, np.array([bound]), *place, share=share)
    return replace(finding, method="run", **described)


def first_round(cell: Cell, highest: float, bound: float) -> int:
    """How many runs to begin with: few where the bound exceeds all that can happen, else so many that the interval's
    term in the range is about half of the bound.

    Not more than a second round would make, to which fewer would lead; on an instance that attains the bound not more
    than usual, for there half of the bound is too wide an interval, and a second round must come.
    """
    least, usual = cell.effort.replicas, cell.effort.samples
    most = usual if chosen_by(cell.problem) else GROWTH * usual
    if highest <= bound:
        return least
    needed = 5 * highest * math.log(8 * cell.effort.rounds / cell.delta)
    return max(least, math.ceil(needed / bound)) if needed < most * bound else usual


def largest_mean(problem: Problem, s: Schedule) -> float:
    """Largest value that the mean gradient norm of one run of Algorithm 1 or 2 can take; ∞ where none is known.

    With `g` the largest gradient of a test loss, `‖∇l_T(w̃_N)‖ ≤ q^N g + (q^N − 1) b_i` and `‖∇L_i‖` is at most `q^N`
    times that. A meta step moves by at most `‖Ĝ‖/(C_β a)`, which raises `g` by at most L times as much. The problem's
    `gradient_bound` caps both.
    """
    c, N, p = problem.constants, int(s.N), Paper(problem.constants, s)
    sure = AlmostSure.of(problem, float(s.alpha), N)
    stretch = float(p.q(N))
    mismatch = float(p.e(N)) * problem.number_of_tasks * c.b  # no b_i exceeds the sum of all
    step = c.L / (float(s.C_beta) * float(p.a))
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
