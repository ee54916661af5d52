"""SECOND MOMENT: the mean square of the stochastic meta-gradients of Algorithm 1."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import ClassVar

import numpy as np

from theory.constants import Real
from theory.extended import Number
from theory.loss import Array
from theory.maml import adapt
from theory.norm import inner_product, norm
from theory.paper import Paper
from verify.cell import Cell
from verify.claim import Mutant, On, claim, paper
from verify.evidence.expectation import (
    SAMPLED_POINTS,
    Bound,
    Enumerated,
    EstimatorExpectation,
    Sampled,
    Sizes,
    estimator_error,
    few_points,
)
from verify.evidence.intervals import Interval, mean_interval
from verify.evidence.rounding import square_error
from verify.evidence.sampling import CHUNK, sample_estimator, sample_paths
from verify.evidence.tree import (
    LARGEST_MATRICES,
    conditional_second_moment,
    enumerable_steps,
    enumerate_paths,
    matrix_numbers,
    second_moment,
    summation_error,
)
from verify.shared import shared
from verify.statements import SECOND_MOMENT
from verify.verdict import Measured, Values


class SecondMoment(EstimatorExpectation):
    """`E‖Ĝ_i‖²` of each task, or of the mean over tasks."""

    SIZES: ClassVar[Sequence[Sizes]] = ({"S": 1, "D": 1, "T": 1}, {"S": 4, "D": 2, "T": 2})

    def sizes(self, cell: Cell) -> Sequence[Sizes]:
        """Those of every problem, and those that an instance is made for."""
        made_for = cell.problem.made_for
        own = [{"S": 1, "D": 1, "T": int(made_for["T"])}] if "T" in made_for else []
        return [*super().sizes(cell), *own]

    def enumerated(self, cell: Cell, sizes: Sizes, bound: Bound) -> Enumerated | None:
        """Exact second moment at every point."""
        w, S = few_points(cell), sizes["S"]
        if enumerable_steps(cell.problem, len(w), S, cell.N, matrices=True) < cell.N:
            return None
        D, T = sizes["D"], sizes["T"]
        per_task, rounding = shared(cell, partial(enumerated_square, cell, w, S, D, T), "enumerated square", S, D, T)
        error = self.error(cell, w, sizes, per_task) + rounding
        value, slack = self.mean(per_task), self.mean(error)
        return Enumerated(Measured(value, bound(self.size(cell, w)), slack), label(sizes), value.size)

    def sampled(self, cell: Cell, sizes: Sizes, bound: Bound) -> Sampled | None:
        """Sample `E[‖Ĝ_i‖² | path]` where the noise has a finite support, else `‖Ĝ_i‖²`: both are bounded.

        Not for sizes that an instance is made for: they are to be exact.
        """
        ranges = self.ranges(cell, sizes)
        if ranges is None or sizes not in self.SIZES:
            return None
        problem, N, alpha, w = cell.problem, cell.N, cell.alpha, few_points(cell, SAMPLED_POINTS)
        S, D, T = sizes["S"], sizes["D"], sizes["T"]
        start = np.broadcast_to(w[:, None], (len(w), problem.number_of_tasks, problem.dim))
        last = norm(problem.inner.gradient(adapt(start, alpha, [problem.inner] * N)[-1]))
        conditional = len(w) * CHUNK * matrix_numbers(problem) <= LARGEST_MATRICES
        high = ranges.conditional_second_moment(last, D, T) if conditional else ranges.estimator(last) ** 2
        slack = self.mean(self.error(cell, w, sizes, high))
        high = self.mean(high)

        def draw(count: int, rng: np.random.Generator) -> Values:
            paths = sample_paths(problem, w, alpha, N, S, count, rng)
            if conditional:
                return conditional_second_moment(problem, paths, alpha, D, T)
            estimator = sample_estimator(problem, paths, alpha, D, T, rng)
            return inner_product(estimator, estimator)

        def interval(samples: Values, delta: float) -> Interval:
            return mean_interval(self.mean(samples), delta, 0.0, high + slack)

        return Sampled(draw, interval, np.asarray(bound(self.size(cell, w))), slack, label(sizes), ("square", S, D, T))

    def error(self, cell: Cell, w: Array, sizes: Sizes, square: Values) -> Values:
        """Rounding error of a mean square (P, tasks)."""
        return square_error(square, estimator_error(cell.problem, cell.schedule(**sizes), w))


def enumerated_square(cell: Cell, w: Array, S: int, D: int, T: int) -> tuple[Values, Values]:
    """`E‖Ĝ_i‖²` (P, tasks), and the rounding error of the sum over all paths."""
    paths = enumerate_paths(cell.problem, w, cell.alpha, cell.N, S)
    square = second_moment(cell.problem, paths, cell.alpha, D, T)
    return square, summation_error(paths, square)


def label(sizes: Sizes) -> str:
    """Tell the findings of a cell apart."""
    return f"{', '.join(sizes)} = {', '.join(map(str, sizes.values()))}"


SOURCE = paper("lemma on the second moment of the stochastic meta-gradient")
ASSUMES = (
    "l_i is L-smooth",
    "data noise of mean square at most σ_g² (gradients) and σ_H² (Hessians, spectral norm)",
    "fresh, independent batches of sizes S, D, T",
)
MEASURED = (
    "exact where the noise has a finite support and the inner paths are few: paths enumerated, Hessian batches "
    "propagated as second-moment matrices; else Monte Carlo on the bounded variable ‖Ĝ_i‖², or on its conditional "
    "expectation given the path where the noise has a finite support; a few points, "
    "(S, D, T) = (1, 1, 1) and (4, 2, 2), or those that an instance is made for"
)
SADDLE = "saddle-hessian-noise"


@claim(
    "second moment per task",
    SECOND_MOMENT,
    "one task's stochastic meta-gradient, Algorithm 1",
    says="E‖Ĝ_i‖² ≤ V [(q^N ‖∇l_i(w)‖ + (q^N − 1)σ_g/√S)² + σ_g²/T], V = (q² + α²σ_H²/D)^N, for every α",
    source=SOURCE,
    assumes=ASSUMES,
    measured=MEASURED + ", worst task",
    by=SecondMoment(),
    cases=frozenset({"resampling"}),
    needs=("sigma_g", "sigma_H"),
    at=("near cap", "fixed"),
    attained=(
        On(
            SADDLE,
            "all Hessians are −L and every noise has its full size; gradients are large beside the noise",
            within=0.03,
            weaker=1.05,
            N=(1, 2, 5, 10),
        ),
    ),
    sharp="equality at N = 1 where the gradient vanishes",
    improved_by="tight second moment per task",
    mutants=(
        Mutant("σ_H dropped", SADDLE, N=2, sigma_H=0.0),
        Mutant("D² for D", SADDLE, N=2, D=lambda D: D**2),
        Mutant("T² for T", SADDLE, N=2, T=lambda T: T**2),
        Mutant("(q^N − 1)σ_g dropped", SADDLE, N=2, e=0.0),
    ),
)
def second_moment_per_task(paper: Paper, gradient_norm: Real) -> Real:
    """Second moment of each task."""
    return paper.task_second_moment(gradient_norm)


def without_factors(p: Paper, meta_gradient_norm: Number) -> Number:
    """The paper's bound, as if `(u + v)²` were at most `u² + v²`."""
    inner = (p.e(p.N) * p.sigma_g) ** 2 / p.S
    return p.V * (p.q(2 * p.N) * (meta_gradient_norm**2 + p.sigma**2) + inner + p.sigma_g**2 / p.T)


@claim(
    "second moment",
    SECOND_MOMENT,
    "a stochastic meta-gradient over tasks and data, Algorithm 1",
    says="E‖Ĝ_i‖² ≤ C_sq1 ‖∇L(w)‖² + C_sq2",
    source=SOURCE,
    assumes=(*ASSUMES, "task spread at most σ", "q^{2N} < 2"),
    measured=MEASURED,
    by=SecondMoment(over_tasks=True),
    cases=frozenset({"resampling"}),
    needs=("sigma", "sigma_g", "sigma_H"),
    at=("recommended", "near cap"),
    also=("cusp",),
    attained=(
        On(
            "coordinate-vee",
            "spread and inner noise weigh the same and add up, as d → ∞ and αL → 0",
            within=0.01,
            at=("small",),
            N=(1,),
            only="S, D, T = 1, 1, 10",
            alone=True,
        ),
    ),
    sharp="cusp: half of the bound as α falls, 0.38 of it at α = 1/(8NL)",
    mutants=(
        Mutant("σ² coefficient quartered", "cusp", N=1, rule="recommended", sigma=lambda sigma: sigma / 2),
        Mutant("1 for the factors 2", "coordinate-vee", N=1, rule="small", second_moment=without_factors),
    ),
)
def second_moment_over_tasks(paper: Paper, meta_gradient_norm: Real) -> Real:
    """Second moment over tasks and data."""
    return paper.second_moment(meta_gradient_norm)
