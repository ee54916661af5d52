"""BIAS: how far the mean of Algorithm 1's meta-gradient is from the meta-gradient."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from theory.constants import Constants, Real, Schedule
from theory.estimator import E_1, E_2, bias_bound, task_bias_bound
from theory.growth import growth
from theory.loss import Array
from theory.maml import adapt, meta_gradient, pull_back
from verify.claim import Cell, Mutant, claim
from verify.evidence.enumeration import enumerable_steps, enumerate_paths, mean_estimator
from verify.evidence.expectation import (
    BATCH_SIZES,
    SAMPLED_POINTS,
    SAMPLED_SIZE,
    enumeration_error,
    estimator_error,
    few_points,
    norm,
    witness,
)
from verify.evidence.sampling import AlmostSure, linear_deviation, sample_paths
from verify.evidence.statistics import Interval, Values, exactly, norm_of_mean_interval, sample_until, worst_entry
from verify.verdict import Finding

TENT, KINK = "tent", "tent-kink"


def biases(cell: Cell, over_tasks: bool) -> Iterator[Finding]:
    """Findings on the bias, per task or of the mean over tasks: enumerated where that is possible, else sampled.

    At N = 0 there is no bias and nothing to check; the sharp instances are sharp for few steps and never sampled.
    """
    w = few_points(cell)
    for S in BATCH_SIZES if cell.N > 0 else ():
        if enumerable_steps(cell.problem, len(w), S, cell.N) == cell.N:
            yield enumerated(cell, w, S, over_tasks)
        elif (
            S == SAMPLED_SIZE
            and cell.problem.made_for.get("S", S) == S
            and AlmostSure.of(cell.problem, cell.alpha, cell.N).bounded
        ):
            yield sampled(cell, few_points(cell, SAMPLED_POINTS), S, over_tasks)


def enumerated(cell: Cell, w: Array, S: int, over_tasks: bool) -> Finding:
    """Exact bias at every point."""
    paths = enumerate_paths(cell.problem, w, cell.alpha, cell.N, S)
    mean = mean_estimator(cell.problem, paths, cell.alpha)
    bias = mean - exact(cell, w)
    measured = norm(bias.mean(axis=1) if over_tasks else bias)
    bound, slack = bound_and_slack(cell, w, S, over_tasks)
    summation = enumeration_error(paths, norm(mean))
    slack = slack + (summation.mean(axis=1) if over_tasks else summation)
    finding, at = worst_entry(exactly(measured), bound, slack)
    return replace(finding, method="enumeration", samples=measured.size, label=f"S = {S}", witness=witness(w, at, S=S))


def sampled(cell: Cell, w: Array, S: int, over_tasks: bool) -> Finding:
    """Monte Carlo on what varies little: the conditional expectation `A(path)∇l_i(w_N)` given the path, less a control.

    The control is `A∇²l_i(w̃_N) d_N`, `d_N` the deviation to first order in the noise: its mean is exactly zero.
    """
    problem, N, alpha = cell.problem, cell.N, cell.alpha
    meta, inner = exact(cell, w), [problem.inner] * N
    path = adapt(np.broadcast_to(w[:, None], meta.shape), alpha, inner)
    gradient, hessian = problem.inner.linearize(path[-1])
    bound, slack = bound_and_slack(cell, w, S, over_tasks)
    radius = AlmostSure.of(problem, alpha, N).controlled_bias(norm(gradient))
    radius = (radius.mean(axis=-1) if over_tasks else radius) + slack

    def draw(count: int, rng: np.random.Generator) -> Values:
        paths = sample_paths(problem, w, alpha, N, S, count, rng)
        control = pull_back(hessian(linear_deviation(problem, paths, path, alpha)), path, alpha, inner)
        bias = pull_back(problem.inner.gradient(paths[-1]), paths, alpha, inner) - meta - control
        return np.asarray(bias.mean(axis=-2) if over_tasks else bias)

    def interval(samples: Values, delta: float) -> Interval:
        return norm_of_mean_interval(samples, delta, radius)

    finding, at = sample_until(cell, draw, interval, bound, "S", S, slack=slack)
    return replace(finding, label=f"S = {S}", witness=witness(w, at, S=S))


def exact(cell: Cell, w: Array) -> Array:
    """Exact meta-gradients `∇L_i(w)` (P, tasks, d)."""
    return meta_gradient(w[:, None], cell.alpha, cell.N, cell.problem.inner, cell.problem.inner)


def bound_and_slack(cell: Cell, w: Array, S: int, over_tasks: bool) -> tuple[Values, Values]:
    """What the formula gives and the rounding of the bias: (P,) over tasks, else (P, tasks)."""
    s = cell.schedule(S=S)
    error = 2 * estimator_error(cell.problem, s, w)
    if over_tasks:
        return np.asarray(cell.formula(cell.constants, s, norm(exact(cell, w).mean(axis=1)))), error.mean(axis=1)
    return np.asarray(cell.formula(cell.constants, s, norm(cell.problem.inner.gradient(w[:, None])))), error


def task_without_E_1(c: Constants, s: Schedule, gradient_norm: Real) -> Real:
    """Wrong: `E_1` dropped."""
    return task_bias_bound(c, s, gradient_norm) - E_1(c, s) / np.sqrt(s.S)


def task_without_q_N(c: Constants, s: Schedule, gradient_norm: Real) -> Real:
    """Wrong: `q^N − 1` for `q^N(q^N − 1)`."""
    return task_without_E_1(c, s, gradient_norm) + E_1(c, s) / growth(c, s, s.N) / np.sqrt(s.S)


def task_S_for_sqrt_S(c: Constants, s: Schedule, gradient_norm: Real) -> Real:
    """Wrong: `σ_g/S`."""
    return task_bias_bound(c, s, gradient_norm) / np.sqrt(s.S)


def task_without_E_2(c: Constants, s: Schedule, gradient_norm: Real) -> Real:
    """Wrong: the term in `‖∇l_i(w)‖` dropped."""
    return task_bias_bound(c, s, 0 * np.asarray(gradient_norm))


def task_half_E_2(c: Constants, s: Schedule, gradient_norm: Real) -> Real:
    """Wrong: the term in `‖∇l_i(w)‖` halved."""
    return (task_bias_bound(c, s, gradient_norm) + task_without_E_2(c, s, gradient_norm)) / 2


def without_E_1(c: Constants, s: Schedule, meta_gradient_norm: Real) -> Real:
    """Wrong: `E_1` dropped."""
    return bias_bound(c, s, meta_gradient_norm) - E_1(c, s) / np.sqrt(s.S)


def without_q_N(c: Constants, s: Schedule, meta_gradient_norm: Real) -> Real:
    """Wrong: `q^N − 1` for `q^N(q^N − 1)`."""
    return without_E_1(c, s, meta_gradient_norm) + E_1(c, s) / growth(c, s, s.N) / np.sqrt(s.S)


def S_for_sqrt_S(c: Constants, s: Schedule, meta_gradient_norm: Real) -> Real:
    """Wrong: `1/S`."""
    return bias_bound(c, s, meta_gradient_norm) / np.sqrt(s.S)


def without_E_2(c: Constants, s: Schedule, meta_gradient_norm: Real) -> Real:
    """Wrong: `E_2` dropped."""
    return bias_bound(c, s, meta_gradient_norm) - E_2(c, s) * (meta_gradient_norm + c.sigma) / np.sqrt(s.S)


def half_E_2(c: Constants, s: Schedule, meta_gradient_norm: Real) -> Real:
    """Wrong: `E_2` halved."""
    return (bias_bound(c, s, meta_gradient_norm) + without_E_2(c, s, meta_gradient_norm)) / 2


SOURCE = "Ji, Yang, Liang (2022), lemma on the bias of the stochastic meta-gradient (Algorithm 1)"
ASSUMPTIONS = (
    "l_i is L-smooth with ρ-Lipschitz Hessian",
    "data noise of mean square at most σ_g²",
    "fresh, independent batches",
)
MEASURED = (
    "exact expectation over all inner paths where the noise has a finite support and they are few, else Monte Carlo on "
    "the conditional expectation given the path, less a control of mean zero; a few points, S = 1 and 4"
)


@claim(
    name="bias per task",
    title="BIAS of one task: Algorithm 1's meta-gradient is off by O(σ_g/√S) in mean",
    source=SOURCE,
    statement="‖E Ĝ_i − ∇L_i‖ ≤ {q^N(q^N − 1) + (ρ/L²) q^{2N−1}(q^N − 1 − NαL) ‖∇l_i(w)‖} σ_g/√S, for every α",
    assumptions=ASSUMPTIONS,
    measured=MEASURED + ", worst task",
    sharp="tent: the first term at N = 1, S = 1, as ρ grows; tent with a kink of l'' at w̃_1: the second at N = 2",
    formula=task_bias_bound,
    mutants=(
        Mutant("E_1 dropped", task_without_E_1, TENT, N=1),
        Mutant("q^N − 1 for q^N(q^N − 1)", task_without_q_N, TENT, N=1),
        Mutant("σ_g/S for σ_g/√S", task_S_for_sqrt_S, TENT, N=1),
        Mutant("E_2 dropped", task_without_E_2, KINK, N=2),
        Mutant("E_2 halved", task_half_E_2, KINK, N=2),
    ),
    cases=frozenset({"resampling"}),
    needs=("rho", "sigma_g"),
    rules=("near cap", "fixed"),
    sharp_on=(TENT, KINK),
)
def bias_per_task(cell: Cell) -> Iterator[Finding]:
    """Bias of each task."""
    return biases(cell, over_tasks=False)


@claim(
    name="bias",
    title="BIAS: Algorithm 1's meta-gradient is off by (E_1 + E_2(‖∇L‖ + σ))/√S in mean",
    source=SOURCE,
    statement="‖E Ĝ(w) − ∇L(w)‖ ≤ (E_1 + E_2 (‖∇L(w)‖ + σ))/√S",
    assumptions=(*ASSUMPTIONS, "task spread at most σ", "q^{2N} < 2"),
    measured=MEASURED,
    sharp="tent: E_1 at N = 1, S = 1, as ρ grows; tent with a kink of l'' at w̃_1: E_2 at N = 2, small α",
    formula=bias_bound,
    mutants=(
        Mutant("E_1 dropped", without_E_1, TENT, N=1),
        Mutant("q^N − 1 for q^N(q^N − 1)", without_q_N, TENT, N=1),
        Mutant("σ_g/S for σ_g/√S", S_for_sqrt_S, TENT, N=1),
        Mutant("E_2 dropped", without_E_2, KINK, N=2, rule="recommended"),
        Mutant("E_2 halved", half_E_2, KINK, N=2, rule="recommended"),
    ),
    cases=frozenset({"resampling"}),
    needs=("rho", "sigma", "sigma_g"),
    rules=("recommended", "near cap"),
    sharp_on=(TENT, KINK),
)
def bias_over_tasks(cell: Cell) -> Iterator[Finding]:
    """Bias of the mean over tasks."""
    return biases(cell, over_tasks=True)
