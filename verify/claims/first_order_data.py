"""FIRST-ORDER MAML on minibatches: Algorithm 1 without its Hessians."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from theory.constants import Real
from theory.neighbours.first_order import first_order
from theory.norm import norm
from theory.paper import Paper
from verify.cell import Cell
from verify.claim import Mutant, On, claim, own
from verify.evidence.directions import RESAMPLED
from verify.evidence.expectation import (
    Bound,
    Enumerated,
    EstimatorExpectation,
    Sampled,
    Sizes,
    estimator_error,
    few_points,
)
from verify.evidence.rounding import square_error
from verify.evidence.tree import enumerable_steps, enumerate_paths, mean_estimator, second_moment, summation_error
from verify.statements import FIRST_ORDER
from verify.verdict import Measured

NOT_PULLED_BACK = 0.0
"""The stepsize with which Algorithm 1's estimator is pulled back where it has no Hessians."""


@dataclass(frozen=True)
class LastGradient(EstimatorExpectation):
    """What is expected of `ĝ_i = ∇l_i(w_N; T)` of each task, exactly: its bias, or its mean square where `squared`."""

    squared: bool = False
    SIZES: ClassVar[Sequence[Sizes]] = ({"S": 1, "T": 1}, {"S": 4, "T": 2})

    def enumerated(self, cell: Cell, sizes: Sizes, bound: Bound) -> Enumerated | None:
        """Exact expectation at every point; None where the inner paths are too many."""
        problem, w, S = cell.problem, few_points(cell), sizes["S"]
        if enumerable_steps(problem, len(w), S, cell.N, matrices=True) < cell.N:
            return None
        paths = enumerate_paths(problem, w, cell.alpha, cell.N, S)
        error = estimator_error(problem, cell.schedule(**sizes), w)
        if self.squared:
            value = second_moment(problem, paths, NOT_PULLED_BACK, 1, sizes["T"])
            slack = square_error(value, error) + summation_error(paths, value)
        else:
            mean = mean_estimator(problem, paths, NOT_PULLED_BACK)
            value = norm(mean - first_order(w[:, None], cell.alpha, cell.N, problem.inner, problem.outer))
            slack = 2 * error + summation_error(paths, norm(mean))
        limit = np.broadcast_to(bound(self.size(cell, w)), value.shape)
        return Enumerated(Measured(value, limit, slack), f"S = {S}, T = {sizes['T']}", value.size)

    def sampled(self, cell: Cell, sizes: Sizes, bound: Bound) -> Sampled | None:
        """Nothing is sampled: what has too many paths says no more than what has few."""
        return None


ASSUMES = ("l_i is L-smooth", "data noise of mean square at most σ_g²", "fresh, independent batches")
MEASURED = (
    "exact expectation over all inner paths where they are few; a few points, (S, T) = (1, 1) and (4, 2), worst task"
)


@claim(
    "first-order bias",
    FIRST_ORDER,
    "on minibatches, first-order MAML's direction is off by Lδ_N in mean, whatever ρ is",
    answers="Do small inner batches bias first-order MAML?",
    says="‖E ∇l_i(w_N; T) − g_N‖ ≤ Lδ_N ≤ (q^N − 1)σ_g/√S for every α, δ_N = ασ_g √((q^{2N} − 1)/((q² − 1)S))",
    source=own("∇l_i is L-Lipschitz; SGD DEVIATION and Jensen"),
    assumes=ASSUMES,
    measured=MEASURED,
    by=LastGradient(),
    cases=frozenset({"resampling"}),
    needs=("rho", "sigma_g"),
    by_default=RESAMPLED,
    at=("near cap",),
    inner_steps=(2,),
    attained=(
        On(
            "tent",
            "noise takes the path off the peak of the gradient, as ρ → ∞",
            within=1e-3,
            at=("near cap",),
            N=(1,),
            only="S = 1",
        ),
    ),
    mutants=(
        Mutant("no bias", "tent", N=1, first_order_bias=lambda p: 0.0),
        Mutant("σ_g/S for σ_g/√S", "tent", N=1, S=lambda S: S**2),
    ),
)
def first_order_bias(paper: Paper, gradient_norm: Real) -> Real:
    """Bias of each task."""
    return paper.first_order_bias()


@claim(
    "first-order second moment",
    FIRST_ORDER,
    "on minibatches, first-order MAML's direction has the mean square (q^N‖∇l_i‖ + Lδ_N)² + σ_g²/T at most",
    answers="How noisy is first-order MAML, and which batch should be larger?",
    says="E‖∇l_i(w_N; T)‖² ≤ (q^N‖∇l_i(w)‖ + Lδ_N)² + σ_g²/T for every α, without σ_H or ρ",
    source=own("Minkowski in mean square, the last batch independent of the path"),
    assumes=ASSUMES,
    measured=MEASURED,
    by=LastGradient(squared=True),
    cases=frozenset({"resampling"}),
    needs=("rho", "sigma_g"),
    by_default=RESAMPLED,
    at=("near cap",),
    inner_steps=(2,),
    attained=(
        On("saddle-noise", "noise at the top of a well grows by q a step", within=1e-3, at=("near cap",), N=(1, 5)),
    ),
    mutants=(
        Mutant("Lδ_N dropped", "saddle-noise", delta=lambda p, j: 0.0),
        Mutant("σ_g²/T dropped", "saddle-noise", T=lambda T: 1e9 * T),
    ),
)
def first_order_second_moment(paper: Paper, gradient_norm: Real) -> Real:
    """Mean square of each task."""
    return paper.first_order_second_moment(gradient_norm)
