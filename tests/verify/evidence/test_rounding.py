"""The slack of deterministic claims: float64 stays within it, measured against longer floating-point numbers."""

from dataclasses import replace

import numpy as np
import pytest

from problems.problem import Problem
from problems.random_ridges import RidgeLoss, random_ridges
from theory.constants import Schedule
from theory.loss import Array
from theory.maml import adapt, meta_gradient, meta_objective
from verify.evidence.rounding import extent, meta_gradient_error, meta_objective_error, point_error

LONG = np.finfo(np.longdouble).eps < 1e-18


@pytest.mark.skipif(not LONG, reason="long double is no longer than double here")
@pytest.mark.parametrize(
    ("N", "alpha_L", "pessimism"), [(0, 0.1, 1e4), (1, 0.3, 1e4), (5, 0.06, 1e5), (20, 0.016, 1e5), (20, 0.25, np.inf)]
)
def test_rounding_stays_within_the_slack(N: int, alpha_L: float, pessimism: float) -> None:
    problem = random_ridges()
    alpha = alpha_L / problem.constants.L
    s, w = Schedule(N=N, alpha=alpha), problem.probes(50, np.random.default_rng(5))[:, None]
    long_w, long_alpha = w.astype(np.longdouble), np.longdouble(alpha)
    inner, outer = lengthen(problem, problem.inner), lengthen(problem, problem.outer)
    size = extent(problem, w)

    def within(computed: Array, exact: Array, slack: Array) -> None:
        error = np.abs(computed - exact)
        error = np.sqrt((error**2).sum(axis=-1)) if error.ndim == 3 else error
        assert (error <= slack).all()
        assert slack.max() <= pessimism * max(float(error.max()), np.finfo(np.float64).eps)

    losses, long_losses = [problem.inner] * N, [inner] * N
    last, exact = adapt(w, alpha, losses)[-1], adapt(long_w, np.asarray(alpha), long_losses)[-1]
    within(np.broadcast_to(last, (50, 3, 3)), exact, point_error(problem, s, N, size))
    gradient = meta_gradient(w, alpha, N, problem.inner, problem.outer)
    v = meta_gradient(long_w, float(long_alpha), N, inner, outer)
    within(gradient, v, meta_gradient_error(problem, s, size))
    value = meta_objective(w, alpha, N, problem.inner, problem.outer)
    exact = meta_objective(long_w, float(long_alpha), N, inner, outer)
    within(value, exact, meta_objective_error(problem, s, size, value))


def lengthen(problem: Problem, loss: object) -> RidgeLoss:
    assert isinstance(loss, RidgeLoss)
    return replace(loss, **{name: np.asarray(value, dtype=np.longdouble) for name, value in vars(loss).items()})
