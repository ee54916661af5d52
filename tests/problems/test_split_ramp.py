"""The split ramp: a ramp along one coordinate, tasks that pull to either side along the other."""

import math

import numpy as np
import pytest

from problems.split_ramp import split_ramp
from theory.constants import Schedule
from theory.maml import meta_gradient, meta_objective
from theory.paper import Paper

N, ALPHA_L, L, RHO, SLOPE, PULL = 3, 0.02, 0.7, 3.1, 0.15, 0.8


def test_the_pulls_cancel_in_the_meta_gradient_and_count_in_its_smoothness() -> None:
    problem = split_ramp(N, ALPHA_L, L=L, rho=RHO, slope=SLOPE, pull=PULL)
    w, alpha, s = problem.start[None], ALPHA_L / L, problem.constants.sigma
    meta = meta_gradient(w, alpha, N, problem.inner, problem.outer)
    assert meta.mean(axis=0) == pytest.approx([-SLOPE, 0], rel=1e-12, abs=1e-12 * s)
    p = Paper(problem.constants, Schedule(N=N, alpha=alpha))
    assert p.C_L * s == pytest.approx(PULL * float(p.a), rel=1e-12)
    norms = np.linalg.norm(problem.outer.gradient(w), axis=-1)
    assert norms == pytest.approx([math.hypot(SLOPE, s)] * 2, rel=1e-12)


def test_its_lower_bound_is_the_value_on_the_flat() -> None:
    problem = split_ramp(N, ALPHA_L, L=L, rho=RHO, slope=SLOPE, pull=PULL)
    flat = np.array([[40 * problem.scale, 0.0]])
    value = meta_objective(flat, ALPHA_L / L, N, problem.inner, problem.outer).mean()
    assert value == pytest.approx(problem.constants.lower_bound, rel=1e-13)


def test_it_is_as_long_as_its_run() -> None:
    problem = split_ramp(N, ALPHA_L, L=L, rho=RHO, slope=SLOPE, pull=PULL)
    p = Paper(problem.constants, Schedule(N=N, alpha=ALPHA_L / L))
    step = SLOPE / (problem.made_for["C_beta"] * p.L_w(math.hypot(SLOPE, problem.constants.sigma)))
    last = problem.start[0] + (problem.made_for["K"] - 1) * step + N * ALPHA_L / L * SLOPE
    assert last == pytest.approx(0, abs=1e-12 * abs(problem.start[0]))
