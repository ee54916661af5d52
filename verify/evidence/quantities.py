"""What claims measure again and again, at points `w` (P, 1, d) that meet all tasks."""

from __future__ import annotations

import numpy as np

from theory.loss import Array
from theory.maml import adapt, meta_gradient, meta_objective
from verify.cell import Cell


def inner_paths(cell: Cell, w: Array) -> Array:
    """Points of the inner path of every task: (P, N + 1, tasks, d)."""
    start = np.broadcast_to(w, (len(w), cell.problem.number_of_tasks, cell.problem.dim))
    return np.stack(adapt(start, cell.alpha, [cell.problem.inner] * cell.N), axis=1)


def meta_gradients(cell: Cell, w: Array) -> Array:
    """Exact meta-gradients `∇L_i(w)` of every task, at `w` (P, ..., 1, d): (P, ..., tasks, d)."""
    return meta_gradient(w, cell.alpha, cell.N, cell.problem.inner, cell.problem.outer)


def meta_objectives(cell: Cell, w: Array) -> Array:
    """`L_i(w)` of every task, at `w` (P, ..., 1, d): (P, ..., tasks)."""
    return meta_objective(w, cell.alpha, cell.N, cell.problem.inner, cell.problem.outer)
