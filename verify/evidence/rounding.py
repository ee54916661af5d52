"""How far float64 may carry a computed path, meta-gradient or meta objective from the true one.

One evaluation of a gradient makes at most `operations` roundings in a row, each relative to a number of size at most
`L · extent`, where `extent = ‖w‖ + G/L + scale` and `G` is the larger of the training and test gradient norms at `w`.
Along the path the extent grows at most like `q^j`, and an error made at one step by at most `q` a step.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from problems.problem import Problem
from theory.constants import Constants, Real, Schedule
from theory.extended import plain
from theory.growth import Growth
from theory.loss import Array
from theory.norm import norm
from verify.verdict import EPS


def unit(problem: Problem) -> float:
    """Relative error of one gradient: ε times the roundings of dot products over dimensions and data, and a few."""
    return EPS * 4 * (problem.dim + max(problem.train_size, problem.test_size) + 8)


def extent(problem: Problem, w: Array) -> Array:
    """Return `‖w‖ + max(‖∇l_S(w)‖, ‖∇l_T(w)‖)/L + scale` at `w` (..., d), per task."""
    gradient = norm(problem.inner.gradient(w))
    if problem.outer is not problem.inner:
        gradient = np.maximum(gradient, norm(problem.outer.gradient(w)))
    return np.asarray(norm(w) + gradient / problem.constants.L + problem.scale)


def growth(problem: Problem, s: Schedule, j: Real) -> Real:
    """`q^j` for numbers j, or for an array of them."""
    L, alpha = problem.constants.L, s.alpha
    known = _growth(L, alpha) if isinstance(alpha, float) else _growth.__wrapped__(L, alpha)
    return plain(known.q(j))


@lru_cache(maxsize=256)
def _growth(L: float, alpha: Real) -> Growth:
    """Growth that keeps its powers: searches ask for the same ones thousands of times."""
    return Growth(Constants(L=L), Schedule(N=0, alpha=alpha))


def point_error(problem: Problem, s: Schedule, j: Real, size: Array) -> Array:
    """Error of `w̃_j` from points of the given extent: each of `j` steps errs by `unit · q^j · extent` at most."""
    return np.asarray(unit(problem) * (j + 1) * growth(problem, s, j) * size)


def meta_gradient_error(problem: Problem, s: Schedule, size: Array) -> Array:
    """Error of `∇L_i(w)`: of the outer gradient at an inexact `w̃_N`, and of N inexact factors `I − αH_j`."""
    c, N, alpha = problem.constants, s.N, s.alpha
    rounding = unit(problem)
    q_N = growth(problem, s, N)
    outer = rounding * (N + 2) * q_N**2 * c.L * size
    one_factor = c.rho * point_error(problem, s, N, size) + rounding * c.L
    factors = N * alpha * q_N**2 / (1 + alpha * c.L) * c.L * size * one_factor
    return np.asarray(outer + factors)


def meta_objective_error(problem: Problem, s: Schedule, size: Array, value: Array) -> Array:
    """Error of `L_i(w)`: of the value itself, and of the outer gradient times the error of `w̃_N`."""
    c = problem.constants
    through_path = growth(problem, s, s.N) * c.L * size * point_error(problem, s, s.N, size)
    return np.asarray(through_path + unit(problem) * (np.abs(value) + c.L * size**2))


def square_error(square: Array, error: Array) -> Array:
    """Error of a mean square: `E|x² − y²| ≤ 2 √(E x²) δ + δ²` where `|x − y| ≤ δ`."""
    return np.asarray(2 * np.sqrt(square) * error + error**2)
