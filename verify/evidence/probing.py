"""Attacks on claims about one point `w`, or about two points `w` and `u`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TypeAlias

import numpy as np

from theory.loss import Array
from theory.maml import adapt
from verify.claim import Cell
from verify.evidence.search import Values, attack
from verify.verdict import Finding

Measured: TypeAlias = tuple[Array, Array, Array]
"""Measured value, bound and rounding slack, each (P,)."""

NEAREST, FARTHEST = -6.0, 0.5  # powers of ten of the problem's scale between which ‖w − u‖ starts


def starts(cell: Cell) -> Values:
    """The problem's own starting point, then its random probes: (P, d)."""
    random = cell.problem.probes(cell.effort.probes - 1, cell.rng("probes"))
    return np.concatenate([cell.problem.start[None], random])


def attack_points(cell: Cell, evaluate: Callable[[Cell, Array], Measured], label: str = "") -> Finding:
    """Maximise measured/bound over `w`; `evaluate` gets points (P, 1, d) that meet all tasks.

    The witness is `w`: `evaluate(cell, w)` replays it.
    """
    finding = attack(lambda w: evaluate(cell, w[:, None]), starts(cell), cell.effort, cell.rng("attack", label))
    return replace(finding, label=label, witness={"w": finding.witness["point"]})


def attack_pairs(cell: Cell, evaluate: Callable[[Cell, Array, Array], Measured], label: str = "") -> Finding:
    """Maximise measured/bound over `w` and `u`, from distances of all magnitudes; points are (P, 1, d).

    The search moves `(w, v, e)`, where `u = w + 10^e · scale · v/‖v‖`. The witness is `(w, u)`.
    """
    w = starts(cell)
    rng = cell.rng("pairs", label)
    direction = rng.normal(size=w.shape)
    exponent = rng.uniform(NEAREST, FARTHEST, size=(len(w), 1))
    coded = np.concatenate([w, direction, exponent], axis=1)
    finding = attack(lambda p: evaluate(cell, *decode(cell, p)), coded, cell.effort, cell.rng("attack", label))
    w, u = decode(cell, np.asarray(finding.witness["point"])[None])
    return replace(finding, label=label, witness={"w": w[0, 0].tolist(), "u": u[0, 0].tolist()})


def decode(cell: Cell, points: Values) -> tuple[Array, Array]:
    """Pairs (P, 1, d) that the search's points `(w, v, e)` (P, 2d + 1) stand for."""
    d = cell.problem.dim
    w, direction, exponent = points[:, :d], points[:, d:-1], points[:, -1:]
    # Farther pairs say little about local constants, and a problem that is regular only near its probes has none there.
    u = w + 10 ** np.minimum(exponent, FARTHEST) * cell.problem.scale * direction / np.linalg.norm(
        direction, axis=1, keepdims=True
    )
    return w[:, None], u[:, None]


def inner_paths(cell: Cell, w: Array) -> Array:
    """Points of the inner path from `w` (P, 1, d) for every task: (P, N + 1, tasks, d)."""
    start = np.broadcast_to(w, (len(w), cell.problem.number_of_tasks, cell.problem.dim))
    return np.stack(adapt(start, cell.alpha, [cell.problem.inner] * cell.N), axis=1)


def worst_of(measured: Array, bound: Array, slack: Array) -> Measured:
    """Of arrays (P, ...), the entry with the largest ratio after its slack, for each of the P points."""
    measured, bound, slack = (x.reshape(len(x), -1) for x in np.broadcast_arrays(measured, bound, slack))
    with np.errstate(all="ignore"):
        ratio = np.where(bound > 0, (measured - slack) / bound, np.where(measured > slack, np.inf, 0.0))
    at = np.argmax(np.where(np.isnan(ratio), np.inf, ratio), axis=1)[:, None]
    return tuple(np.take_along_axis(x, at, axis=1)[:, 0] for x in (measured, bound, slack))  # type: ignore[return-value]
