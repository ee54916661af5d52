"""BIAS is attained on tents, term by term."""

import numpy as np
import pytest

from problems.tent import tent, tent_kink
from tests.problems.enumeration import RULES, build, enumerate_at, exact_probes
from theory.constants import Schedule
from theory.maml import adapt
from theory.paper import Paper


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize(("S", "least"), [(1, 0.999), (3, 0.86), (4, 0.74)])
def test_tent_attains_the_first_bias_term_at_one_step(rule: str, S: int, least: float) -> None:
    problem, s = build("tent", 1, rule, S=S)
    c = problem.constants
    p = Paper(c, s)
    at = enumerate_at(problem, s, exact_probes(problem, 1)[0])
    bias, norm = abs(at.mean - at.meta_gradient)[0], abs(at.gradient[0])
    assert least * p.task_bias(norm) < bias <= p.task_bias(norm)
    if rule != "fixed":
        assert bias > least * p.bias(abs(at.meta_gradient[0]))
    if S == 1:
        assert bias > p.e(1) * c.sigma_g
    else:
        assert bias > p.E_1 / S


def test_tent_attains_the_first_bias_term_as_rho_grows() -> None:
    """At a fixed noise, `loudness` is proportional to ρ: the shortfall is 1/(2 loudness)."""
    for loudness in (5.0, 50.0, 500.0):
        problem = tent(1, 0.08, L=0.6, rho=4.1, loudness=loudness)
        s = Schedule(N=1, alpha=0.08 / 0.6)
        at = enumerate_at(problem, s, exact_probes(problem, 1)[0])
        ratio = abs(at.mean - at.meta_gradient)[0] / Paper(problem.constants, s).task_bias(0.0)
        assert 1 - ratio == pytest.approx(1 / (2 * loudness), rel=1e-6)


@pytest.mark.parametrize("rule", RULES)
def test_tent_kink_attains_the_second_bias_term_at_two_steps(rule: str) -> None:
    problem, s = build("tent-kink", 2, rule)
    c = problem.constants
    p = Paper(c, s)
    at = enumerate_at(problem, s, 0.0)
    bias, bound = at.mean - at.meta_gradient, p.task_bias(np.abs(at.gradient))
    assert (np.abs(bias) > 0.998 * bound).all()
    assert (np.abs(bias) <= bound).all()
    assert np.sign(bias[0]) == np.sign(bias[1])
    second = bound - p.E_1
    assert (np.abs(bias) > bound - second / 2).all()
    if rule == "fixed":
        return
    meta = abs(at.meta_gradient.mean())
    over_tasks = p.bias(meta)
    assert 0.99 * p.C_1 * over_tasks < abs(bias.mean()) <= over_tasks
    assert abs(bias.mean()) > p.E_1
    if rule == "recommended":
        assert abs(bias.mean()) > p.E_1 + p.E_2 * (meta + c.sigma) / 2


def test_tent_kink_attains_the_second_bias_term_over_tasks_as_the_stepsize_falls() -> None:
    problem = tent_kink(2, 0.0005, L=0.6, rho=4.1)
    s = Schedule(N=2, alpha=0.0005 / 0.6)
    p = Paper(problem.constants, s)
    at = enumerate_at(problem, s, 0.0)
    bias = abs((at.mean - at.meta_gradient).mean())
    assert 0.99 * p.bias(abs(at.meta_gradient.mean())) < bias
    assert bias <= p.bias(abs(at.meta_gradient.mean()))


def test_the_paths_of_tent_kink_meet_every_kink() -> None:
    """To the left at the bottom of a V of l'', to the right on the top of a roof."""
    N, alpha_L = 5, 0.2
    problem = tent_kink(N, alpha_L, width=0.5)
    c, s = problem.constants, Schedule(N=N, alpha=alpha_L / problem.constants.L)
    path = adapt(problem.start[None], float(s.alpha), [problem.inner] * (N - 1))
    for j, w in enumerate(path[1:], start=1):
        left, right = problem.inner.hvp(w, np.ones(1))[:, 0]
        assert left == pytest.approx(-c.L, rel=1e-9, abs=0)
        assert right == pytest.approx(-c.L + c.rho * Paper(c, s).e(j) * c.sigma_g / c.L, rel=1e-9, abs=0)
