"""META STEPSIZE MOMENTS: what estimating L_w from a few gradients does to the meta stepsize `1/(C_β L̂)`."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from problems.problem import Problem
from theory.constants import Real
from theory.loss import Array
from theory.norm import norm
from theory.paper import Paper
from verify.cell import Cell
from verify.claim import Mutant, On, claim, paper
from verify.evidence.expectation import Bound, Enumerated, Expectation, Sampled, Sizes, few_points, noisy_extent
from verify.evidence.intervals import Interval, exactly, mean_interval
from verify.evidence.rounding import unit
from verify.evidence.tree import mean_gradient_norms, number_of_minibatches
from verify.shared import shared
from verify.statements import META_STEPSIZE_MOMENTS
from verify.verdict import EPS, Measured, Values

SIZES: Sequence[Sizes] = tuple({"D_L": D_L, "B_prime": B_prime} for D_L, B_prime in ((1, 1), (4, 1), (1, 2), (1, 8)))
"""Data per task, and tasks, of one estimate."""
ROUNDINGS = 16


@dataclass(frozen=True)
class StepsizeMoment(Expectation):
    """`E(L_w/L̂)^power`, or the inverse of that mean where it is bounded `from_below`: an upper bound either way.

    The bound depends on nothing. Sizes with too many draws to enumerate are left out.
    """

    power: int
    from_below: bool = False

    def sizes(self, cell: Cell) -> Sequence[Sizes]:
        """In the finite-sum case a task's whole test set is used, whatever `D_L`."""
        return SIZES if cell.problem.case == "resampling" else [sizes for sizes in SIZES if sizes["D_L"] == 1]

    def enumerated(self, cell: Cell, sizes: Sizes, bound: Bound) -> Enumerated | None:
        """Exact mean over all draws of tasks and data."""
        problem, w, true = cell.problem, few_points(cell), true_paper(cell, sizes)
        if math.isinf(number_of_minibatches(problem, sizes["D_L"])):
            return None
        law = shared(cell, partial(mean_gradient_norms, problem, w, **sizes), "mean gradient norms", *sizes.values())
        if law is None:
            return None
        means, probabilities = law
        L_w = np.asarray(true.L_w(task_norms(problem, w).mean(axis=1)))
        mean = (L_w[:, None] / true.L_w(means)) ** self.power @ probabilities
        limit = self.limit(bound, L_w)
        slack = ratio_error(cell, true, w) * limit + 2 * EPS * len(probabilities) * limit
        value = self.of_mean(exactly(mean)).estimate
        return Enumerated(Measured(value, limit, slack), label(sizes), len(probabilities))

    def sampled(self, cell: Cell, sizes: Sizes, bound: Bound) -> Sampled | None:
        """`L_w/L̂` lies between its values at the least and the largest gradient norm that can be sampled."""
        problem, w, true = cell.problem, few_points(cell), true_paper(cell, sizes)
        if math.isfinite(number_of_minibatches(problem, sizes["D_L"])):
            return None
        noise, exact = problem.noise.gradient_sup, task_norms(problem, w)
        L_w = np.asarray(true.L_w(exact.mean(axis=1)))
        largest = L_w / true.L_w(np.maximum(exact.min(axis=1) - noise, 0.0))
        least = L_w / true.L_w(exact.max(axis=1) + noise)

        def draw(count: int, rng: np.random.Generator) -> Values:
            chosen = rng.integers(problem.number_of_tasks, size=(count, len(w), sizes["B_prime"]))
            norms = norm(problem.minibatch(chosen, sizes["D_L"], rng).gradient(w[:, None]))
            return np.asarray(L_w / true.L_w(norms.mean(axis=-1)))

        def interval(samples: Values, delta: float) -> Interval:
            return self.of_mean(mean_interval(samples**self.power, delta, least**self.power, largest**self.power))

        limit = self.limit(bound, L_w)
        slack = ratio_error(cell, true, w) * limit
        place = ("L_w/L̂", sizes["D_L"], sizes["B_prime"])
        return Sampled(draw, interval, limit, slack, label(sizes), place, share=len(SIZES))

    def of_mean(self, mean: Interval) -> Interval:
        """What is measured, from the mean."""
        if not self.from_below:
            return mean
        with np.errstate(divide="ignore"):
            return Interval(1 / mean.estimate, 1 / mean.upper, 1 / mean.lower)

    def limit(self, bound: Bound, L_w: Values) -> Values:
        """The bound on what is measured, at each point."""
        return np.full(L_w.shape, 1 / bound() if self.from_below else bound())


def true_paper(cell: Cell, sizes: Sizes) -> Paper:
    """The paper without the changes of a mutant: it is `L̂` that is sampled, whatever is wrong about its moments."""
    return cell.paper_at(cell.schedule(**sizes)).unchanged


def label(sizes: Sizes) -> str:
    """Tell the findings of a cell apart."""
    return f"D_L = {sizes['D_L']}, B' = {sizes['B_prime']}"


def task_norms(problem: Problem, w: Array) -> Values:
    """`‖∇l_{T_i}(w)‖` (P, tasks)."""
    return norm(problem.outer.gradient(w[:, None]))


def ratio_error(cell: Cell, true: Paper, w: Array) -> Values:
    """Relative rounding error of a moment of `L_w/L̂`: of both numbers, from their gradients and a few operations."""
    gradient = unit(cell.problem) * cell.constants.L * noisy_extent(cell.problem, w).max(axis=1)
    return np.asarray(2 * (ROUNDINGS * EPS + 2 * float(true.C_L) * gradient / float(true.a)))


SOURCE = paper("lemma on the moments of the meta stepsize")
ASSUMES = (
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
    "stepsize lambda",
    META_STEPSIZE_MOMENTS,
    "the mean of 1/L̂ is at least λ/L_w",
    says="E[1/L̂] ≥ λ/L_w, λ = 1/(1 + C_L σ_g/(a√D_L)); finite-sum: λ = 1. Shown as 1/(L_w E[1/L̂]) ≤ 1/λ",
    source=SOURCE,
    assumes=ASSUMES,
    measured=MEASURED,
    by=StepsizeMoment(1, from_below=True),
    needs=("rho", "sigma_g", "b"),
    attained=(On(TWO_POINT, "all gradients vanish and noise makes them all look as large as σ_g", only="D_L = 1"),),
    mutants=(
        Mutant("λ = 1", TWO_POINT, lam=1.0),
        Mutant("D_L for √D_L", TWO_POINT, D_L=lambda D_L: D_L**2),
    ),
)
def stepsize_lambda(paper: Paper) -> Real:
    """First moment of 1/L̂, from below."""
    return float(paper.lam)


@claim(
    "stepsize kappa",
    META_STEPSIZE_MOMENTS,
    "the mean of 1/L̂² is at most κ/L_w²",
    says="E[1/L̂²] ≤ κ/L_w², κ = max(2, 1 + 2C_L²(σ² + σ_g²/D_L)/(B'a²)); shown as L_w² E[1/L̂²] ≤ κ",
    source=SOURCE,
    assumes=ASSUMES,
    measured=MEASURED,
    by=StepsizeMoment(2),
    needs=("rho", "sigma", "sigma_g", "b"),
    also=(TWO_POINT, ONE_WITHOUT),
    sharp="two-point task gradients, one task of many without: above ½ of the bound at B' = 1",
    improved_by="exact stepsize kappa",
    mutants=(
        Mutant("κ = 1", TWO_POINT, kappa=1.0),
        Mutant("B'² for B'", TWO_POINT, B_prime=lambda B_prime: B_prime**2),
    ),
)
def stepsize_kappa(paper: Paper) -> Real:
    """Second moment of 1/L̂."""
    return float(paper.kappa)
