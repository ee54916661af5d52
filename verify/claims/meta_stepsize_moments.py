"""META STEPSIZE MOMENTS: what estimating L_w from a few gradients does to the meta stepsize `1/(C_β L̂)`."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import numpy as np

from problems.problem import Problem
from theory.constants import Constants, Real, Schedule
from theory.loss import Array
from theory.meta_stepsize import moment_kappa, moment_lambda
from theory.smoothness import C_L, meta_smoothness, smoothness_floor
from verify.claim import Cell, Mutant, claim
from verify.evidence.enumeration import mean_gradient_norms, number_of_minibatches
from verify.evidence.expectation import few_points, noisy_extent, norm, witness
from verify.evidence.rounding import unit
from verify.evidence.statistics import Interval, Values, exactly, mean_interval, sample_until, worst_entry
from verify.verdict import EPS, Finding

SIZES = ((1, 1), (4, 1), (1, 2), (1, 8))
"""`(D_L, B')`: data per task, and tasks, of one estimate."""
FINITE_SUM_SIZES = ((1, 1), (1, 2), (1, 8))
"""The same where a task's whole test set is used, whatever `D_L`."""
ROUNDINGS = 16


@dataclass(frozen=True)
class Moment:
    """`E f(L_w/L̂)` as something with an upper bound: `measured` of the mean, `limit` of what the formula gives."""

    f: Callable[[Values], Values]
    measured: Callable[[Interval], Interval]
    limit: Callable[[Values], Values]


def unchanged(x: Interval) -> Interval:
    """An upper bound on the moment itself."""
    return x


def inverse(x: Interval) -> Interval:
    """A lower bound λ on the moment is an upper bound 1/λ on its inverse."""
    with np.errstate(divide="ignore"):
        return Interval(1 / x.estimate, 1 / x.upper, 1 / x.lower)


FIRST_FROM_BELOW = Moment(lambda r: r, inverse, lambda bound: 1 / bound)
FIRST = Moment(lambda r: r, unchanged, lambda bound: bound)
SECOND = Moment(np.square, unchanged, lambda bound: bound)


def moments(cell: Cell, moment: Moment) -> Iterator[Finding]:
    """Findings on a moment of `L_w/L̂`: sampled where the noise has no finite support, else enumerated.

    Sizes with too many draws to enumerate are left out.
    """
    problem, w = cell.problem, few_points(cell)
    for D_L, B_prime in SIZES if problem.case == "resampling" else FINITE_SUM_SIZES:
        s = cell.schedule(D_L=D_L, B_prime=B_prime)
        L_w = np.asarray(meta_smoothness(cell.constants, s, task_norms(problem, w).mean(axis=1)))
        bound = np.broadcast_to(moment.limit(np.asarray(cell.formula(cell.constants, s))), L_w.shape)
        slack = rounding(cell, w, s) * bound
        if math.isinf(number_of_minibatches(problem, D_L)):
            finding, at = sampled(cell, w, s, moment, L_w, bound, slack)
        else:
            law = mean_gradient_norms(problem, w, D_L, B_prime)
            if law is None:
                continue
            means, probabilities = law
            mean = moment.f(L_w[:, None] / np.asarray(meta_smoothness(cell.constants, s, means))) @ probabilities
            slack = slack + 2 * EPS * len(probabilities) * bound
            finding, at = worst_entry(moment.measured(exactly(mean)), bound, slack)
            finding = replace(finding, method="enumeration", samples=len(probabilities))
        yield replace(finding, label=f"D_L = {D_L}, B' = {B_prime}", witness=witness(w, at, D_L=D_L, B_prime=B_prime))


def sampled(
    cell: Cell, w: Array, s: Schedule, moment: Moment, L_w: Values, bound: Values, slack: Values
) -> tuple[Finding, tuple[int, ...]]:
    """Monte Carlo: `L_w/L̂` lies between its values at the least and the largest gradient norm that can be sampled."""
    problem, c = cell.problem, cell.constants
    D_L, B_prime = int(np.asarray(s.D_L)), int(np.asarray(s.B_prime))
    noise = problem.noise.gradient_sup
    exact = task_norms(problem, w)
    largest = L_w / np.asarray(meta_smoothness(c, s, np.maximum(exact.min(axis=1) - noise, 0.0)))
    least = L_w / np.asarray(meta_smoothness(c, s, exact.max(axis=1) + noise))

    def draw(count: int, rng: np.random.Generator) -> Values:
        chosen = rng.integers(problem.number_of_tasks, size=(count, len(w), B_prime))
        norms = norm(problem.minibatch(chosen, D_L, rng).gradient(w[:, None]))
        return moment.f(L_w / np.asarray(meta_smoothness(c, s, norms.mean(axis=-1))))

    def interval(samples: Values, delta: float) -> Interval:
        return moment.measured(mean_interval(samples, delta, moment.f(least), moment.f(largest)))

    return sample_until(cell, draw, interval, bound, "D_L", D_L, "B'", B_prime, slack=slack, share=len(SIZES))


def task_norms(problem: Problem, w: Array) -> Values:
    """`‖∇l_{T_i}(w)‖` (P, tasks)."""
    return norm(problem.outer.gradient(w[:, None]))


def rounding(cell: Cell, w: Array, s: Schedule) -> Values:
    """Relative rounding error of a moment of `L_w/L̂`: of both numbers, from their gradients and a few operations."""
    c, problem = cell.constants, cell.problem
    gradient = unit(problem) * c.L * noisy_extent(problem, w).max(axis=1)
    floor = float(np.asarray(smoothness_floor(c, s)))
    return np.asarray(2 * (ROUNDINGS * EPS + 2 * np.asarray(C_L(c, s)) * gradient / floor))


def one(c: Constants, s: Schedule) -> Real:
    """Wrong: `λ = 1` or `κ = 1`, as if L̂ were exact."""
    return 1.0


def B_prime_squared(c: Constants, s: Schedule) -> Real:
    """Wrong: `B'²` for `B'` in κ."""
    return moment_kappa(c, replace(s, B_prime=s.B_prime**2))


def lambda_with_D_L(c: Constants, s: Schedule) -> Real:
    """Wrong: `D_L` for `√D_L` in λ."""
    return moment_lambda(c, replace(s, D_L=s.D_L**2))


SOURCE = "Ji, Yang, Liang (2022), lemma on the moments of the meta stepsize"
ASSUMPTIONS = (
    "task spread at most σ",
    "data noise of mean square at most σ_g²",
    "L̂ = a + C_L · mean of ‖∇l_i(w; D_L)‖ over B' i.i.d. tasks with fresh data (finite-sum: whole test sets)",
)
MEASURED = (
    "exact expectation over all draws of tasks and data where the noise has a finite support (sizes with too many "
    "draws are left out), else Monte Carlo (1/L̂ is bounded); a few points, (D_L, B') = (1, 1), (4, 1), (1, 2), (1, 8)"
)
TWO_POINT, ONE_WITHOUT = "two-point-stepsize", "two-point-tasks"


@claim(
    name="stepsize lambda",
    title="META STEPSIZE MOMENTS: the mean of 1/L̂ is at least λ/L_w",
    source=SOURCE,
    statement="E[1/L̂] ≥ λ/L_w, λ = 1/(1 + C_L σ_g/(a√D_L)); finite-sum: λ = 1. Shown as 1/(L_w E[1/L̂]) ≤ 1/λ",
    assumptions=ASSUMPTIONS,
    measured=MEASURED,
    sharp="two-point gradient noise where the gradient vanishes, D_L = 1: equality",
    formula=moment_lambda,
    mutants=(
        Mutant("λ = 1", one, TWO_POINT),
        Mutant("D_L for √D_L", lambda_with_D_L, TWO_POINT),
    ),
    needs=("rho", "sigma_g", "b"),
    sharp_on=(TWO_POINT,),
)
def stepsize_lambda(cell: Cell) -> Iterator[Finding]:
    """First moment of 1/L̂, from below."""
    return moments(cell, FIRST_FROM_BELOW)


@claim(
    name="stepsize kappa",
    title="META STEPSIZE MOMENTS: the mean of 1/L̂² is at most κ/L_w²",
    source=SOURCE,
    statement="E[1/L̂²] ≤ κ/L_w², κ = max(2, 1 + 2C_L²(σ² + σ_g²/D_L)/(B'a²)); shown as L_w² E[1/L̂²] ≤ κ",
    assumptions=ASSUMPTIONS,
    measured=MEASURED,
    sharp="two-point task gradients, one task of many without: above ½ of the bound at B' = 1",
    formula=moment_kappa,
    mutants=(
        Mutant("κ = 1", one, TWO_POINT),
        Mutant("B'² for B'", B_prime_squared, TWO_POINT),
    ),
    needs=("rho", "sigma", "sigma_g", "b"),
    sharp_on=(TWO_POINT, ONE_WITHOUT),
)
def stepsize_kappa(cell: Cell) -> Iterator[Finding]:
    """Second moment of 1/L̂."""
    return moments(cell, SECOND)
