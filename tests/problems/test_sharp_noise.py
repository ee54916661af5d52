"""SGD DEVIATION, BIAS, SECOND MOMENT and the stepsize's moments on their sharp instances, enumerated exactly."""

from dataclasses import dataclass, replace

import numpy as np
import pytest

from problems.noise import FiniteNoise, batch_support, multinomial_support
from problems.problem import Problem
from problems.registry import families
from problems.tent import tent, tent_kink
from problems.two_point_stepsize import two_point_tasks
from theory.constants import Real, Schedule
from theory.estimator import E_1, E_2, bias_bound, task_bias_bound, task_second_moment_bound
from theory.growth import growth_excess
from theory.lemmas import C_1, deviation_bound, deviation_squared_bound
from theory.loss import Array, Loss
from theory.maml import adapt, meta_gradient
from theory.meta_stepsize import moment_kappa, moment_lambda
from theory.sharper import kappa_sharper, task_bias_one_step
from theory.smoothness import meta_smoothness


@dataclass
class Enumerated:
    """Expectations at one point, per task: deviations at levels 1..N, `E Ĝ_i` and `E Ĝ_i²`, and the exact ones."""

    deviation: list[Array]
    deviation_squared: list[Array]
    mean: Array
    square: Array
    gradient: Array
    meta_gradient: Array


def batches(problem: Problem, size: Real) -> tuple[Loss, Array]:
    """All minibatches: losses of batch shape (M, tasks), and probabilities (M,)."""
    assert isinstance(problem.noise, FiniteNoise)
    support, tasks = batch_support(problem.noise, int(size)), problem.number_of_tasks
    chosen = np.tile(np.arange(tasks), (len(support.weights), 1))
    return problem.noise.weighted(chosen, np.repeat(support.weights[:, None], tasks, axis=1)), support.probabilities


def enumerate_at(problem: Problem, s: Schedule, w: float) -> Enumerated:
    """Every inner path with its product of Hessian factors; the batches of Hessians and outer gradients are summed."""
    alpha, N, tasks, one = float(s.alpha), int(s.N), problem.number_of_tasks, np.ones(1)
    (inner, p), (hessians, p_D), (outer, p_T) = (batches(problem, size) for size in (s.S, s.D, s.T))
    exact = adapt(np.full((tasks, 1), w), alpha, [problem.inner] * N)
    x, probability = np.full((1, tasks, 1), w), np.ones(1)
    factor, factor_squared = np.ones((1, tasks)), np.ones((1, tasks))
    deviation, squared = [], []
    for j in range(N):
        factor = factor * (1 - alpha * problem.inner.hvp(x, one)[..., 0])
        single = (1 - alpha * hessians.hvp(x[:, None], one)[..., 0]) ** 2
        factor_squared = factor_squared * np.einsum("pmt,m->pt", single, p_D)
        x = (x[:, None] - alpha * inner.gradient(x[:, None])).reshape(-1, tasks, 1)
        probability = np.outer(probability, p).ravel()
        factor, factor_squared = (np.repeat(f, len(p), axis=0) for f in (factor, factor_squared))
        off = np.abs(x - exact[j + 1])[..., 0]
        deviation.append(probability @ off)
        squared.append(probability @ off**2)
    mean = probability @ (factor * problem.outer.gradient(x)[..., 0])
    end = np.einsum("pmt,m->pt", outer.gradient(x[:, None])[..., 0] ** 2, p_T)
    start = np.full((1, 1), w)
    meta = meta_gradient(start, alpha, N, problem.inner, problem.outer)[:, 0]
    square = probability @ (factor_squared * end)
    return Enumerated(deviation, squared, mean, square, problem.inner.gradient(start)[:, 0], meta)


def stepsizes(N: int) -> dict[str, float]:
    return {"recommended": 1 / (8 * N), "near cap": 0.9 * (2 ** (1 / (2 * N)) - 1), "fixed": 0.25}


def build(name: str, N: int, rule: str, **fields: int) -> tuple[Problem, Schedule]:
    problem = families()[name].build(N, stepsizes(N)[rule])
    return problem, Schedule(N=N, alpha=stepsizes(N)[rule] / problem.constants.L, **fields)


def exact_probes(problem: Problem, count: int) -> list[float]:
    return [float(w) for w in problem.probes(count, np.random.default_rng(0))[:, 0]]


RULES = list(stepsizes(1))


@pytest.mark.parametrize("name", ["saddle-noise", "saddle-hessian-noise"])
@pytest.mark.parametrize(("N", "S"), [(1, 1), (1, 4), (3, 3), (5, 1)])
@pytest.mark.parametrize("rule", RULES)
def test_saddle_attains_deviation_in_mean_square(name: str, N: int, S: int, rule: str) -> None:
    problem, s = build(name, N, rule, S=S)
    c, j = problem.constants, np.arange(1.0, N + 1)
    for w in exact_probes(problem, 3):
        measured = np.array(enumerate_at(problem, s, w).deviation_squared)[:, 0]
        np.testing.assert_allclose(measured, deviation_squared_bound(c, s, j), rtol=1e-11)
    if N > 1:
        assert measured[-1] > N * s.alpha**2 * c.sigma_g**2 / S * 1.05
    if S > 1:
        assert measured[-1] > deviation_squared_bound(c, replace(s, S=S**2), N) * 1.5


@pytest.mark.parametrize("rule", RULES)
def test_saddle_attains_deviation_in_mean_at_one_step_and_needs_the_root_of_s(rule: str) -> None:
    problem, s = build("saddle-noise", 1, rule)
    assert enumerate_at(problem, s, 0.0).deviation[0][0] == pytest.approx(deviation_bound(problem.constants, s, 1))
    s = replace(s, S=4)
    measured = enumerate_at(problem, s, 0.0).deviation[0][0]
    assert measured == pytest.approx(0.75 * deviation_bound(problem.constants, s, 1))
    assert measured > deviation_bound(problem.constants, replace(s, S=16), 1)


@pytest.mark.parametrize(("N", "S", "D", "T"), [(1, 1, 1, 1), (1, 3, 2, 4), (3, 2, 3, 4)])
@pytest.mark.parametrize("rule", RULES)
def test_saddle_with_hessian_noise_attains_the_second_moment(N: int, S: int, D: int, T: int, rule: str) -> None:
    problem, s = build("saddle-hessian-noise", N, rule, S=S, D=D, T=T)
    c = problem.constants
    for w in exact_probes(problem, 2):
        at = enumerate_at(problem, s, w)
        measured, norm = at.square[0], abs(at.gradient[0])
        bound = task_second_moment_bound(c, s, norm)
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
            assert measured > task_second_moment_bound(wrong_c, wrong_s, norm) * (1 + 1e-6), name


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
@pytest.mark.parametrize("S", [1, 3, 4])
def test_the_edge_of_a_well_attains_the_bias_of_one_step(rule: str, S: int) -> None:
    problem, s = build("well-edge", 1, rule, S=S)
    at = enumerate_at(problem, s, exact_probes(problem, 1)[0])
    assert abs(at.mean - at.meta_gradient)[0] == pytest.approx(task_bias_one_step(problem.constants, s), rel=1e-9)


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


def stepsize_moments(problem: Problem, s: Schedule, w: float) -> tuple[float, float]:
    """`E[1/L̂] L_w` and `E[1/L̂²] L_w²` at `w`, over all draws of `B'` tasks with `D_L = 1` datum each."""
    assert isinstance(problem.noise, FiniteNoise)
    data, probabilities = batches(problem, 1)
    norms = np.abs(data.gradient(np.full((1, 1), w))[..., 0])
    joint = np.broadcast_to(probabilities[:, None] / problem.number_of_tasks, norms.shape)
    size, which = np.unique(norms.round(9), return_inverse=True)
    law = np.asarray(np.bincount(which.ravel(), weights=joint.ravel()), dtype=np.float64)
    support = multinomial_support(law, int(s.B_prime))
    L_hat = meta_smoothness(problem.constants, s, support.weights @ size)
    L_w = meta_smoothness(problem.constants, s, np.abs(problem.outer.gradient(np.full((1, 1), w))).mean())
    return float(support.probabilities @ (L_w / L_hat)), float(support.probabilities @ (L_w / L_hat) ** 2)


@pytest.mark.parametrize("N", [1, 2, 5, 20])
@pytest.mark.parametrize("rule", RULES)
def test_two_point_noise_attains_lambda_and_few_steep_tasks_need_b_prime(N: int, rule: str) -> None:
    problem, s = build("two-point-stepsize", N, rule, B_prime=8)
    c, (left, right) = problem.constants, exact_probes(problem, 2)
    first, _ = stepsize_moments(problem, s, left)
    assert first == pytest.approx(moment_lambda(c, s), rel=1e-7)
    assert first < 0.95
    assert moment_lambda(c, s) == pytest.approx(1 / 1.1)
    _, second = stepsize_moments(problem, s, right)
    assert second <= moment_kappa(c, s)
    assert second > moment_kappa(c, replace(s, B_prime=64))
    assert second > 10


@pytest.mark.parametrize("N", [1, 2, 5, 20])
@pytest.mark.parametrize("rule", RULES)
def test_two_point_tasks_are_within_a_factor_two_of_kappa_and_attain_the_sharper_one(N: int, rule: str) -> None:
    problem, s = build("two-point-tasks", N, rule)
    c = problem.constants
    _, second = stepsize_moments(problem, s, exact_probes(problem, 1)[0])
    assert 0.54 * moment_kappa(c, s) < second <= moment_kappa(c, s)
    assert 0.99 * kappa_sharper(c, s) < second <= kappa_sharper(c, s)
    larger = two_point_tasks(N, stepsizes(N)[rule], L=0.6, rho=4.1, tasks=64)
    s = replace(s, alpha=stepsizes(N)[rule] / 0.6)
    _, second = stepsize_moments(larger, s, exact_probes(larger, 1)[0])
    assert 0.998 * kappa_sharper(larger.constants, s) < second <= kappa_sharper(larger.constants, s)
