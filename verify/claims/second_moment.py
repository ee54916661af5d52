"""SECOND MOMENT: the mean square of the stochastic meta-gradients of Algorithms 1 and 2."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from theory.constants import Constants, Real, Schedule
from theory.estimator import (
    V,
    second_moment_bound,
    task_second_moment_bound,
)
from theory.growth import growth
from theory.lemmas import C_1, C_2
from theory.loss import Array
from theory.maml import adapt, meta_gradient
from verify.claim import Cell, Mutant, claim
from verify.evidence.enumeration import (
    LARGEST_MATRICES,
    conditional_second_moment,
    enumerable_steps,
    enumerate_paths,
    matrix_numbers,
    second_moment,
)
from verify.evidence.expectation import (
    SAMPLED_POINTS,
    SAMPLED_SIZE,
    enumeration_error,
    estimator_error,
    few_points,
    norm,
    witness,
)
from verify.evidence.sampling import AlmostSure, sample_estimator, sample_paths
from verify.evidence.statistics import CHUNK, Interval, Values, exactly, mean_interval, sample_until, worst_entry
from verify.verdict import Finding

SIZES = ((1, 1, 1), (4, 2, 2))
"""`(S, D, T)`: data per inner gradient, per Hessian, per outer gradient."""


def moments(cell: Cell, over_tasks: bool) -> Iterator[Finding]:
    """Findings on `E‖Ĝ_i‖²`, per task or in the mean over tasks: enumerated where that is possible, else sampled.

    At N = 0 it is the assumption on the noise and nothing is to be checked.
    """
    w = few_points(cell)
    for sizes in SIZES if cell.N > 0 else ():
        if enumerable_steps(cell.problem, len(w), sizes[0], cell.N, matrices=True) == cell.N:
            yield enumerated(cell, w, sizes, over_tasks)
        elif sizes[0] == SAMPLED_SIZE and AlmostSure.of(cell.problem, cell.alpha, cell.N).bounded:
            yield sampled(cell, few_points(cell, SAMPLED_POINTS), sizes, over_tasks)


def enumerated(cell: Cell, w: Array, sizes: tuple[int, int, int], over_tasks: bool) -> Finding:
    """Exact second moment at every point."""
    S, D, T = sizes
    paths = enumerate_paths(cell.problem, w, cell.alpha, cell.N, S)
    per_task = second_moment(cell.problem, paths, cell.alpha, D, T)
    error = rounding(cell, w, sizes, per_task) + enumeration_error(paths, per_task)
    measured, slack = (x.mean(axis=1) if over_tasks else x for x in (per_task, error))
    finding, at = worst_entry(exactly(measured), bound(cell, w, sizes, over_tasks), slack)
    finding = replace(finding, method="enumeration", samples=measured.size)
    return replace(finding, label=label(sizes), witness=witness(w, at, S=S, D=D, T=T))


def sampled(cell: Cell, w: Array, sizes: tuple[int, int, int], over_tasks: bool) -> Finding:
    """Monte Carlo on `E[‖Ĝ_i‖² | path]` where the noise has a finite support, else on `‖Ĝ_i‖²`: both are bounded."""
    (S, D, T), problem, N, alpha = sizes, cell.problem, cell.N, cell.alpha
    gradient, ranges = problem.inner.gradient, AlmostSure.of(problem, alpha, N)
    shape = (len(w), problem.number_of_tasks, problem.dim)
    last = norm(gradient(adapt(np.broadcast_to(w[:, None], shape), alpha, [problem.inner] * N)[-1]))
    conditional = len(w) * CHUNK * matrix_numbers(problem) <= LARGEST_MATRICES
    high = ranges.conditional_second_moment(last, D, T) if conditional else ranges.estimator(last) ** 2
    slack = rounding(cell, w, sizes, high)
    high, slack = (x.mean(axis=1) if over_tasks else x for x in (high, slack))

    def draw(count: int, rng: np.random.Generator) -> Values:
        paths = sample_paths(problem, w, alpha, N, S, count, rng)
        if conditional:
            squares = conditional_second_moment(problem, paths, alpha, D, T)
        else:
            squares = np.square(sample_estimator(problem, paths, alpha, D, T, rng)).sum(axis=-1)
        return np.asarray(squares.mean(axis=-1) if over_tasks else squares)

    def interval(samples: Values, delta: float) -> Interval:
        return mean_interval(samples, delta, 0.0, high + slack)

    finding, at = sample_until(cell, draw, interval, bound(cell, w, sizes, over_tasks), "S", S, slack=slack)
    return replace(finding, label=label(sizes), witness=witness(w, at, S=S, D=D, T=T))


def label(sizes: tuple[int, int, int]) -> str:
    """Tell the findings of a cell apart."""
    return "S, D, T = {}, {}, {}".format(*sizes)


def bound(cell: Cell, w: Array, sizes: tuple[int, int, int], over_tasks: bool) -> Values:
    """What the formula gives: (P,) over tasks, from `‖∇L(w)‖`, else (P, tasks), from `‖∇l_i(w)‖`."""
    S, D, T = sizes
    s, inner = cell.schedule(S=S, D=D, T=T), cell.problem.inner
    if over_tasks:
        size = norm(meta_gradient(w[:, None], cell.alpha, cell.N, inner, inner).mean(axis=1))
    else:
        size = norm(inner.gradient(w[:, None]))
    return np.asarray(cell.formula(cell.constants, s, size))


def rounding(cell: Cell, w: Array, sizes: tuple[int, int, int], square: Values) -> Values:
    """Rounding error of a mean square (P, tasks): `E|x² − y²| ≤ 2 √(E x²) δ + δ²` where `|x − y| ≤ δ`."""
    S, D, T = sizes
    error = estimator_error(cell.problem, cell.schedule(S=S, D=D, T=T), w)
    return np.asarray(2 * np.sqrt(square) * error + error**2)


def without_sigma_H(c: Constants, s: Schedule, gradient_norm: Real) -> Real:
    """Wrong: `σ_H` dropped from V."""
    return task_second_moment_bound(replace(c, sigma_H=0.0), s, gradient_norm)


def D_squared(c: Constants, s: Schedule, gradient_norm: Real) -> Real:
    """Wrong: `D²` for `D`."""
    return task_second_moment_bound(c, replace(s, D=s.D**2), gradient_norm)


def T_squared(c: Constants, s: Schedule, gradient_norm: Real) -> Real:
    """Wrong: `T²` for `T`."""
    return task_second_moment_bound(c, replace(s, T=s.T**2), gradient_norm)


def without_inner_noise(c: Constants, s: Schedule, gradient_norm: Real) -> Real:
    """Wrong: `(q^N − 1)σ_g/√S` dropped."""
    return V(c, s) * ((growth(c, s, s.N) * np.asarray(gradient_norm)) ** 2 + c.sigma_g**2 / s.T)


def quarter_of_spread(c: Constants, s: Schedule, meta_gradient_norm: Real) -> Real:
    """Wrong: the coefficient of `σ²` quartered."""
    whole = second_moment_bound(c, s, meta_gradient_norm)
    coefficient = V(c, s) * 2 * growth(c, s, 2 * s.N) * (2 * (C_2(c, s) / C_1(c, s)) ** 2 + 1)
    return whole - 0.75 * coefficient * c.sigma**2


SOURCE = "Ji, Yang, Liang (2022), lemma on the second moment of the stochastic meta-gradient"
ASSUMPTIONS = (
    "l_i is L-smooth",
    "data noise of mean square at most σ_g² (gradients) and σ_H² (Hessians, spectral norm)",
    "fresh, independent batches of sizes S, D, T",
)
MEASURED = (
    "exact where the noise has a finite support and the inner paths are few: paths enumerated, Hessian batches "
    "propagated as second-moment matrices; else Monte Carlo on the bounded variable ‖Ĝ_i‖², or on its conditional "
    "expectation given the path where the noise has a finite support; a few points, "
    "(S, D, T) = (1, 1, 1) and (4, 2, 2)"
)
SADDLE = "saddle-hessian-noise"


@claim(
    name="second moment per task",
    title="SECOND MOMENT of one task's stochastic meta-gradient, Algorithm 1",
    source=SOURCE,
    statement="E‖Ĝ_i‖² ≤ V [(q^N ‖∇l_i(w)‖ + (q^N − 1)σ_g/√S)² + σ_g²/T], V = (q² + α²σ_H²/D)^N, for every α",
    assumptions=ASSUMPTIONS,
    measured=MEASURED + ", worst task",
    sharp="saddle with Hessian noise: equality at N = 1 where the gradient vanishes, within 2 % for every N where the "
    "gradient is large",
    formula=task_second_moment_bound,
    mutants=(
        Mutant("σ_H dropped", without_sigma_H, SADDLE, N=2),
        Mutant("D² for D", D_squared, SADDLE, N=2),
        Mutant("T² for T", T_squared, SADDLE, N=2),
        Mutant("(q^N − 1)σ_g dropped", without_inner_noise, SADDLE, N=2),
    ),
    cases=frozenset({"resampling"}),
    needs=("sigma_g", "sigma_H"),
    rules=("near cap", "fixed"),
    sharp_on=(SADDLE,),
)
def second_moment_per_task(cell: Cell) -> Iterator[Finding]:
    """Second moment of each task."""
    return moments(cell, over_tasks=False)


@claim(
    name="second moment",
    title="SECOND MOMENT of a stochastic meta-gradient over tasks and data, Algorithm 1",
    source=SOURCE,
    statement="E‖Ĝ_i‖² ≤ C_sq1 ‖∇L(w)‖² + C_sq2",
    assumptions=(*ASSUMPTIONS, "task spread at most σ", "q^{2N} < 2"),
    measured=MEASURED,
    sharp="cusp: half of the bound as α falls, 0.38 of it at α = 1/(8NL)",
    formula=second_moment_bound,
    mutants=(Mutant("σ² coefficient quartered", quarter_of_spread, "cusp", N=1, rule="recommended"),),
    cases=frozenset({"resampling"}),
    needs=("sigma", "sigma_g", "sigma_H"),
    rules=("recommended", "near cap"),
    sharp_on=("cusp",),
)
def second_moment_over_tasks(cell: Cell) -> Iterator[Finding]:
    """Second moment over tasks and data."""
    return moments(cell, over_tasks=True)
