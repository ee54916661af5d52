"""Which known mistake an implementation makes: the candidate that it equals at all cells, up to rounding."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from theory.loss import Array
from verify.implementation.cells import Cell
from verify.implementation.mistakes import OVER_TASKS, PER_TASK

SAFETY = 100
"""Other code may round that much worse than ours. A mistake differs from what is right by 10¹⁰ times as much."""

EXACT = "exact", "this is the meta-gradient of MAML with N inner steps"


@dataclass(frozen=True)
class Diagnosis:
    """What an implementation computes: its `name`, and what that `says` to its author."""

    name: str
    says: str

    @property
    def is_exact(self) -> bool:
        """Whether it is the meta-gradient, in double precision."""
        return self.name == EXACT[0]


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
        return self.distance(returned) / np.linalg.norm(self.vectors, axis=-1)


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
            names, says = (" and ".join(getattr(part, field) for part in mistakes) for field in ("name", "says"))
            yield Candidate(
                Diagnosis(names, says) if mistakes else Diagnosis(*EXACT),
                vectors,
                SAFETY * np.linalg.norm(lost, axis=-1).max(axis=0),
            )


def diagnose(returned: Array, cells: Sequence[Cell]) -> Diagnosis:
    """Say what an implementation computes that returned the vectors `returned` (cells, d) at these cells."""
    each = candidates(cells)
    right = next(each)
    if right.equals(returned, np.float64):
        return right.diagnosis
    known = [right, *each]
    for candidate in known:
        if candidate.equals(returned, np.float64):
            return candidate.diagnosis
    for candidate in known:
        if candidate.equals(returned, np.float32):
            return _in_single_precision(candidate.diagnosis)
    return _unknown(returned, known)


def _in_single_precision(found: Diagnosis) -> Diagnosis:
    mistakes = () if found.is_exact else (found,)
    name = " and ".join([*(mistake.name for mistake in mistakes), "single precision"])
    says = " and ".join([*(mistake.says for mistake in mistakes), "something is computed in float32, or by differences"])
    return Diagnosis(name, says)


def _unknown(returned: Array, known: Sequence[Candidate]) -> Diagnosis:
    apart = [candidate.relative_distance(returned).max() for candidate in known]
    nearest = known[int(np.argmin(apart))].diagnosis.name
    return Diagnosis("unknown", f"no mistake of the catalogue; the nearest is {nearest!r}, up to {min(apart):.2g} apart")
