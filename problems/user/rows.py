"""Points that belong to one task each: what a search over points and tasks goes through."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from theory.loss import Array, TaskIndex


@dataclass(frozen=True)
class Rows:
    """Points `w` (n, d), and the number of the `task` (n,) that each is looked at for."""

    w: Array
    task: TaskIndex

    def finite(self) -> Rows:
        """Those without infinite or undefined coordinates."""
        return self.take(np.flatnonzero(np.isfinite(self.w).all(axis=1)))

    def take(self, index: TaskIndex) -> Rows:
        """Some of them."""
        return Rows(self.w[index], self.task[index])

    def joined(self, other: Rows) -> Rows:
        """Both, one after the other."""
        return Rows(np.concatenate([self.w, other.w]), np.concatenate([self.task, other.task]))


def every_task(points: Array, tasks: int) -> Rows:
    """Each of `points` (P, d) for each of the tasks: P · tasks rows, the tasks of a point side by side."""
    return Rows(points.repeat(tasks, axis=0), np.tile(np.arange(tasks), len(points)))
