from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest

from problems.differentiable.instances import Instance, instances


@pytest.fixture(params=instances(), ids=lambda instance: instance.name)
def instance(request: pytest.FixtureRequest) -> Instance:
    found: Instance = request.param
    return found


def test_no_count_passes_for_another(instance: Instance) -> None:
    (tasks, train, d), (_, test, _) = instance.train.design.shape, instance.test.design.shape
    assert len({tasks, train, test, d}) == 4
    assert min(tasks, train, test, d) > 1


def test_tasks_are_unequal_and_training_is_unlike_test(instance: Instance) -> None:
    gradients = np.concatenate([loss.gradient(instance.start[None]) for loss in (instance.train, instance.test)])
    size = np.linalg.norm(gradients, axis=1).max()
    assert min(np.linalg.norm(a - b) for a, b in combinations(gradients, 2)) > 0.02 * size


def test_smoothness_bounds_every_hessian_and_least_squares_attain_it(instance: Instance) -> None:
    w = 2 * np.random.default_rng(0).normal(size=(300, 1, 1, 3))
    hessians = instance.train.hvp(w, np.eye(3)[:, None])  # rows: probes, directions, tasks
    largest = np.abs(np.linalg.eigvalsh(hessians.swapaxes(1, 2))).max()
    assert largest <= instance.smoothness * (1 + 1e-12)
    assert largest >= 0.1 * instance.smoothness
    if instance.name == "quadratic":
        assert largest == pytest.approx(instance.smoothness)
