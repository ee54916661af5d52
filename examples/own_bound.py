"""Three bounds of one's own: one that is wrong, one that is right, and one that needs a function of its own.

    python -m verify run --claim examples/own_bound.py --profile quick

finds that *tempting link* is refuted, by a convex quadratic, and that the others are not.
"""

from __future__ import annotations

import numpy as np

from theory.extended import Extended
from theory.loss import Array
from theory.norm import norm
from theory.paper import Paper
from verify import Cell, bound
from verify.claim import claim, own
from verify.evidence.attack import attack_points
from verify.evidence.quantities import inner_paths
from verify.evidence.rounding import extent, point_error, unit
from verify.verdict import Measured


def tempting(p: Paper) -> Extended:
    """`2 − q^N`: wrong, for the meta-gradient is a product of 2N factors."""
    p.require_cap()  # past the stepsize cap it says nothing, as the ledger
    return Extended(1 - p.e(p.N))


bound("link", name="tempting link", says="LINK with 2 − q^N for C_1", C_1=tempting)

# Noise is centred, so the squares of what it adds to a path add up, not what it adds: E‖w_j − w̃_j‖ ≤ δ_j.
bound(
    "deviation mean",
    name="deviation by Jensen",
    says="E‖w_j − w̃_j‖ ≤ ασ_g √((q^{2j} − 1)/((q² − 1)S))",
    formula=lambda p, j: np.sqrt(p.deviation_squared(j)),
)


@claim(
    "last step",
    "MY PAPER",  # a group of its own in the ledger
    "one more inner step changes the gradient by αL of it at most",
    says="‖∇l(w̃_N) − ∇l(w̃_{N−1})‖ ≤ αL q^{N−1} ‖∇l(w)‖",
    source=own("a gradient that is L-Lipschitz, along the last step, and GRADIENT GROWTH"),
    measured="change of the gradient over the last inner step, attacked over w, worst task",
    by=attack_points,
    inner_steps=(1, 2, 5),
    also=("saddle",),
)
def last_step(cell: Cell, w: Array) -> Measured:
    """Change of the gradient over the last step, for each task; `w` is (P, 1, d)."""
    problem, paper, path = cell.problem, cell.paper, inner_paths(cell, w)
    gradients = problem.inner.gradient(path[:, [0, -2, -1]])
    start, before, after = (gradients[:, at] for at in range(3))
    size = extent(problem, w)
    slack = 2 * cell.constants.L * (point_error(problem, cell.schedule(), cell.N, size) + unit(problem) * size)
    return Measured(norm(after - before), float(paper.e(1) * paper.q(cell.N - 1)) * norm(start), slack)
