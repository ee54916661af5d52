"""Expectations over all inner paths, one path at a time: independent of the enumeration that the suite uses."""

from dataclasses import dataclass

import numpy as np

from problems.noise import FiniteNoise, batch_support
from problems.problem import Problem
from problems.registry import families
from theory.constants import Real, Schedule
from theory.loss import Array, Loss
from theory.maml import adapt, meta_gradient


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
