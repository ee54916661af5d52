"""Where algorithms come that start in a region: constants must hold there too."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from problems.user.rows import Rows, every_task
from theory.loss import Array, Loss
from theory.maml import adapt, mean_over_tasks, meta_gradient

PATH_STEPS = (1, 2, 4, 8, 16, 32)
META_STEPS, EVERY = 48, 4


@dataclass(frozen=True)
class Visits:
    """Points of inner paths, each of its task, and every fourth meta iterate (m, d), which meets all tasks."""

    paths: Rows
    iterates: Array

    def rows(self, tasks: int) -> Rows:
        """All points, with each task that meets them."""
        return self.paths.joined(every_task(self.iterates, tasks))


def visit(inner: Loss, outer: Loss, tasks: int, starts: Array, L: float) -> Visits:
    """Follow inner paths of stepsize 1/(4L) from `starts` (P, d), and exact MAML of meta stepsize 1/L from the first.

    These stepsizes are larger than the theorems', so the paths lead farther. What is not finite is left out.
    """
    with np.errstate(all="ignore"):
        w = np.broadcast_to(starts[:, None], (len(starts), tasks, starts.shape[1]))
        path = adapt(w, 1 / (4 * L), [inner] * PATH_STEPS[-1])
        iterates = [starts[:1]]
        for _ in range(META_STEPS):
            gradient = meta_gradient(iterates[-1][:, None], 1 / (8 * L), 1, inner, outer)
            iterates.append(iterates[-1] - mean_over_tasks(gradient) / L)
    points = np.concatenate([path[j].reshape(-1, starts.shape[1]) for j in PATH_STEPS])
    paths = Rows(points, np.tile(np.arange(tasks), len(points) // tasks))
    kept = np.concatenate(iterates[EVERY::EVERY])
    return Visits(paths.finite(), kept[np.isfinite(kept).all(axis=1)])
