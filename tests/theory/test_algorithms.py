"""Algorithm 1, Algorithm 2 and exact MAML: what they compute, what they count, how they fail."""

from dataclasses import fields, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from problems.convex_quadratic import IsotropicQuadratic
from problems.noise import DataNoise
from problems.problem import Problem
from problems.registry import families
from theory.algorithms import Trajectory, run
from theory.constants import Schedule
from theory.loss import Loss, TaskIndex
from theory.maml import mean_over_tasks, meta_gradient, meta_objective, stochastic_meta_gradient
from theory.paper import Paper


class Noiseless(DataNoise):
    """Every minibatch is the population loss: a batch of everything."""

    def __init__(self, population: Loss) -> None:
        self.population = population

    def minibatch(self, tasks: TaskIndex, size: int, rng: np.random.Generator) -> Loss:
        return self.population.take(tasks)


class ListedDraws:
    """Stands for a generator: hands out the listed task draws, one a call."""

    def __init__(self, *draws: npt.NDArray[np.intp]) -> None:
        self.draws = list(draws)

    def integers(self, high: int, size: tuple[int, int]) -> npt.NDArray[np.intp]:
        draw = self.draws.pop(0)
        assert draw.shape == size
        assert draw.max() < high
        return draw


def build(name: str) -> Problem:
    return families()[name].build(2, 0.2)


def schedule(problem: Problem, **changes: Any) -> Schedule:
    fields = {"N": 2, "alpha": 0.2 / problem.constants.L, "C_beta": 3.0, "B": 3, "S": 2, "D": 4, "T": 5, "K": 6}
    return Schedule(**{**fields, "B_prime": 2, "D_L": 3, **changes})


def execute(algorithm: Any, problem: Problem, s: Schedule, seed: int = 61, **options: Any) -> Trajectory:
    return run(algorithm, problem, problem.constants, s, problem.start, np.random.default_rng(seed), **options)


def assert_same(one: Trajectory, other: Trajectory) -> None:
    for field in fields(Trajectory):
        if not field.name.endswith("_calls"):
            np.testing.assert_allclose(getattr(one, field.name), getattr(other, field.name), rtol=1e-11, atol=1e-13)


def test_algorithm_1_on_batches_of_everything_is_algorithm_2() -> None:
    problem = build("softmax-bandit")
    noiseless = replace(problem, noise=Noiseless(problem.inner))
    s = schedule(problem)
    resampling, finite_sum = (execute(case, noiseless, s, replicas=3) for case in ("resampling", "finite-sum"))
    assert_same(resampling, finite_sum)


def test_every_algorithm_is_exact_maml_on_one_task_without_noise() -> None:
    problem = build("softmax-bandit")
    single = problem.inner.take(np.array([1]))
    only = replace(problem, inner=single, outer=single, number_of_tasks=1, noise=Noiseless(single))
    exact, finite_sum, resampling = (
        execute(case, only, schedule(problem)) for case in ("exact", "finite-sum", "resampling")
    )
    assert_same(exact, finite_sum)
    assert_same(exact, resampling)


def test_stochastic_meta_gradient_without_noise_is_the_meta_gradient_of_each_task() -> None:
    problem = build("rotated-cosine")
    noiseless, rng = Noiseless(problem.inner), np.random.default_rng(0)
    chosen, w = np.arange(problem.number_of_tasks), problem.probes(4, np.random.default_rng(62))[:, None]
    actual = stochastic_meta_gradient(
        w, 0.1, 3, chosen, (2, 2, 2), lambda tasks, size: noiseless.minibatch(tasks, size, rng)
    )
    expected = meta_gradient(w, 0.1, 3, problem.inner, problem.outer)
    np.testing.assert_allclose(actual, expected, rtol=1e-11, atol=1e-13)


def test_every_step_of_algorithm_1_has_batches_of_its_own() -> None:
    """Quadratics of unequal curvature, one a batch: for N = 2, two of size S, one of size T and two of size D."""
    curvature, centre = np.array([0.7, -1.1, 0.4, 1.6, -0.3]), np.array([0.2, -0.5, 0.9, 0.1, -0.8])
    batches = [IsotropicQuadratic(np.array([h]), np.array([[c]])) for h, c in zip(curvature, centre, strict=True)]
    of_size = {2: batches[:2], 5: batches[2:3], 4: batches[3:]}
    alpha, w = 0.3, 1.4
    actual = stochastic_meta_gradient(
        np.array([[w]]), alpha, 2, np.array([0]), (2, 4, 5), lambda tasks, size: of_size[size].pop()
    )
    for k in (1, 0):
        w -= alpha * curvature[k] * (w - centre[k])
    expected = (1 - alpha * curvature[3:]).prod() * curvature[2] * (w - centre[2])
    np.testing.assert_allclose(actual, [[expected]], rtol=1e-14)
    assert not any(of_size.values())


def test_algorithm_2_is_unbiased_over_all_task_draws() -> None:
    """All pairs of tasks, one a replica: the mean of the first steps is the exact step."""
    problem = build("welsch")
    n = problem.number_of_tasks
    pairs = np.stack(np.meshgrid(np.arange(n), np.arange(n)), axis=-1).reshape(-1, 2)
    rng: Any = ListedDraws(pairs, np.zeros((n * n, 1), dtype=np.intp))
    s, beta = schedule(problem, B=2, B_prime=1, K=1), 0.7
    trajectory = run(
        "finite-sum", problem, problem.constants, s, problem.start, rng, replicas=n * n, meta_stepsize=beta
    )
    estimates = (problem.start - trajectory.points[:, 1]) / beta
    exact = mean_over_tasks(meta_gradient(problem.start[None], float(s.alpha), int(s.N), problem.inner, problem.outer))
    np.testing.assert_allclose(estimates.mean(axis=0), exact, rtol=1e-12, atol=1e-14)
    assert np.ptp(estimates, axis=0).min() > 1e-3


def test_algorithm_2_weights_each_task_by_how_often_it_is_drawn() -> None:
    """Six draws of four tasks, some of them never and some thrice, in each replica others."""
    problem = build("geman-mcclure")
    chosen, for_stepsize = np.random.default_rng(5).integers(4, size=(2, 8, 6))
    for_stepsize = for_stepsize[:, :5]
    rng: Any = ListedDraws(chosen, for_stepsize)
    s = schedule(problem, B=6, B_prime=5, K=1, C_beta=2.0)
    trajectory = run("finite-sum", problem, problem.constants, s, problem.start, rng, replicas=8)
    alpha, w = float(s.alpha), problem.start[None]
    each = meta_gradient(w, alpha, int(s.N), problem.inner, problem.outer)
    norms = np.linalg.norm(problem.outer.gradient(w), axis=-1)
    L_hat = Paper(problem.constants, s).L_w(norms[for_stepsize].mean(axis=1))
    step = each[chosen].mean(axis=1) / (2.0 * L_hat[:, None])
    np.testing.assert_allclose(trajectory.smoothness_estimate[:, 0], L_hat, rtol=1e-14)
    np.testing.assert_allclose(problem.start - trajectory.points[:, 1], step, rtol=1e-12, atol=1e-15)


@pytest.mark.parametrize("N", [0, 1, 4])
def test_oracle_calls_are_those_of_the_paper(N: int) -> None:
    B, S, D, T, B_prime, D_L, K = 3, 2, 4, 5, 7, 6, 3
    sizes = {"N": N, "B": B, "S": S, "D": D, "T": T, "B_prime": B_prime, "D_L": D_L, "K": K}
    bandit, regression = build("softmax-bandit"), build("geman-mcclure")
    counted = execute("resampling", bandit, schedule(bandit, **sizes), replicas=2)
    assert counted.gradient_calls == K * (B * (N * S + T) + B_prime * D_L)
    assert counted.hessian_calls == K * B * N * D
    train, test, tasks = regression.train_size, regression.test_size, regression.number_of_tasks
    counted = execute("finite-sum", regression, schedule(regression, **sizes), replicas=2)
    assert counted.gradient_calls == K * (B * (N * train + test) + B_prime * test)
    assert counted.hessian_calls == K * B * N * train
    counted = execute("exact", regression, schedule(regression, **sizes), replicas=2)
    assert counted.gradient_calls == K * tasks * (N * train + 2 * test)
    assert counted.hessian_calls == K * tasks * N * train


@pytest.mark.parametrize(("algorithm", "name"), [("exact", "welsch"), ("resampling", "rotated-cosine")])
def test_the_trajectory_records_what_the_theorems_speak_of(algorithm: str, name: str) -> None:
    problem = build(name)
    s = schedule(problem)
    trajectory = execute(algorithm, problem, s, replicas=2)
    alpha, N, K = float(s.alpha), int(s.N), int(s.K)
    w = trajectory.points[1, K - 1][None]
    exact = mean_over_tasks(meta_gradient(w, alpha, N, problem.inner, problem.outer))
    np.testing.assert_allclose(trajectory.gradient_norm[1, K - 1], np.linalg.norm(exact), rtol=1e-12)
    mean_norm = np.linalg.norm(problem.outer.gradient(w), axis=-1).mean()
    np.testing.assert_allclose(trajectory.smoothness[1, K - 1], Paper(problem.constants, s).L_w(mean_norm), rtol=1e-12)
    last = meta_objective(trajectory.points[1, K][None], alpha, N, problem.inner, problem.outer).mean()
    np.testing.assert_allclose(trajectory.objective[1, K], last, rtol=1e-12)
    np.testing.assert_allclose(trajectory.meta_stepsize, 1 / (3.0 * trajectory.smoothness_estimate), rtol=1e-14)
    np.testing.assert_allclose(trajectory.mean_gradient_norm, trajectory.gradient_norm.mean(axis=1))
    so_far = trajectory.mean_gradient_norm_so_far
    np.testing.assert_allclose(so_far[:, 1], trajectory.gradient_norm[:, :2].mean(axis=1), rtol=1e-14)
    np.testing.assert_allclose(so_far[:, -1], trajectory.mean_gradient_norm, rtol=1e-14)
    if algorithm == "exact":
        np.testing.assert_allclose(trajectory.smoothness_estimate, trajectory.smoothness, rtol=1e-13)
        assert (np.diff(trajectory.objective, axis=1) < 0).all()
    else:
        assert not np.allclose(trajectory.smoothness_estimate, trajectory.smoothness)


def test_replicas_of_exact_maml_do_not_touch_each_other() -> None:
    problem = build("geman-mcclure")
    starts = problem.probes(3, np.random.default_rng(63))
    s, rng = schedule(problem), np.random.default_rng(0)
    together = run("exact", problem, problem.constants, s, starts, rng)
    for r, start in enumerate(starts):
        alone = run("exact", problem, problem.constants, s, start, rng)
        np.testing.assert_allclose(together.points[r], alone.points[0], rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize(("algorithm", "name"), [("finite-sum", "welsch"), ("resampling", "softmax-bandit")])
def test_replicas_draw_independently(algorithm: str, name: str) -> None:
    """First steps of neighbouring replicas are uncorrelated, within five standard errors."""
    problem = build(name)
    R = 2000
    trajectory = execute(algorithm, problem, schedule(problem, K=1), replicas=R, meta_stepsize=1.0)
    step = trajectory.points[:, 1] - trajectory.points[:, 1].mean(axis=0)
    correlation = (step[1:] * step[:-1]).sum() / (step**2).sum()
    assert np.abs(step).max() > 0
    assert abs(correlation) < 5 / np.sqrt(R)


def test_equal_seeds_give_equal_runs_and_unequal_seeds_do_not() -> None:
    problem = build("softmax-bandit")
    s = schedule(problem)
    one, same, other = (execute("resampling", problem, s, seed=seed) for seed in (64, 64, 65))
    np.testing.assert_array_equal(one.points, same.points)
    assert not np.allclose(one.points, other.points)


@pytest.mark.parametrize("algorithm", ["exact", "finite-sum"])
def test_divergence_is_reported_without_warnings_or_nan(algorithm: str) -> None:
    """A fixed stepsize that is far too large overflows; the replica that starts at the fixed point stays there."""
    problem = build("opposed-curvature-quadratic")
    starts = np.stack([problem.start, 0 * problem.start])
    K = 400
    s = schedule(problem, K=K)
    rng = np.random.default_rng(66)
    trajectory = run(algorithm, problem, problem.constants, s, starts, rng, meta_stepsize=50.0)
    step = int(trajectory.diverged_at[0])
    assert 1 < step < K
    assert trajectory.describe(0) == f"diverged at step {step}"
    assert trajectory.diverged_at[1] == -1
    assert trajectory.describe(1) == f"‖∇L‖ = 0 after {K} steps"
    for field in fields(Trajectory):
        assert not np.isnan(getattr(trajectory, field.name)).any(), field.name
    assert np.isfinite(trajectory.points).all()
    assert np.isfinite(trajectory.gradient_norm[0, :step]).all()
    assert np.isinf(trajectory.gradient_norm[0, step:]).all()
    assert np.isinf(trajectory.objective[0, step:]).all()
    assert (trajectory.points[0, step:] == trajectory.points[0, step]).all()


def two_quadratics(*curvature: float) -> Problem:
    """Quadratic tasks around (0, 0) and around (1, 1)."""
    loss = IsotropicQuadratic(np.array(curvature), np.array([[0.0, 0.0], [1.0, 1.0]]))
    return replace(build("opposed-curvature-quadratic"), inner=loss, outer=loss, number_of_tasks=2)


def test_a_replica_that_has_diverged_stays_so() -> None:
    """The first draw, of the second task, carries it out of float64; the next ones, of the first, would leave it."""
    first, second = np.array([[0]]), np.array([[1]])
    rng: Any = ListedDraws(second, first, first, first, first, first)
    problem = two_quadratics(1.0, 1e10)
    s = schedule(problem, N=1, alpha=0.0, K=3, B=1, B_prime=1)
    trajectory = run("finite-sum", problem, problem.constants, s, np.zeros(2), rng, meta_stepsize=1e300)
    assert trajectory.diverged_at[0] == 0
    assert np.isinf(trajectory.gradient_norm).all()
    assert np.isinf(trajectory.objective).all()
    assert (trajectory.points == 0).all()


def test_an_objective_without_a_value_is_infinite() -> None:
    """Gradients are finite there, but the two losses are ∞ and −∞."""
    problem = two_quadratics(1e-10, -3e-10)
    s = schedule(problem, N=1, alpha=0.0, K=1)
    rng = np.random.default_rng(67)
    trajectory = run("exact", problem, problem.constants, s, np.array([1e160, 0.0]), rng, meta_stepsize=0.0)
    assert trajectory.diverged_at[0] == -1
    np.testing.assert_allclose(trajectory.gradient_norm, 1e150)
    assert (trajectory.objective == np.inf).all()


def test_the_meta_stepsize_can_be_fixed() -> None:
    problem = build("quadratic")
    trajectory = execute("exact", problem, schedule(problem), meta_stepsize=0.31)
    assert (trajectory.meta_stepsize == 0.31).all()
    exact = mean_over_tasks(
        meta_gradient(problem.start[None], 0.2 / problem.constants.L, 2, problem.inner, problem.outer)
    )
    np.testing.assert_allclose(trajectory.points[0, 1], problem.start - 0.31 * exact, rtol=1e-13)


BAD_INPUT = [
    ({"algorithm": "sgd"}, "algorithm = 'sgd' is not allowed: algorithm must be one of "),
    ({"start": np.zeros((1, 1, 3))}, r"start of shape \(1, 1, 3\) is not allowed: start must be finite, of shape "),
    ({"start": np.zeros((5, 2))}, r"start of shape \(5, 2\) is not allowed: start must be finite, of shape \(3,\) or "),
    ({"start": np.array([0.0, np.nan, 0.0])}, "is not allowed: start must be finite"),
    ({"meta_stepsize": -0.5}, "meta_stepsize = -0.5 is not allowed: meta_stepsize must be a finite number >= 0"),
    ({"meta_stepsize": np.nan}, "meta_stepsize = nan is not allowed"),
    ({"replicas": 0}, "replicas = 0 is not allowed: replicas must be an integer >= 1"),
]


@pytest.mark.parametrize(("change", "message"), BAD_INPUT)
def test_bad_input_is_one_line_that_names_it(change: dict[str, Any], message: str) -> None:
    problem = build("softmax-bandit")
    arguments: dict[str, Any] = {"algorithm": "exact", "start": problem.start, **change}
    with pytest.raises(ValueError, match=message) as caught:
        run(tasks=problem, c=problem.constants, s=schedule(problem), rng=np.random.default_rng(0), **arguments)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("field", "value"), [("N", -1), ("N", 0.5), ("B", 0), ("S", 0), ("K", 0), ("alpha", -1.0), ("C_beta", 0.0)]
)
def test_a_bad_schedule_is_one_line_that_names_it(field: str, value: float) -> None:
    with pytest.raises(ValueError, match=rf"^{field} = {value:g} is not allowed: {field} must be "):
        schedule(build("softmax-bandit"), **{field: value})


@pytest.mark.parametrize("name", ["N", "alpha", "B", "S", "D", "T", "B_prime", "D_L", "K"])
def test_a_run_has_one_schedule(name: str) -> None:
    problem = build("softmax-bandit")
    with pytest.raises(ValueError, match=rf"^{name} = \[1. 2.\] is not allowed: {name} of a run must be one number$"):
        execute("exact", problem, schedule(problem, **{name: np.array([1.0, 2.0])}))


def test_algorithm_1_needs_data_noise() -> None:
    with pytest.raises(ValueError, match="problem welsch has no data noise: Algorithm 1 needs the resampling case"):
        execute("resampling", build("welsch"), schedule(build("welsch")))
