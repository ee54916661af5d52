"""Attacks: the largest ratio of what is measured to its bound, over points, pairs of points, or anything else."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, TypeAlias

import numpy as np

from problems.registry import family
from theory.loss import Array
from theory.norm import norm
from verify.cell import Cell, Effort, alpha_L
from verify.claim import Way
from verify.evidence.evolution import evolve
from verify.shared import shared
from verify.verdict import Finding, Measured, Values

Evaluate: TypeAlias = Callable[[Values], Measured]
"""Points (P, n) ↦ what is measured there, arrays (P, ...)."""
Measure: TypeAlias = Callable[..., Measured]
"""The cell, then points by the names that an attack gives them ↦ what is measured there."""

POPULATION = 32
NEAREST, FARTHEST = -6.0, 0.5  # powers of ten of the problem's scale between which ‖w − u‖ starts
RELATIVES, SPREAD = 2, 0.5
"""Members of an instance's family on which a bound must be attained too, and by how many powers of ten they differ."""


@dataclass(frozen=True)
class Attack(Way):
    """Maximise measured/bound over what the decorated function takes besides the cell.

    It gets points (P, 1, d), which meet all tasks, and gives what is measured for each, or for each of their tasks and
    steps (P, ...), of which the worst counts.

    Attributes
    ----------
    starts : the cell, and what names the attack in it ↦ where the search begins, (P, n).
    decode : the cell, and coded points (P, n) ↦ the arguments by name, arrays (P, ...): the witness of a finding.
    parts : labels of the parts of the claim, told to the function as `part`, and from which N on each says something;
        none where the claim is one inequality. They key the draws.
    """

    starts: Callable[..., Values]
    decode: Callable[[Cell, Values], Mapping[str, Array]]
    parts: Mapping[str, int] = field(default_factory=dict)

    def of(self, parts: Mapping[str, int]) -> Attack:
        """The same for a claim of several parts."""
        return replace(self, parts=parts)

    def findings(self, cell: Cell, measure: Measure) -> Iterator[Finding]:
        """Attack each part that says something at the cell's N."""
        if not self.parts:
            yield self.largest(cell, measure)
        for label, least in self.parts.items():
            if least <= cell.N:
                yield self.largest(cell, partial(measure, part=label) if label else measure, label)

    def largest(self, cell: Cell, measure: Measure, *label: str) -> Finding:
        """Return the finding with the largest ratio that is met."""

        def attack() -> Finding:
            search = cell.rng("attack", *label)
            return maximise(
                lambda coded: measure(cell, **self.decode(cell, coded)), self.starts(cell, *label), cell.effort, search
            )

        finding = shared(cell, attack, cell.claim, cell.effort, cell.formula, *cell.changes.items(), *label)
        found = self.decode(cell, np.asarray(finding.witness["point"])[None])
        return replace(finding, label="".join(label), witness={name: _plain(value[0]) for name, value in found.items()})

    def relatives(self, cell: Cell) -> Iterator[tuple[Cell, dict[str, float]]]:
        """The cell, and such as have other free parameters of the same instance."""
        yield cell, {}
        known, rng = family(cell.problem_name), cell.rng("free parameters")
        for _ in range(RELATIVES):
            free = {name: default * 10 ** rng.uniform(-SPREAD, SPREAD) for name, default in known.free.items()}
            yield replace(cell, problem=known.build(cell.N, alpha_L(cell.rule, cell.N), **free)), free


def _plain(value: Array) -> object:
    """One argument for a witness; the axis of tasks is left out where all of them meet the same point."""
    return (value[0] if value.ndim == 2 and len(value) == 1 else value).tolist()


def starts(cell: Cell, label: str = "") -> Values:
    """The problem's own starting point, then its random probes: (P, d)."""
    random = cell.problem.probes(cell.effort.probes - 1, cell.rng("probes"))
    return np.concatenate([cell.problem.start[None], random])


def pairs(cell: Cell, label: str = "") -> Values:
    """`(w, v, e)` (P, 2d + 1), at distances of all magnitudes: `u = w + 10^e scale v/‖v‖`."""
    w, rng = starts(cell), cell.rng("pairs", label)
    direction = rng.normal(size=w.shape)
    exponent = rng.uniform(NEAREST, FARTHEST, size=(len(w), 1))
    return np.concatenate([w, direction, exponent], axis=1)


def decode_pairs(cell: Cell, coded: Values) -> dict[str, Array]:
    """Points `w` and `u` (P, 1, d)."""
    d = cell.problem.dim
    w, direction, exponent = coded[:, :d], coded[:, d:-1], coded[:, -1:]
    # Farther pairs say little about local constants, and a problem that is regular only near its probes has none there.
    distance = 10 ** np.minimum(exponent, FARTHEST) * cell.problem.scale
    u = w + distance * direction / norm(direction)[:, None]
    return {"w": w[:, None], "u": u[:, None]}


attack_points = Attack(starts, lambda cell, coded: {"w": coded[:, None]}, {"": 0})
attack_pairs = Attack(pairs, decode_pairs, {"": 0})


def worst_of(measured: Measured) -> Measured:
    """Of arrays (P, ...), the entry with the largest ratio, for each of the P points."""
    value, bound, slack = map(np.asarray, measured)
    if not value.shape == bound.shape == slack.shape:
        value, bound, slack = np.broadcast_arrays(value, bound, slack)
    if value.ndim == 1:
        return Measured(value, bound, slack)
    columns = [x.reshape(len(x), -1) for x in (value, bound, slack)]
    at = np.argmax(Measured(*columns).ratio(), axis=1)
    points = np.arange(len(at))
    return Measured(*(x[points, at] for x in columns))


def worst(evaluate: Evaluate, points: Values) -> tuple[Finding, Values]:
    """Return the finding at the point of `points` (P, n) with the largest ratio, and all ratios (P,)."""
    measured = worst_of(evaluate(points))
    ratio = measured.ratio()
    at = int(np.argmax(ratio))
    value, bound, slack = (float(np.asarray(x)[at]) for x in measured)
    witness = {"point": points[at].tolist()}
    return Finding(measured=value, bound=bound, slack=slack, samples=len(points), witness=witness), ratio


def maximise(evaluate: Evaluate, starts: Values, effort: Effort, rng: np.random.Generator) -> Finding:
    """Maximise measured/bound over points, from random starts.

    Parameters
    ----------
    evaluate : batched evaluation of the claim at points (P, n).
    starts : (P, n) probes; the search box is theirs, widened by half on each side.
    effort : number of generations (0: the probes only) and of simplex evaluations at the end.
    rng : the source of the search's randomness.

    Returns
    -------
    The finding with the largest ratio that was met, with the point as its witness.
    """
    finding, ratio = worst(evaluate, starts)
    if effort.attack == 0 or len(starts) < 5:
        return finding
    best = np.argsort(-ratio, kind="stable")[:POPULATION]
    low, high = starts.min(axis=0), starts.max(axis=0)
    margin = 0.5 * (high - low) + 1e-9
    box = low - margin, high + margin
    examined, largest = len(starts), float(ratio.max())

    def objective(points: Values) -> Values:
        nonlocal finding, examined, largest
        candidate, ratios = worst(evaluate, points)
        examined += len(points)
        if ratios.max() > largest:
            finding, largest = candidate, float(ratios.max())
        return -np.minimum(ratios, 1e100)  # finite, and so is the variance that the search watches

    evolve(objective, starts[best], box, effort.attack, rng)
    if effort.simplex:
        from scipy import optimize

        simplex_search: Any = optimize.minimize  # the stubs want one type of options
        simplex_search(
            lambda point: float(objective(point[None])[0]),
            np.asarray(finding.witness["point"]),
            method="Nelder-Mead",
            bounds=optimize.Bounds(*box),
            options={"maxfev": effort.simplex},
        )
    return replace(finding, method="attack", samples=examined)
