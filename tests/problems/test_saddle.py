"""The top of a well attains PATH, GRADIENT GROWTH, SGD DEVIATION, SECOND MOMENT, and `q^{2N}L` of SMOOTHNESS."""

from dataclasses import replace

import numpy as np
import pytest

from problems.problem import Problem
from tests.problems.enumeration import RULES, build, enumerate_at, exact_probes, stepsizes
from theory.constants import Schedule
from theory.loss import Array
from theory.maml import adapt, meta_gradient
from theory.paper import Paper

STEPS = (1, 2, 5, 10, 20)

CELLS = [(N, rule) for N in STEPS for rule in stepsizes(1)]


def path_from(problem: Problem, s: Schedule, w: Array) -> Array:
    """(N + 1,) inner path of the only task from `w` (1,)."""
    return np.array([point[0, 0] for point in adapt(w[None], float(s.alpha), [problem.inner] * int(s.N))])


def steepest(problem: Problem, s: Schedule, w: float = 0.0) -> Array:
    """Largest `|∇L_i(w) − ∇L_i(u)|/|w − u|` per task over u at several distances on both sides."""
    distance = problem.scale * 10.0 ** -np.arange(1, 5) / float(Paper(problem.constants, s).q(s.N))
    u = w + np.concatenate([distance, -distance])[:, None]

    def gradient(x: Array) -> Array:
        return meta_gradient(x[:, None], float(s.alpha), int(s.N), problem.inner, problem.outer)[..., 0]

    return np.asarray((np.abs(gradient(u) - gradient(np.full((1, 1), w))) / np.abs(u - w)).max(axis=0))


def outer_norm(problem: Problem) -> float:
    return float(np.abs(problem.outer.gradient(np.zeros((1, 1)))).mean())


@pytest.mark.parametrize(("N", "rule"), CELLS)
def test_saddle_attains_path_and_gradient_growth_and_refutes_less(N: int, rule: str) -> None:
    problem, s = build("saddle", N, rule)
    c, j = problem.constants, np.arange(1.0, N + 1)
    p = Paper(c, s)
    w, u = problem.probes(3, np.random.default_rng(0))[1:]
    path, other = path_from(problem, s, w), path_from(problem, s, u)
    apart, gradient = np.abs(path - other), np.abs(problem.inner.gradient(path[:, None, None]))[:, 0, 0]
    np.testing.assert_allclose(apart[1:], p.path(j, apart[0]), rtol=1e-13)
    np.testing.assert_allclose(gradient[1:], p.gradient_growth(j, gradient[0]), rtol=1e-13)
    np.testing.assert_allclose(np.abs(path - path[0])[1:], p.displacement(j, gradient[0]), rtol=1e-12)
    wrong = [p.q(N - 1)] + ([1 + N * s.alpha * c.L] if N > 1 else [])
    for factor in wrong:
        assert apart[-1] > factor * apart[0] * 1.0001
        assert gradient[-1] > factor * gradient[0] * 1.0001


@pytest.mark.parametrize(("N", "rule"), CELLS)
def test_saddle_attains_the_first_term_of_smoothness_and_refutes_lower_powers(N: int, rule: str) -> None:
    problem, s = build("saddle", N, rule)
    c = problem.constants
    p = Paper(c, s)
    measured = steepest(problem, s)[0]
    assert measured == pytest.approx(p.L_w(outer_norm(problem)), rel=1e-13)
    for power in (2 * N - 1, N):
        assert measured > p.q(power) * c.L * 1.0001


@pytest.mark.parametrize("name", ["saddle-noise", "saddle-hessian-noise"])
@pytest.mark.parametrize(("N", "S"), [(1, 1), (1, 4), (3, 3), (5, 1)])
@pytest.mark.parametrize("rule", RULES)
def test_saddle_attains_deviation_in_mean_square(name: str, N: int, S: int, rule: str) -> None:
    problem, s = build(name, N, rule, S=S)
    c, j = problem.constants, np.arange(1.0, N + 1)
    for w in exact_probes(problem, 3):
        measured = np.array(enumerate_at(problem, s, w).deviation_squared)[:, 0]
        np.testing.assert_allclose(measured, Paper(c, s).deviation_squared(j), rtol=1e-11)
    if N > 1:
        assert measured[-1] > N * s.alpha**2 * c.sigma_g**2 / S * 1.05
    if S > 1:
        assert measured[-1] > Paper(c, replace(s, S=S**2)).deviation_squared(N) * 1.5


@pytest.mark.parametrize("rule", RULES)
def test_saddle_attains_deviation_in_mean_at_one_step_and_needs_the_root_of_s(rule: str) -> None:
    problem, s = build("saddle-noise", 1, rule)
    assert enumerate_at(problem, s, 0.0).deviation[0][0] == pytest.approx(Paper(problem.constants, s).deviation(1))
    s = replace(s, S=4)
    measured = enumerate_at(problem, s, 0.0).deviation[0][0]
    assert measured == pytest.approx(0.75 * Paper(problem.constants, s).deviation(1))
    assert measured > Paper(problem.constants, replace(s, S=16)).deviation(1)


@pytest.mark.parametrize(("N", "S", "D", "T"), [(1, 1, 1, 1), (1, 3, 2, 4), (3, 2, 3, 4)])
@pytest.mark.parametrize("rule", RULES)
def test_saddle_with_hessian_noise_attains_the_second_moment(N: int, S: int, D: int, T: int, rule: str) -> None:
    problem, s = build("saddle-hessian-noise", N, rule, S=S, D=D, T=T)
    c = problem.constants
    for w in exact_probes(problem, 2):
        at = enumerate_at(problem, s, w)
        measured, norm = at.square[0], abs(at.gradient[0])
        bound = Paper(c, s).task_second_moment(norm)
        assert measured <= bound * (1 + 1e-12)
        if w == 0 and N == 1:
            assert measured == pytest.approx(bound, rel=1e-12)
        if w != 0:
            assert measured > 0.98 * bound
        mutants = {"σ_H dropped": (replace(c, sigma_H=0.0), s)}
        if D > 1:
            mutants["D²"] = (c, replace(s, D=D**2))
        if w == 0:
            mutants["(q^N − 1)σ_g dropped"] = (c, replace(s, S=10**12))
            if T > 1 and rule == "recommended":
                mutants["T²"] = (c, replace(s, T=T**2))
        for name, (wrong_c, wrong_s) in mutants.items():
            assert measured > Paper(wrong_c, wrong_s).task_second_moment(norm) * (1 + 1e-6), name


@pytest.mark.parametrize("name", ["saddle-pair", "saddle-pair-finite-sum"])
@pytest.mark.parametrize(("N", "rule"), CELLS)
def test_the_pair_attains_the_spread_in_the_second_moment(name: str, N: int, rule: str) -> None:
    """`E‖∇L_i‖² = Q²σ²` at `∇L = 0`, which refutes `q^{3N}`."""
    problem, s = build(name, N, rule)
    w = problem.probes(1, np.random.default_rng(0))[:, None]
    meta = meta_gradient(w, float(s.alpha), N, problem.inner, problem.outer)
    Q = (1 + s.alpha * problem.constants.L) ** (2 * N)
    assert (meta**2).mean() == pytest.approx(Q**2 * problem.constants.sigma**2, rel=1e-12)
    assert abs(meta.mean()) < 1e-12 * np.abs(meta).max()
