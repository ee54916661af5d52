"""LINK: below the stepsize cap, a small meta-gradient means small task gradients."""

from __future__ import annotations

from collections.abc import Callable

from theory.constants import Real
from theory.loss import Array
from theory.maml import mean_over_tasks
from theory.norm import norm
from verify.cell import Cell
from verify.claim import Mutant, On, claim, paper
from verify.evidence.attack import attack_points
from verify.evidence.quantities import meta_gradients
from verify.evidence.rounding import extent, meta_gradient_error, unit
from verify.statements import LINK
from verify.verdict import Measured, Values

MEAN, NORMS = "norm of the mean", "mean of the norms"


@claim(
    "link",
    LINK,
    "below the cap, a small meta-gradient means small task gradients",
    says=(
        "‖∇l_T(w)‖ ≤ (‖∇L(w)‖ + C_2 σ + m)/C_1 and E_i‖∇l_{T_i}(w)‖ ≤ (‖∇L(w)‖ + σ + m)/C_1, "
        "C_1 = 2 − q^{2N}, C_2 = q^{2N} − 1, m = q^N (q^N − 1) b (resampling: l_T = l, m = 0)"
    ),
    source=paper("lemma that links ∇l to ∇L"),
    assumes=("training and test losses are L-smooth", "task spread σ", "mismatch b", "q^{2N} < 2"),
    measured="norm of the mean test gradient, and mean of the norms, attacked over w",
    by=attack_points.of({MEAN: 0, NORMS: 0}),
    needs=("rho", "sigma", "b"),
    attained=(
        On("convex-quadratic", "∇L = (1 − αL)^{2N}∇l, as αL → 0", within=1e-4, at=("small",)),
        On("cusp", "the spread hides the gradient from the meta-gradient, as αL → 0", within=0.01, at=("small",)),
        On("cusp-mismatch", "the mismatch hides it, as αL → 0", within=1e-4, at=("small",)),
    ),
    mutants=(
        Mutant("1 for C_1", "convex-quadratic", C_1=1.0),
        Mutant("2 − q^N for C_1", "convex-quadratic", C_1=lambda p: 1 - p.e(p.N)),
        Mutant("C_2σ dropped", "cusp", sigma=0.0),
        Mutant("C_2σ halved", "cusp", rule="recommended", sigma=lambda sigma: sigma / 2),
        Mutant("m dropped", "cusp-mismatch", m=0.0),
    ),
)
def link(cell: Cell, w: Array, part: str) -> Measured:
    """Test gradients beside what the meta-gradient says of them."""
    gradients = cell.problem.outer.gradient(w)
    if part == MEAN:
        return linked(cell, w, norm(gradients.mean(axis=-2)), cell.paper.link)
    return linked(cell, w, norm(gradients).mean(axis=-1), cell.paper.link_tasks)


def linked(cell: Cell, w: Array, value: Values, bound: Callable[[Real], Real]) -> Measured:
    """What is measured of the test gradients at `w` (P, 1, d), beside a bound that is convex in ‖∇L(w)‖."""
    problem = cell.problem
    size = extent(problem, w).max(axis=1)
    meta = norm(mean_over_tasks(meta_gradients(cell, w)))
    limit = bound(meta)
    moved = bound(meta + meta_gradient_error(problem, cell.schedule(), size)) - limit
    return Measured(value, limit, moved + unit(problem) * (cell.constants.L * size + limit))
