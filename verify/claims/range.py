"""RANGE (own): a task's meta-gradient keeps to a ball around a multiple of the task's gradient."""

from __future__ import annotations

from theory.loss import Array
from theory.maml import meta_gradient
from theory.norm import norm
from theory.tight import Tight
from verify.cell import Cell
from verify.claim import Mutant, On, claim, own
from verify.evidence.attack import attack_points
from verify.evidence.rounding import extent, meta_gradient_error, unit
from verify.statements import LINK
from verify.verdict import Measured

STRETCH = "Q = q^{2N}, p = Q(1 − x)/(1 + x), x = 2NαL (b = 0) or NαL + q^N − 1, x < 1; in one dimension the larger "
STRETCH += "p = (1 − αL)^{2N} (b = 0) or (1 − αL)^N (2 − q^N)"
CAP = "x < 1, in place of the paper's cap"


def tight(cell: Cell) -> Tight:
    """The tight statements of the cell, those of the line in one dimension."""
    return cell.paper.on_line if cell.problem.dim == 1 else cell.paper


@claim(
    "range",
    LINK,
    "the gradient of a task is stretched by p to Q, and turned little",
    says=(
        "‖∇L_i − ½(Q + p)g_i‖ ≤ ½(Q − p)‖g_i‖ + q^N (q^N − 1)‖d_i‖, g_i = ∇l_{T_i}(w), d_i = g_i − ∇l_{S_i}(w); "
        f"{STRETCH}"
    ),
    source=own("each factor keeps ‖v − Mv/Q‖² ≤ x(‖v‖² − ‖Mv‖²/Q²), and x adds up over factors"),
    assumes=("training and test losses are L-smooth", CAP),
    measured="distance of each task's meta-gradient from the multiple of its gradient, attacked over w, worst task",
    by=attack_points,
    needs=("rho",),
    at=("recommended", "near cap"),
    inner_steps=(1, 2, 5),
    attained=(
        On("saddle", "every factor stretches by q", within=1e-9, at=("near cap",)),
        On(
            "weighted-cusp",
            "on one side every factor stretches by q, on the other by 1 − αL",
            within=1e-9,
            at=("near cap",),
        ),
    ),
    mutants=(
        Mutant("q^N for Q", "saddle", Q=lambda p: p.q(p.N)),
        Mutant("√(pQ) for p", "weighted-cusp", width=lambda p: p.Q - (p.low * p.Q) ** 0.5),
    ),
)
def stretched(cell: Cell, w: Array) -> Measured:
    """Distance of each task's meta-gradient from the multiple of its gradient."""
    problem, p = cell.problem, tight(cell)
    g = problem.outer.gradient(w)
    mismatch = norm(g - problem.inner.gradient(w))
    meta = meta_gradient(w, cell.alpha, cell.N, problem.inner, problem.outer)
    size = extent(problem, w)
    Q, low, width = float(p.Q), float(p.low), float(p.width)
    slack = meta_gradient_error(problem, cell.schedule(), size) + unit(problem) * Q * cell.constants.L * size
    return Measured(norm(meta - (Q + low) / 2 * g), width / 2 * norm(g) + float(p.r_b) * mismatch, slack)
