"""Which known mistake an implementation makes: the candidate that it equals at all cells, up to rounding."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
import numpy.typing as npt

from theory.loss import Array
from verify.implementation.cells import Cell
from verify.implementation.mistakes import OVER_TASKS, PER_TASK, OverTasks, PerTask

SAFETY = 100
"""Other code may round that much worse than ours. A mistake differs from what is right by 10¹⁰ times as much."""


@dataclass(frozen=True)
class Diagnosis:
    """What an implementation computes: its `name`, and what that `says` to its author."""

    name: str
    says: str

    @classmethod
    def of(cls, mistakes: Sequence[PerTask | OverTasks | Diagnosis]) -> Self:
        """All these mistakes at once; without any, what is right."""
        if not mistakes:
            return cls("exact", "this is the meta-gradient of MAML with N inner steps")
        return cls(" and ".join(part.name for part in mistakes), "; ".join(part.says for part in mistakes))

    @property
    def is_exact(self) -> bool:
        """Whether it is the meta-gradient, in double precision."""
        return self.name == "exact"


@dataclass(frozen=True)
class Candidate:
    """What an implementation may compute.

    Attributes
    ----------
    diagnosis : what to say if it does.
    vectors : (cells, d) what it returns.
    rounding : (cells,) the distance by which other code may differ in single precision.
    """

    diagnosis: Diagnosis
    vectors: npt.NDArray[np.float64]
    rounding: npt.NDArray[np.float64]

    def tolerance(self, precision: type[np.floating]) -> npt.NDArray[np.float64]:
        """The distance by which other code may differ in this precision, (cells,)."""
        return self.rounding * float(np.finfo(precision).eps / np.finfo(np.float32).eps)

    def equals(self, returned: Array, precision: type[np.floating]) -> bool:
        """Whether the vectors `returned` (cells, d) are these, computed in this precision."""
        return bool((self.distance(returned) <= self.tolerance(precision)).all())

    def distance(self, returned: Array) -> npt.NDArray[np.float64]:
        """Distance of the vectors `returned` (cells, d), (cells,)."""
        return np.asarray(np.linalg.norm(returned - self.vectors, axis=-1))

    def relative_distance(self, returned: Array) -> npt.NDArray[np.float64]:
        """The same over the norms of what it returns itself."""
        return np.asarray(self.distance(returned) / np.linalg.norm(self.vectors, axis=-1))


def candidates(cells: Sequence[Cell]) -> Iterator[Candidate]:
    """Every candidate at these cells, the right one first.

    Rounding is measured, at these very cells: to first order it is proportional to the unit of the precision, so what
    the same formula loses in single precision, from starts that differ by a rounding, tells what it loses in another.
    """
    single = [cell.in_single_precision() for cell in cells]
    for per_task in PER_TASK:
        double_each, single_each = ([per_task.vector(cell) for cell in group] for group in (cells, single))
        for over_tasks in OVER_TASKS:
            vectors = np.stack([over_tasks.combine(each) for each in double_each])
            lost = np.stack([over_tasks.combine(each) for each in single_each], axis=1) - vectors
            mistakes = [part for part in (per_task, over_tasks) if part.name]
            rounding = SAFETY * np.linalg.norm(lost, axis=-1).max(axis=0)
            yield Candidate(Diagnosis.of(mistakes), vectors, rounding)


def diagnose(returned: Array, known: Iterable[Candidate]) -> Diagnosis:
    """Say which of the `known` candidates, computed as far as needed, returns the vectors `returned` (cells, d)."""
    others = []
    for candidate in known:
        if candidate.equals(returned, np.float64):
            return candidate.diagnosis
        others.append(candidate)
    for candidate in others:
        if candidate.equals(returned, np.float32):
            return _in_single_precision(candidate.diagnosis)
    return _unknown(returned, others)


def _in_single_precision(found: Diagnosis) -> Diagnosis:
    single = Diagnosis("single precision", "something is computed in float32, or by differences")
    return Diagnosis.of([single] if found.is_exact else [found, single])


def _unknown(returned: Array, known: Sequence[Candidate]) -> Diagnosis:
    apart = [candidate.relative_distance(returned).max() for candidate in known]
    nearest = known[int(np.argmin(apart))].diagnosis.name
    return Diagnosis("unknown", f"no mistake of the catalogue; the nearest, {nearest!r}, is {min(apart):.2g} off")
