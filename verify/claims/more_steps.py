"""MORE STEPS AT TEST TIME: trained with N inner steps, deployed with N + m."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from theory.constants import Real
from theory.loss import Array
from theory.maml import adapt, meta_gradient
from theory.norm import norm
from verify.cell import Cell
from verify.claim import Mutant, On, claim, own
from verify.evidence.attack import attack_points
from verify.evidence.directions import FEW, RESAMPLED, direction_error, mean_gradient, mean_norm, residual
from verify.evidence.quantities import meta_gradients
from verify.evidence.rounding import extent, meta_gradient_error, unit
from verify.statements import MORE_STEPS
from verify.verdict import Measured, Values

SMOOTH = "task losses are L-smooth"
FLOOR = (
    "‖∇L^{(N+m)}(w) − c ∇L^{(N)}(w)‖, attacked over w: at a stationary point of N steps what N + m make of it, and "
    "elsewhere there is a term for ∇L^{(N)}; m = 1 and 5"
)
MORE = {"m = 1": 1, "m = 5": 5}


def deployed(cell: Cell, w: Array, part: str) -> tuple[Array, Values]:
    """Exact meta-gradients of N + m steps (P, tasks, d), and their rounding errors (P, tasks)."""
    problem, N = cell.problem, cell.N + MORE[part]
    error = meta_gradient_error(problem, cell.schedule(N=N), extent(problem, w))
    return meta_gradient(w, cell.alpha, N, problem.inner, problem.outer), np.asarray(error)


@claim(
    "more steps distance",
    MORE_STEPS,
    "m further inner steps change a task's meta-gradient by q^{2(N+m)} − q^{2N} of its gradient at most",
    answers="I train with N inner steps and deploy with N + m: how different is the objective?",
    says="resampling: ‖∇L_i^{(N+m)}(w) − ∇L_i^{(N)}(w)‖ ≤ (q^{2(N+m)} − q^{2N})‖∇l_i(w)‖",
    source=own("the further steps are 2m factors in the middle of the product"),
    assumes=(SMOOTH,),
    measured="change of the exact meta-gradient, attacked over w, worst task; m = 1 and 5",
    by=attack_points.of(dict.fromkeys(MORE, 1)),
    cases=frozenset({"resampling"}),
    needs=("rho",),
    by_default=RESAMPLED,
    at=("recommended",),
    inner_steps=(5,),
    attained=(On("saddle", "near the top of a well every factor is q", at=("recommended",)),),
    mutants=(
        Mutant("q^{2N} dropped", "saddle", rule="near cap", more_steps_distance=lambda p, m, g: p.e(2 * m) * g),
        Mutant("q for q²", "saddle", more_steps_distance=lambda p, m, g: p.q(2 * p.N) * p.e(m) * g),
    ),
)
def more_steps_distance(cell: Cell, w: Array, part: str) -> Measured:
    """Change of the meta-gradient, for each task."""
    there, error = deployed(cell, w, part)
    bound = cell.paper.more_steps_distance(MORE[part], norm(cell.problem.inner.gradient(w)))
    return Measured(norm(there - meta_gradients(cell, w)), bound, error + direction_error(cell, w))


@claim(
    "more steps floor",
    MORE_STEPS,
    "where MAML with N steps is stationary, MAML with N + m is so up to about 2mαLσ",
    answers="Is a point that is trained with N inner steps also good for N + m?",
    says=(
        "resampling, q^{2N} < 2: ∇L^{(N)}(w) = 0 implies ‖∇L^{(N+m)}(w)‖ ≤ (q^{2(N+m)} − q^{2N}) σ/√(1 − (q^{2N} − 1)²)"
    ),
    source=own("FIXED POINT (b), and more steps distance"),
    assumes=(SMOOTH, "task spread σ", "q^{2N} < 2"),
    measured=FLOOR,
    by=attack_points.of(dict.fromkeys(MORE, 1)),
    cases=frozenset({"resampling"}),
    needs=("rho", "sigma"),
    by_default=RESAMPLED,
    at=("recommended",),
    inner_steps=(5,),
    attained=(
        On(
            "late-bend",
            "one task's further steps shrink what the other's grow, as αL → 0",
            within=0.01,
            at=("small",),
            N=(1, 5),
        ),
    ),
    mutants=(
        Mutant(
            "m dropped", "late-bend", rule="small", more_steps_floor=lambda p, m, *near: p.more_steps_floor(1.0, *near)
        ),
        Mutant("halved", "late-bend", rule="small", more_steps_floor=lambda p, *at: p.more_steps_floor(*at) / 2),
    ),
)
def more_steps_floor(cell: Cell, w: Array, part: str) -> Measured:
    """Meta-gradient of N + m steps beside that of N."""
    return floor(cell, w, part, 1.0, lambda m, left, gradient: cell.paper.more_steps_floor(m, left))


@claim(
    "more steps floor on the line",
    MORE_STEPS,
    "in one dimension exactly ½(q^{2m} − (1 − αL)^{2m})q^{2N}σ can be left",
    answers="How bad can m further inner steps be for a point that is trained with N?",
    says="resampling, d = 1, αL < 1: ∇L^{(N)}(w) = 0 implies |∇L^{(N+m)}(w)| ≤ ½(q^{2m} − (1 − αL)^{2m}) q^{2N} σ",
    source=own("∇L_i^{(N+m)} is ∇L_i^{(N)} times a number between (1 − αL)^{2m} and q^{2m}"),
    assumes=(SMOOTH, "task spread σ", "αL < 1", "d = 1"),
    measured=FLOOR,
    by=attack_points.of(dict.fromkeys(MORE, 1)),
    cases=frozenset({"resampling"}),
    needs=("rho", "sigma"),
    at=("recommended",),
    inner_steps=(5,),
    problems=("cusp", "spikes", "late-bend"),
    attained=(
        On(
            "late-bend",
            "one task bends where its N steps end, the other goes on along the top of a well",
            within=1e-3,
            at=("near cap",),
        ),
    ),
    mutants=(
        Mutant("m dropped", "late-bend", more_steps_floor_line=lambda p, m, *near: p.more_steps_floor_line(1.0, *near)),
        Mutant(
            "q^{2N} dropped",
            "late-bend",
            more_steps_floor_line=lambda p, *at: p.more_steps_floor_line(*at) / p.q(2 * p.N),
        ),
    ),
)
def more_steps_floor_on_the_line(cell: Cell, w: Array, part: str) -> Measured:
    """The same in one dimension."""
    middle = cell.paper.unchanged.more_steps_middle(MORE[part])
    return floor(cell, w, part, float(middle), cell.paper.more_steps_floor_line)


def floor(cell: Cell, w: Array, part: str, c: float, bound: Callable[[Real, Real, Real], Real]) -> Measured:
    """Distance of the meta-gradient of N + m steps from c times that of N, beside a bound by the latter and `‖∇l‖`."""
    (there, error), here, rounding = deployed(cell, w, part), meta_gradients(cell, w), direction_error(cell, w)
    limit = bound(float(MORE[part]), residual(here, rounding), mean_gradient(cell, w))
    return Measured(mean_norm(there - c * here), limit, (error + c * rounding).mean(axis=-1))


@claim(
    "further step",
    MORE_STEPS,
    "a further inner step lowers the test loss, unless the training gradient is below the mismatch",
    answers="Can one more inner step at test time hurt?",
    says=(
        "l_T(w̃_{N+1}) ≤ l_T(w̃_N) − α(1 − αL/2)‖∇l_S(w̃_N)‖² + αb_i‖∇l_S(w̃_N)‖: with population losses (b = 0) never "
        "for αL < 2, else only once ‖∇l_S(w̃_N)‖ < b_i/(1 − αL/2)"
    ),
    source=own("descent lemma for the test loss"),
    assumes=("test losses are L-smooth", "mismatch b_i"),
    measured=(
        "by how much the test loss falls less than α‖∇l_S‖² in the step after N, beside (α²L/2)‖∇l_S‖² + αb_i‖∇l_S‖, "
        "attacked over w, worst task; b_i is taken at w̃_N"
    ),
    by=attack_points,
    needs=("rho",),
    by_default=FEW,
    at=("recommended",),
    inner_steps=(5,),
    attained=(On("cusp-mismatch", "curvature L, and a mismatch along the gradient", within=1e-9, at=("recommended",)),),
    mutants=(
        Mutant("mismatch dropped", "cusp-mismatch", missed_descent=lambda p, g, b: p.missed_descent(g, 0.0)),
        Mutant("α for α(1 − αL/2)", "convex-quadratic", missed_descent=lambda p, g, b: p.alpha * g * b),
    ),
)
def further_step(cell: Cell, w: Array) -> Measured:
    """How much less than `α‖∇l_S‖²` the test loss falls in one further step, for each task."""
    problem = cell.problem
    *_, here = adapt(w, cell.alpha, [problem.inner] * cell.N)
    training, test = problem.inner.gradient(here), problem.outer.gradient(here)
    before, after = problem.outer.value(here), problem.outer.value(here - cell.alpha * training)
    missed = after - before + cell.alpha * norm(training) ** 2
    bound = cell.paper.missed_descent(norm(training), norm(training - test))
    size = extent(problem, here)
    slack = 4 * unit(problem) * (np.abs(before) + cell.constants.L * size**2)
    return Measured(missed, bound, slack)
