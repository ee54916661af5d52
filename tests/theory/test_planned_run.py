"""A planned schedule keeps its word when it is run."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import pytest

from theory.algorithms import run
from theory.constants import Constants
from theory.growth import recommended_stepsize
from theory.loss import Array, Loss, TaskIndex
from theory.maml import meta_objective
from theory.planner import plan
from theory.request import Request


@dataclass(frozen=True)
class Centred(Loss):
    """`½(w − c)ᵀ diag(h) (w − c)`, one centre a task; minibatches have centres of their own."""

    curvature: npt.NDArray[np.float64]
    centres: npt.NDArray[np.float64]

    def value(self, w: Array) -> Array:
        return 0.5 * ((w - self.centres) ** 2 * self.curvature).sum(axis=-1)

    def gradient(self, w: Array) -> Array:
        return self.curvature * (w - self.centres)

    def hvp(self, w: Array, v: Array) -> Array:
        return np.broadcast_to(self.curvature * v, np.broadcast_shapes(w.shape, v.shape, self.centres.shape))

    def take(self, tasks: TaskIndex) -> Centred:
        return replace(self, centres=self.centres[tasks])


@dataclass(frozen=True)
class CentredTasks:
    """Three quadratic tasks; data move a task's centre by a Gaussian."""

    inner: Centred
    outer: Centred
    noise: float
    dim: int = 2
    number_of_tasks: int = 3
    train_size: int = 7
    test_size: int = 11

    def minibatch(self, tasks: TaskIndex, size: int, rng: np.random.Generator) -> Centred:
        loss = self.outer.take(tasks)
        moved = self.noise / np.sqrt(size) * rng.normal(size=loss.centres.shape)
        return replace(loss, centres=loss.centres + moved)


CURVATURE = np.array([1.9, 0.6])
TEST_CENTRES = np.array([[0.3, 0.1], [-0.1, 0.2], [-0.2, -0.3]])
SHIFT = np.array([[0.05, 0.0], [0.0, -0.08], [0.02, 0.02]])


@pytest.mark.parametrize(("case", "epsilon"), [("exact", 0.2), ("finite-sum", 0.4), ("resampling", 0.7)])
def test_a_planned_run_is_as_accurate_as_promised(case: str, epsilon: float) -> None:
    outer = Centred(CURVATURE, TEST_CENTRES)
    inner = outer if case == "resampling" else Centred(CURVATURE, TEST_CENTRES + SHIFT)
    tasks = CentredTasks(inner, outer, noise=0.2)
    b_i = np.linalg.norm(CURVATURE * (inner.centres - outer.centres), axis=-1)
    gradients = CURVATURE * TEST_CENTRES
    c = Constants(
        L=1.9,
        rho=0.0,
        sigma=float(np.sqrt(((gradients - gradients.mean(axis=0)) ** 2).sum(axis=-1).mean())),
        sigma_g=float(0.2 * np.linalg.norm(CURVATURE)),
        sigma_H=0.0,
        b=float(b_i.mean()),
        b_sq=float((b_i**2).mean()),
    )
    start = np.array([0.9, -1.4])
    N = 2
    alpha = float(recommended_stepsize(c, N))
    Delta = float(meta_objective(start, alpha, N, inner, outer).mean())  # the losses are ≥ 0
    sizes = {"train_size": 7, "test_size": 11, "number_of_tasks": 3}
    planned = plan(Request(constants=c, N=N, epsilon=epsilon, case=case, Delta=Delta, alpha_min=alpha, **sizes))
    assert planned.schedule.alpha == pytest.approx(alpha, rel=1e-9, abs=0)
    assert planned.schedule.K < 5000
    result = run(case, tasks, planned.request.constants, planned.schedule, start, np.random.default_rng(8), replicas=20)
    assert (result.diverged_at == -1).all()
    mean = result.mean_gradient_norm
    assert mean.mean() + 6 * mean.std() / np.sqrt(20) <= planned.guarantee.bound <= epsilon
    assert mean.mean() > epsilon / 20  # the promise is not idle
    assert (result.gradient_calls, result.hessian_calls) == (
        planned.oracle_calls.gradients,
        planned.oracle_calls.hessians,
    )
