"""BIAS is attained on tents, term by term."""

import numpy as np
import pytest

from problems.tent import tent, tent_kink
from tests.problems.enumeration import RULES, build, enumerate_at, exact_probes
from theory.constants import Schedule
from theory.estimator import E_1, E_2, bias_bound, task_bias_bound
from theory.growth import growth_excess
from theory.lemmas import C_1
from theory.maml import adapt


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize(("S", "least"), [(1, 0.999), (3, 0.86), (4, 0.74)])
def test_tent_attains_the_first_bias_term_at_one_step(rule: str, S: int, least: float) -> None:
    problem, s = build("tent", 1, rule, S=S)
    c = problem.constants
    at = enumerate_at(problem, s, exact_probes(problem, 1)[0])
    bias, norm = abs(at.mean - at.meta_gradient)[0], abs(at.gradient[0])
    assert least * task_bias_bound(c, s, norm) < bias <= task_bias_bound(c, s, norm)
    if rule != "fixed":
        assert bias > least * bias_bound(c, s, abs(at.meta_gradient[0]))
    if S == 1:
        assert bias > growth_excess(c, s, 1) * c.sigma_g
    else:
        assert bias > E_1(c, s) / S


def test_tent_attains_the_first_bias_term_as_rho_grows() -> None:
    """At a fixed noise, `loudness` is proportional to ρ: the shortfall is 1/(2 loudness)."""
    for loudness in (5.0, 50.0, 500.0):
        problem = tent(1, 0.08, L=0.6, rho=4.1, loudness=loudness)
        s = Schedule(N=1, alpha=0.08 / 0.6)
        at = enumerate_at(problem, s, exact_probes(problem, 1)[0])
        ratio = abs(at.mean - at.meta_gradient)[0] / task_bias_bound(problem.constants, s, 0.0)
        assert 1 - ratio == pytest.approx(1 / (2 * loudness), rel=1e-6)


@pytest.mark.parametrize("rule", RULES)
def test_tent_kink_attains_the_second_bias_term_at_two_steps(rule: str) -> None:
    problem, s = build("tent-kink", 2, rule)
    c = problem.constants
    at = enumerate_at(problem, s, 0.0)
    bias, bound = at.mean - at.meta_gradient, task_bias_bound(c, s, np.abs(at.gradient))
    assert (np.abs(bias) > 0.998 * bound).all()
    assert (np.abs(bias) <= bound).all()
    assert np.sign(bias[0]) == np.sign(bias[1])
    second = bound - E_1(c, s)
    assert (np.abs(bias) > bound - second / 2).all()
    if rule == "fixed":
        return
    meta = abs(at.meta_gradient.mean())
    over_tasks = bias_bound(c, s, meta)
    assert 0.99 * C_1(c, s) * over_tasks < abs(bias.mean()) <= over_tasks
    assert abs(bias.mean()) > E_1(c, s)
    if rule == "recommended":
        assert abs(bias.mean()) > E_1(c, s) + E_2(c, s) * (meta + c.sigma) / 2


def test_tent_kink_attains_the_second_bias_term_over_tasks_as_the_stepsize_falls() -> None:
    problem = tent_kink(2, 0.0005, L=0.6, rho=4.1)
    s = Schedule(N=2, alpha=0.0005 / 0.6)
    at = enumerate_at(problem, s, 0.0)
    bias = abs((at.mean - at.meta_gradient).mean())
    assert 0.99 * bias_bound(problem.constants, s, abs(at.meta_gradient.mean())) < bias
    assert bias <= bias_bound(problem.constants, s, abs(at.meta_gradient.mean()))


def test_the_paths_of_tent_kink_meet_every_kink() -> None:
    """To the left at the bottom of a V of l'', to the right on the top of a roof."""
    N, alpha_L = 5, 0.2
    problem = tent_kink(N, alpha_L, width=0.5)
    c, s = problem.constants, Schedule(N=N, alpha=alpha_L / problem.constants.L)
    path = adapt(problem.start[None], float(s.alpha), [problem.inner] * (N - 1))
    for j, w in enumerate(path[1:], start=1):
        left, right = problem.inner.hvp(w, np.ones(1))[:, 0]
        assert left == pytest.approx(-c.L, rel=1e-9, abs=0)
        assert right == pytest.approx(-c.L + c.rho * growth_excess(c, s, j) * c.sigma_g / c.L, rel=1e-9, abs=0)
