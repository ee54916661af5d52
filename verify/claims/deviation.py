"""SGD DEVIATION: how far minibatch noise carries the inner path, in mean and in mean square."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from theory.constants import Constants, Real, Schedule
from theory.lemmas import deviation_bound, deviation_squared_bound
from theory.loss import Array
from theory.maml import adapt
from verify.claim import Cell, Mutant, claim
from verify.evidence.enumeration import InnerPaths, deviation_moments, enumerable_steps, enumerate_paths
from verify.evidence.expectation import (
    BATCH_SIZES,
    SAMPLED_POINTS,
    SAMPLED_SIZE,
    enumeration_error,
    few_points,
    noisy_extent,
)
from verify.evidence.rounding import point_error
from verify.evidence.sampling import AlmostSure, sample_paths
from verify.evidence.statistics import Interval, Values, exactly, mean_interval, sample_until, worst_entry
from verify.verdict import Finding

SADDLE = "saddle-noise"


def deviations(cell: Cell, power: int) -> Iterator[Finding]:
    """Findings on `E‖w_j − w̃_j‖^power`: enumerated for all j whose paths are few enough, else sampled at j = N.

    At N = 0 nothing deviates and there is nothing to check.
    """
    w = few_points(cell)
    for S in BATCH_SIZES if cell.N > 0 else ():
        steps = enumerable_steps(cell.problem, len(w), S, cell.N)
        if steps > 0:
            yield enumerated(cell, w, enumerate_paths(cell.problem, w, cell.alpha, steps, S), S, power)
        elif S == SAMPLED_SIZE and AlmostSure.of(cell.problem, cell.alpha, cell.N).bounded:
            yield sampled(cell, few_points(cell, SAMPLED_POINTS), S, power)


def enumerated(cell: Cell, w: Array, paths: InnerPaths, S: int, power: int) -> Finding:
    """Exact moments at every level of the tree of paths, for every point and task."""
    s, j = cell.schedule(S=S), np.arange(1.0, len(paths.points))[:, None, None]
    measured = deviation_moments(paths)[power - 1][1:]
    bound = np.asarray(cell.formula(cell.constants, s, j))
    slack = rounding(cell, w, s, j, power, measured) + enumeration_error(paths, measured)
    finding, (level, point, task) = worst_entry(exactly(measured), bound, slack)
    return replace(
        finding,
        method="enumeration",
        label=f"S = {S}, all j ≤ {len(j)}",
        samples=measured.size,
        witness={"w": w[point].tolist(), "task": task, "j": level + 1, "S": S},
    )


def sampled(cell: Cell, w: Array, S: int, power: int) -> Finding:
    """Monte Carlo at j = N."""
    problem, s, N = cell.problem, cell.schedule(S=S), cell.N
    high = AlmostSure.of(problem, cell.alpha, N).deviations()[-1] ** power
    bound = np.full((len(w), problem.number_of_tasks), cell.formula(cell.constants, s, N))
    exact = adapt(np.broadcast_to(w[:, None], (*bound.shape, problem.dim)), cell.alpha, [problem.inner] * N)

    def draw(count: int, rng: np.random.Generator) -> Values:
        paths = sample_paths(problem, w, cell.alpha, N, S, count, rng)
        if power == 1:
            return np.asarray(np.linalg.norm(paths[-1] - exact[-1], axis=-1))
        return np.stack(squares_and_stretch(cell, paths, exact), axis=-1)

    def interval(samples: Values, delta: float) -> Interval:
        return mean_interval(samples, delta, 0.0, high) if power == 1 else squares_interval(cell, s, samples, delta)

    slack = rounding(cell, w, s, N, power, bound)
    finding, (point, task) = sample_until(cell, draw, interval, bound, "S", S, slack=slack)
    return replace(finding, label=f"S = {S}, j = {N}", witness={"w": w[point].tolist(), "task": task, "j": N, "S": S})


def squares_and_stretch(cell: Cell, paths: list[Array], exact: list[Array]) -> tuple[Values, Values]:
    """`‖e_N‖²` and `Σ_{j<N} (‖e_j − α(∇l(w_j) − ∇l(w̃_j))‖² − ‖e_j‖²)` of sampled paths, `e_j = w_j − w̃_j`."""
    gradient = cell.problem.inner.gradient
    stretch = np.zeros(paths[0].shape[:-1])
    for w, w_exact in zip(paths[:-1], exact[:-1], strict=True):
        e = w - w_exact
        moved = e - cell.alpha * (gradient(w) - gradient(w_exact))
        stretch += ((moved - e) * (moved + e)).sum(axis=-1)
    return np.square(paths[-1] - exact[-1]).sum(axis=-1), stretch


def squares_interval(cell: Cell, s: Schedule, samples: Values, delta: float) -> Interval:
    """Interval for `E‖e_N‖²` from samples of `‖e_N‖²` and of the stretch, each at δ/2.

    The noise is centred given the path and adds at most `α²σ_g²/S` a step, so `E‖e_N‖²` is at most the mean stretch
    plus `Nα²σ_g²/S`. The stretch varies much less than `‖e_N‖²` itself, so this decides where the bound is nearly
    attained. Only the upper limit takes σ_g from the assumption (which is audited); the lower one is measured.
    """
    c, alpha, N = cell.constants, cell.alpha, cell.N
    e = np.array(AlmostSure.of(cell.problem, alpha, N).deviations())
    plain = mean_interval(samples[..., 0], delta / 2, 0.0, e[-1] ** 2)
    q, least = 1 + alpha * c.L, max(0.0, 1 - alpha * c.L)  # a step stretches e by a factor between these
    room = float((e[:-1] ** 2).sum())
    stretch = mean_interval(samples[..., 1], delta / 2, (least**2 - 1) * room, (q**2 - 1) * room)
    upper = stretch.upper + N * alpha**2 * c.sigma_g**2 / float(np.asarray(s.S))
    upper = np.minimum(plain.upper, np.maximum(upper, plain.lower))
    return Interval(np.minimum(plain.estimate, upper), plain.lower, upper)


def rounding(cell: Cell, w: Array, s: Schedule, j: Real, power: int, measured: Values) -> Values:
    """Rounding error of `E‖w_j − w̃_j‖^power`: two computed points; `E|x² − y²| ≤ 2 √(E x²) δ + δ²` for |x − y| ≤ δ."""
    error = 2 * point_error(cell.problem, s, j, noisy_extent(cell.problem, w))
    return error if power == 1 else 2 * np.sqrt(measured) * error + error**2


def S_for_sqrt_S(c: Constants, s: Schedule, j: Real) -> Real:
    """Wrong: `1/S`."""
    return deviation_bound(c, s, j) / np.sqrt(s.S)


def S_squared(c: Constants, s: Schedule, j: Real) -> Real:
    """Wrong: `1/S²`."""
    return deviation_squared_bound(c, s, j) / s.S


def without_growth(c: Constants, s: Schedule, j: Real) -> Real:
    """Wrong: `j` for `(q^{2j} − 1)/(q² − 1)`."""
    return j * s.alpha**2 * c.sigma_g**2 / s.S


def previous_step(c: Constants, s: Schedule, j: Real) -> Real:
    """Wrong: `q^{j−1} − 1`."""
    return deviation_bound(c, s, np.maximum(j, 1) - 1)


SOURCE = "Ji, Yang, Liang (2022), lemma on the deviation of stochastic from exact inner paths"
ASSUMPTIONS = ("l_i is L-smooth", "data noise of mean square at most σ_g²", "fresh, independent batches of size S")


@claim(
    name="deviation mean",
    title="SGD DEVIATION: minibatches carry the inner path (q^j − 1)σ_g/(L√S) away at most, in mean",
    source=SOURCE,
    statement="E‖w_j − w̃_j‖ ≤ (q^j − 1) σ_g/(L√S) for all j ≤ N",
    assumptions=ASSUMPTIONS,
    measured="exact expectation over all inner paths where the noise has a finite support (all j that can be "
    "enumerated), else Monte Carlo at j = N; a few points, all tasks, S = 1 and 4",
    sharp="saddle with two-point noise at j = 1, S = 1; for large j none within a factor 2 (see the sharper bound)",
    formula=deviation_bound,
    mutants=(
        Mutant("S for √S", S_for_sqrt_S, SADDLE),
        Mutant("q^{j−1} for q^j", previous_step, SADDLE, N=2),
    ),
    cases=frozenset({"resampling"}),
    needs=("sigma_g",),
    sharp_on=(SADDLE,),
)
def deviation_mean(cell: Cell) -> Iterator[Finding]:
    """Mean distance from the exact path."""
    return deviations(cell, 1)


@claim(
    name="deviation second moment",
    title="SGD DEVIATION: the mean square distance from the exact path",
    source=SOURCE,
    statement="E‖w_j − w̃_j‖² ≤ ((q^{2j} − 1)/(q² − 1)) α²σ_g²/S for all j ≤ N",
    assumptions=ASSUMPTIONS,
    measured="as the mean; by Monte Carlo the upper limit adds the noise that the assumption allows to the measured "
    "stretch of the distance, the lower limit is measured alone",
    sharp="saddle with two-point noise: equality at every j and S",
    formula=deviation_squared_bound,
    mutants=(
        Mutant("j for (q^{2j} − 1)/(q² − 1)", without_growth, SADDLE),
        Mutant("S² for S", S_squared, SADDLE),
    ),
    cases=frozenset({"resampling"}),
    needs=("sigma_g",),
    rules=("recommended", "near cap"),
    sharp_on=(SADDLE,),
)
def deviation_second_moment(cell: Cell) -> Iterator[Finding]:
    """Mean square distance from the exact path."""
    return deviations(cell, 2)
