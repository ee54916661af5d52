"""LAST GRADIENT (own): the tasks' gradients where their paths end, beside the meta-gradient."""

from __future__ import annotations

import numpy as np

from theory.loss import Array
from theory.norm import inner_product
from verify.cell import Cell
from verify.claim import Mutant, On, claim, own
from verify.claims.link import linked
from verify.evidence.attack import attack_points
from verify.evidence.quantities import inner_paths
from verify.statements import LINK
from verify.verdict import Measured

PAIR = "saddle-pair"


@claim(
    "last gradient",
    LINK,
    "a small meta-gradient means small task gradients at the ends of the paths",
    says=(
        "√E_i‖∇l_i(w̃_N)‖² ≤ q^N Y, Y = {xe + √((1 − x)e² + (1 − x − x²)(1 − x)σ²)}/(1 − x − x²), "
        "e = (1 + x)‖∇L(w)‖/q^{2N}, x = NαL, x + x² < 1"
    ),
    source=own("RANGE for either half of the 2N factors"),
    assumes=("task losses are L-smooth", "task spread σ", "x + x² < 1"),
    measured="root mean square of the gradients at w̃_N, over q^N, attacked over w",
    by=attack_points,
    cases=frozenset({"resampling"}),
    needs=("rho", "sigma"),
    at=("recommended",),
    inner_steps=(1, 2, 5),
    attained=(On(PAIR, "up to the share x², as NαL → 0", within=0.01, at=("small", "recommended")),),
    mutants=(
        Mutant("σ 3 % less", PAIR, rule="recommended", sigma=lambda sigma: 0.97 * sigma),
        Mutant("a factor q less", PAIR, rule="recommended", last_gradient=lambda p, G: p.last_gradient(G) / p.q(1)),
    ),
)
def last_gradient(cell: Cell, w: Array) -> Measured:
    """Gradients at the ends of the paths."""
    last = cell.problem.inner.gradient(inner_paths(cell, w)[:, -1])
    growth = (1 + cell.alpha * cell.constants.L) ** cell.N
    return linked(cell, w, np.sqrt(inner_product(last, last).mean(axis=-1)) / growth, cell.paper.last_gradient)
