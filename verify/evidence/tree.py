"""Exact expectations over inner paths and minibatches of finite-support noise: no sampling error at all.

Inner paths form a tree: a step with `M` possible minibatches sends each point to `M` children. Points keep the layout
(P, M^j, tasks, d) at level j: P starts, the paths so far, the tasks. Minibatches of different levels are independent,
so expectations are taken level by level from the leaves to the root.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from problems.noise import FiniteNoise, batch_support, multinomial_support
from problems.problem import Problem
from theory.loss import Array, Loss
from theory.maml import adapt
from theory.norm import inner_product, norm
from verify.verdict import EPS, Values

LARGEST = 2**18
"""Numbers that the last level of a tree may hold: about a tenth of a second."""
LARGEST_MATRICES = 2**22
"""The same for the matrices of `second_moment`."""
MOST_MEANS = 2**13
"""Values of the mean gradient norm that are enumerated at most."""


@dataclass(frozen=True)
class Minibatches:
    """All minibatches of one size: their `losses`, batch shape (M, tasks), and `probabilities` (M,)."""

    losses: Loss
    probabilities: Values


def minibatches(problem: Problem, size: int) -> Minibatches:
    """Enumerate the minibatches of `size` data; without noise there is one, the population loss.

    Raises
    ------
    ValueError : the noise has no finite support.
    """
    tasks = np.arange(problem.number_of_tasks)
    if not isinstance(problem.noise, FiniteNoise):
        raise ValueError(f"problem {problem.name} has data noise without a finite support: nothing to enumerate")
    support = batch_support(problem.noise, size)
    shape = (len(support.probabilities), len(tasks))
    weights = np.broadcast_to(support.weights[:, None], (*shape, support.weights.shape[1]))
    return Minibatches(problem.noise.weighted(np.broadcast_to(tasks, shape), weights), support.probabilities)


def number_of_minibatches(problem: Problem, size: int) -> float:
    """How many minibatches of `size` data there are: infinitely many where the noise has no finite support."""
    if not isinstance(problem.noise, FiniteNoise):
        return math.inf
    return math.comb(size + len(problem.noise.probabilities) - 1, size)


def enumerable_steps(problem: Problem, starts: int, S: int, steps: int, *, matrices: bool = False) -> int:
    """Greatest number of inner steps, at most `steps`, whose paths from `starts` points are few enough to enumerate.

    With `matrices`, few enough also for `second_moment`, which keeps a matrix a path and datum.
    """
    room = LARGEST / (starts * problem.number_of_tasks * problem.dim)
    if matrices:
        room = min(room, LARGEST_MATRICES / (starts * matrix_numbers(problem)))
    branches = number_of_minibatches(problem, S)
    if branches == 1 or steps == 0:
        return steps
    return max(0, min(steps, math.floor(math.log(max(room, 1)) / math.log(branches) + 1e-9)))


def matrix_numbers(problem: Problem) -> float:
    """Numbers that `conditional_second_moment` keeps for each path: a matrix for each task and datum."""
    return problem.number_of_tasks * problem.dim**2 * number_of_minibatches(problem, 1)


@dataclass(frozen=True)
class InnerPaths:
    """All inner paths of minibatch gradient descent from P points.

    Attributes
    ----------
    points : level j holds the points `w_j`, shape (P, M^j, tasks, d).
    exact : the noiseless path `w̃_j`, each (P, tasks, d).
    probabilities : (M,) of the minibatches of one step.
    """

    points: list[Array]
    exact: list[Array]
    probabilities: Values

    def step_mean(self, values: Array) -> Array:
        """Conditional expectation given the path without its last step: (P, M^j, ...) gives (P, M^{j−1}, ...)."""
        branches = len(self.probabilities)
        split = values.reshape(len(values), -1, branches, *values.shape[2:])
        return np.einsum("m,pnm...->pn...", self.probabilities, split)

    def mean(self, values: Array) -> Array:
        """Expectation over the paths: (P, M^j, ...) gives (P, ...)."""
        while values.shape[1] > 1:
            values = self.step_mean(values)
        return values[:, 0]


def enumerate_paths(problem: Problem, w: Array, alpha: float, steps: int, S: int) -> InnerPaths:
    """All paths of `steps` inner steps with minibatches of `S` data, for every task, from `w` (P, d)."""
    batch = minibatches(problem, S)
    points = [np.broadcast_to(w[:, None, None], (len(w), 1, problem.number_of_tasks, problem.dim))]
    for _ in range(steps):
        parents = points[-1][:, :, None]
        children = parents - alpha * batch.losses.gradient(parents)
        points.append(children.reshape(len(w), -1, *children.shape[3:]))
    exact = adapt(points[0][:, 0], alpha, [problem.inner] * steps)
    return InnerPaths(points, exact, batch.probabilities)


def deviation_moments(paths: InnerPaths) -> tuple[Values, Values]:
    """`E‖w_j − w̃_j‖` and `E‖w_j − w̃_j‖²` at every level: two arrays (levels, P, tasks)."""
    deviations = [points - exact[:, None] for points, exact in zip(paths.points, paths.exact, strict=True)]
    squares = [inner_product(deviation, deviation) for deviation in deviations]
    return (
        np.stack([paths.mean(np.sqrt(square)) for square in squares]),
        np.stack([paths.mean(square) for square in squares]),
    )


def mean_estimator(problem: Problem, paths: InnerPaths, alpha: float) -> Array:
    """`E Ĝ_i` (P, tasks, d): given the path it is `A(path) ∇l_i(w_N)`, pulled back through the tree."""
    v = problem.inner.gradient(paths.points[-1])
    for points in reversed(paths.points[:-1]):
        v = paths.step_mean(v)
        v = v - alpha * problem.inner.hvp(points, v)
    return v[:, 0]


def second_moment(problem: Problem, paths: InnerPaths, alpha: float, D: int, T: int) -> Values:
    """`E‖Ĝ_i‖²` (P, tasks) with Hessian batches of `D` and outer batches of `T` data."""
    return conditional_second_moment(problem, paths.points, alpha, D, T, paths.step_mean)[:, 0]


def conditional_second_moment(
    problem: Problem,
    points: list[Array],
    alpha: float,
    D: int,
    T: int,
    step_mean: Callable[[Array], Array] = lambda M: M,
) -> Values:
    """`E[‖Ĝ_i‖² | path]` on given inner paths, N + 1 arrays (m, n, tasks, d): (m, n, tasks), exact in the batches D, T.

    The matrix `M_j = E[ĝ_j ĝ_jᵀ | w_j]` of the vector that reaches level j from the right is propagated: a batch of
    independent data adds its single-datum covariance over the batch size, so at the end `M_N = ggᵀ + Cov(ĝ)/T`, and a
    step gives `E[(I − αĤ)M(I − αĤ)] = (I − αH)M(I − αH) + (α²/D) E[(Ĥ − H)M(Ĥ − H)]`. Before each step, `step_mean`
    takes the expectation over the step that led there, where paths share their beginnings.
    """
    datum = minibatches(problem, 1)
    g = datum.losses.gradient(points[-1][:, :, None])
    mean = np.einsum("a,mna...->mn...", datum.probabilities, g)
    noise = g - mean[:, :, None]
    M = mean[..., :, None] * mean[..., None, :]
    M = M + np.einsum("a,mnatx,mnaty->mntxy", datum.probabilities, noise, noise, optimize=True) / T
    for w in reversed(points[:-1]):
        M = step_mean(M)
        if problem.noise.hessian_sup == 0:
            factor = np.eye(problem.dim) - alpha * _hessians(problem.inner, w)
            M = factor @ M @ factor
            continue
        single = _hessians(datum.losses, w[:, :, None])
        H = np.einsum("a,mna...->mn...", datum.probabilities, single)
        factor = np.eye(problem.dim) - alpha * H
        noise = single - H[:, :, None]
        spread = np.einsum("a,mna...->mn...", datum.probabilities, noise @ M[:, :, None] @ noise)
        M = factor @ M @ factor + (alpha**2 / D) * spread
    return np.trace(M, axis1=-2, axis2=-1)


def _hessians(losses: Loss, w: Array) -> Array:
    """Hessian matrices (..., d, d) at `w` (..., d)."""
    basis = np.eye(w.shape[-1]).reshape(w.shape[-1], *(1,) * (w.ndim - 1), w.shape[-1])
    return np.moveaxis(losses.hvp(w[None], basis), 0, -1)


def mean_gradient_norms(problem: Problem, w: Array, D_L: int, B_prime: int) -> tuple[Values, Values] | None:
    """All values (P, m) at `w` (P, d) of the mean gradient norm that sets L̂, and their probabilities (m,).

    `B_prime` tasks are drawn uniformly and independently, each with `D_L` data of its own (finite-sum: its whole test
    set). Draws whose norm agrees at every point are one. None where there are too many means.
    """
    if problem.case == "finite-sum":
        probabilities, norms = np.ones(1), norm(problem.outer.gradient(w[:, None]))
    else:
        batch = minibatches(problem, D_L)
        probabilities, norms = batch.probabilities, norm(batch.losses.gradient(w[:, None, None]))
    distinct, which = np.unique(norms.reshape(len(w), -1), axis=1, return_inverse=True)
    weights = np.repeat(probabilities, problem.number_of_tasks) / problem.number_of_tasks
    law = np.bincount(which.ravel(), weights=weights).astype(np.float64)
    if B_prime == 1:
        return distinct, law
    if math.comb(B_prime + len(law) - 1, B_prime) > MOST_MEANS:
        return None
    support = multinomial_support(law, B_prime)
    return distinct @ support.weights.T, support.probabilities


def summation_error(paths: InnerPaths, values: Values) -> Values:
    """Rounding of the weighted sums over the tree, level by level, and of the multinomial probabilities."""
    return 2 * EPS * len(paths.points) * (len(paths.probabilities) + 64) * np.abs(values)
