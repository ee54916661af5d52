"""BIAS: how far the mean of Algorithm 1's meta-gradient is from the meta-gradient."""

from __future__ import annotations

from functools import partial

import numpy as np

from theory.constants import Real
from theory.loss import Array
from theory.maml import adapt, pull_back
from theory.norm import norm
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
from verify.evidence.intervals import Interval, norm_of_mean_interval
from verify.evidence.quantities import meta_gradients
from verify.evidence.sampling import linear_deviation, sample_paths
from verify.evidence.tree import enumerable_steps, enumerate_paths, mean_estimator, summation_error
from verify.shared import shared
from verify.statements import BIAS
from verify.verdict import Measured, Values


class Bias(EstimatorExpectation):
    """`‖E Ĝ_i − ∇L_i‖` of each task, or of the mean over tasks."""

    def enumerated(self, cell: Cell, sizes: Sizes, bound: Bound) -> Enumerated | None:
        """Exact bias at every point."""
        w, S = few_points(cell), sizes["S"]
        if enumerable_steps(cell.problem, len(w), S, cell.N) < cell.N:
            return None
        each, error = shared(cell, partial(enumerated_bias, cell, w, S), "enumerated bias", S)
        bias = self.mean(each, task_axis=-2)
        slack = self.error(cell, w, S) + self.mean(error)
        return Enumerated(Measured(norm(bias), bound(self.size(cell, w)), slack), f"S = {S}", norm(bias).size)

    def sampled(self, cell: Cell, sizes: Sizes, bound: Bound) -> Sampled | None:
        """Sample what varies little: the conditional expectation `A(path)∇l_i(w_N)` given the path, less a control.

        The control is `A∇²l_i(w̃_N) d_N`, `d_N` the deviation to first order in the noise: its mean is exactly zero.
        """
        ranges = self.ranges(cell, sizes)
        if ranges is None:
            return None
        problem, N, alpha, S, w = cell.problem, cell.N, cell.alpha, sizes["S"], few_points(cell, SAMPLED_POINTS)
        meta, inner = meta_gradients(cell, w[:, None]), [problem.inner] * N
        path = adapt(np.broadcast_to(w[:, None], meta.shape), alpha, inner)
        gradient, hessian = problem.inner.linearize(path[-1])
        slack = self.error(cell, w, S)
        radius = self.mean(ranges.controlled_bias(norm(gradient))) + slack

        def draw(count: int, rng: np.random.Generator) -> Values:
            paths = sample_paths(problem, w, alpha, N, S, count, rng)
            control = pull_back(hessian(linear_deviation(problem, paths, path, alpha)), path, alpha, inner)
            return pull_back(problem.inner.gradient(paths[-1]), paths, alpha, inner) - meta - control

        def interval(samples: Values, delta: float) -> Interval:
            return norm_of_mean_interval(self.mean(samples, task_axis=-2), delta, radius)

        return Sampled(draw, interval, np.asarray(bound(self.size(cell, w))), slack, f"S = {S}", ("bias", S))

    def error(self, cell: Cell, w: Array, S: int) -> Values:
        """Rounding error of the bias."""
        return self.mean(2 * estimator_error(cell.problem, cell.schedule(S=S), w))


def enumerated_bias(cell: Cell, w: Array, S: int) -> tuple[Array, Values]:
    """`E Ĝ_i − ∇L_i` (P, tasks, d), and the rounding error of the sum over all paths (P, tasks)."""
    paths = enumerate_paths(cell.problem, w, cell.alpha, cell.N, S)
    mean = mean_estimator(cell.problem, paths, cell.alpha)
    return mean - meta_gradients(cell, w[:, None]), summation_error(paths, norm(mean))


SOURCE = paper("lemma on the bias of the stochastic meta-gradient (Algorithm 1)")
ASSUMES = (
    "l_i is L-smooth with ρ-Lipschitz Hessian",
    "data noise of mean square at most σ_g²",
    "fresh, independent batches",
)
MEASURED = (
    "exact expectation over all inner paths where the noise has a finite support and they are few, else Monte Carlo on "
    "the conditional expectation given the path, less a control of mean zero; a few points, S = 1 and 4"
)


@claim(
    "bias per task",
    BIAS,
    "of one task, Algorithm 1's meta-gradient is off by O(σ_g/√S) in mean",
    says="‖E Ĝ_i − ∇L_i‖ ≤ {q^N(q^N − 1) + (ρ/L²) q^{2N−1}(q^N − 1 − NαL) ‖∇l_i(w)‖} σ_g/√S, for every α",
    source=SOURCE,
    assumes=ASSUMES,
    measured=MEASURED + ", worst task",
    by=Bias(),
    cases=frozenset({"resampling"}),
    needs=("rho", "sigma_g"),
    at=("near cap", "fixed"),
    attained=(
        On("tent", "noise takes the path off the peak of the gradient, as ρ → ∞", within=1e-3, N=(1,), only="S = 1"),
        On(
            "tent-kink",
            "noise takes the path off a kink of l'' under a large gradient, as that grows",
            within=5e-3,
            N=(2,),
            only="S = 1",
        ),
    ),
    mutants=(
        Mutant("E_1 dropped", "tent", N=1, E_1=0.0),
        Mutant("q^N − 1 for q^N(q^N − 1)", "tent", N=1, E_1=lambda p: p.E_1 / p.q(p.N)),
        Mutant("σ_g/S for σ_g/√S", "tent", N=1, S=lambda S: S**2),
        Mutant("E_2 dropped", "tent-kink", N=2, E_2_task=0.0),
        Mutant("E_2 halved", "tent-kink", N=2, E_2_task=lambda p: p.E_2_task / 2),
    ),
)
def bias_per_task(paper: Paper, gradient_norm: Real) -> Real:
    """Bias of each task."""
    return paper.task_bias(gradient_norm)


@claim(
    "bias",
    BIAS,
    "Algorithm 1's meta-gradient is off by (E_1 + E_2(‖∇L‖ + σ))/√S in mean",
    says="‖E Ĝ(w) − ∇L(w)‖ ≤ (E_1 + E_2 (‖∇L(w)‖ + σ))/√S",
    source=SOURCE,
    assumes=(*ASSUMES, "task spread at most σ", "q^{2N} < 2"),
    measured=MEASURED,
    by=Bias(over_tasks=True),
    cases=frozenset({"resampling"}),
    needs=("rho", "sigma", "sigma_g"),
    at=("recommended", "near cap"),
    also=("tent", "tent-kink"),
    sharp="tent: E_1 at N = 1, S = 1, as ρ grows; tent with a kink of l'' at w̃_1: E_2 at N = 2, small α",
    improved_by="tight bias",
    mutants=(
        Mutant("E_1 dropped", "tent", N=1, E_1=0.0),
        Mutant("q^N − 1 for q^N(q^N − 1)", "tent", N=1, E_1=lambda p: p.E_1 / p.q(p.N)),
        Mutant("σ_g/S for σ_g/√S", "tent", N=1, S=lambda S: S**2),
        Mutant("E_2 dropped", "tent-kink", N=2, rule="recommended", E_2=0.0),
        Mutant("E_2 halved", "tent-kink", N=2, rule="recommended", E_2=lambda p: p.E_2 / 2),
    ),
)
def bias_over_tasks(paper: Paper, meta_gradient_norm: Real) -> Real:
    """Bias of the mean over tasks."""
    return paper.bias(meta_gradient_norm)
