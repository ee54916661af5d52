"""A larger stepsize cap (own): up to it, the meta-gradient of a task keeps to the side of the task's gradient."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from verify.cell import Cell
from verify.claim import Mutant, claim, own
from verify.evidence.critical import first_failure
from verify.statements import STEPSIZE_CAP
from verify.verdict import EPS, Finding, Values


def kept_to_its_side(x: Values, factors: int) -> npt.NDArray[np.bool_]:
    """Whether `⟨v, Mv⟩ > 0` for up to `factors` symmetric 2 × 2 matrices within `x` (P,) of I that turn v farthest.

    `I + x(2nnᵀ − I)` turns v by `arcsin x`, as far as any such matrix can, where n halves the angle `π/2 + arcsin x`.
    Fewer factors count as well, for the others may be I: so a vector that comes round again has not kept to its side.
    """
    half = (np.pi / 2 + np.arcsin(x)) / 2
    v = np.broadcast_to([1.0, 0.0], (len(x), 2))
    kept = np.ones(len(x), dtype=np.bool_)
    for _ in range(factors):
        angle = np.arctan2(v[:, 1], v[:, 0]) + half
        n = np.stack([np.cos(angle), np.sin(angle)], axis=1)
        v = v + x[:, None] * (2 * n * (n * v).sum(axis=1, keepdims=True) - v)
        kept &= v[:, 0] > 0
    return kept


@claim(
    "larger cap",
    STEPSIZE_CAP,
    "in the resampling case the cap can be sin(π/(4N))/L",
    says="products M of 2N symmetric factors within αL of I have ⟨v, Mv⟩ > 0 for all v ≠ 0 iff α < sin(π/(4N))/L",
    source=own(),
    assumes=("task losses are L-smooth: ∇L_i = M_i ∇l_i with such an M_i",),
    measured="first α at which 2N reflections, each chosen to turn v farthest, turn it by a right angle; by bisection",
    at=("near cap",),
    least_N=1,
    problems=("convex-quadratic",),
    sharp="plane reflections",
    settled="attained",
    mutants=(
        Mutant("π/(4NL), without the sine", "convex-quadratic", larger_cap=lambda p: np.pi / (4 * p.N) / p.L),
        Mutant("the paper's cap", "convex-quadratic", larger_cap=lambda p: p.cap),
    ),
)
def cap_of_products(cell: Cell) -> Iterator[Finding]:
    """Turn a vector by 2N factors."""
    L = cell.constants.L
    found = first_failure(lambda alpha: kept_to_its_side(alpha * L, 2 * cell.N), 0.0, 1 / L)
    yield Finding(
        measured=found.low,
        upper=found.high,
        bound=float(cell.paper.larger_cap),
        slack=found.high - found.low + 16 * cell.N * EPS / L,
        attained=True,
        witness={"alpha": [found.low, found.high]},
    )
