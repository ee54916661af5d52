"""LINK, exact (own): on the line no constant of it can be lowered, at any stepsize."""

from __future__ import annotations

import numpy as np

from theory.loss import Array
from theory.norm import inner_product, norm
from verify.cell import Cell, StepsizeRule
from verify.claim import Mutant, On, claim, own
from verify.claims.link import MEAN, linked
from verify.claims.range import CAP, STRETCH, tight
from verify.evidence.attack import attack_points
from verify.statements import LINK
from verify.verdict import Measured

BOTH: tuple[StepsizeRule, ...] = ("recommended", "near cap")
CUSP, ROOT = "weighted-cusp", "root mean square"


@claim(
    "exact link",
    LINK,
    "with the constants that RANGE allows, exact in one dimension",
    says=(
        "‖∇l_T(w)‖ ≤ [(Q + p)G' + (Q − p)√(G'² + pQσ²)]/(2pQ) and √E_i‖∇l_{T_i}(w)‖² ≤ "
        f"[(Q − p)G' + (Q + p)√(G'² + pQσ²)]/(2pQ), G' = ‖∇L(w)‖ + m; {STRETCH}"
    ),
    source=own("RANGE, averaged over tasks"),
    assumes=("training and test losses are L-smooth", "task spread σ", "mismatch b", CAP),
    measured="norm of the mean test gradient, and root mean square of the gradients, attacked over w",
    by=attack_points.of({MEAN: 0, ROOT: 0}),
    needs=("rho", "sigma", "b"),
    at=("recommended",),
    inner_steps=(1, 2, 5),
    attained=(
        On(CUSP, "tasks are stretched by p and by Q in the shares that cancel, as ρ → ∞", within=1e-3, at=BOTH),
        On("weighted-cusp-finite-sum", "the same, with equal training and test losses", within=1e-3, at=BOTH, N=(1,)),
    ),
    sharp="in two dimensions and more open at a fixed α: within 2 % at 1/(8NL), and it tends to equality as α → 0",
    mutants=(
        Mutant("σ 3 % less", CUSP, N=1, rule="recommended", sigma=lambda sigma: 0.97 * sigma),
        Mutant("√(pQ) for p", CUSP, N=1, rule="recommended", width=lambda p: p.Q - (p.low * p.Q) ** 0.5),
    ),
)
def exact_link(cell: Cell, w: Array, part: str) -> Measured:
    """Test gradients beside what the meta-gradient says of them."""
    gradients = cell.problem.outer.gradient(w)
    if part == MEAN:
        return linked(cell, w, norm(gradients.mean(axis=-2)), tight(cell).link_mean)
    mean_square = inner_product(gradients, gradients).mean(axis=-1)
    return linked(cell, w, np.sqrt(mean_square), tight(cell).link_mean_square)
