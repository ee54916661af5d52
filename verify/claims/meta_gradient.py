"""META-GRADIENT: the product of N Hessian factors and one gradient is the derivative of the meta objective."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from theory.loss import Array, Loss
from theory.maml import adapt, meta_gradient, pull_back
from theory.norm import inner_product, norm
from verify.cell import Cell
from verify.claim import Mutant, claim, paper
from verify.evidence.attack import starts, worst
from verify.evidence.quantities import meta_objectives
from verify.evidence.rounding import extent, meta_gradient_error, meta_objective_error
from verify.statements import META_GRADIENT
from verify.verdict import Finding, Measured, Values

FEW, MOST = 8, 2**16
"""Points that are compared at least, and numbers of all tasks at one place of the path at most."""
STEP = 1e-100  # imaginary step: nothing is subtracted, so it may be so small that its own error vanishes


def complex_step(cell: Cell, w: Array, v: Array) -> tuple[Array, Array]:
    """`⟨∇L_i(w), v⟩` (P, tasks) of analytic losses, and its error, which is rounding only; `v` are unit vectors."""
    value = meta_objectives(cell, w + 1j * STEP * v)
    return value.imag / STEP, meta_gradient_error(cell.problem, cell.schedule(), extent(cell.problem, w))


def central_difference(cell: Cell, w: Array, v: Array) -> tuple[Array, Array]:
    """`⟨∇L_i(w), v⟩` (P, tasks) by differences of the meta objective, and a bound on its error.

    `∇L_i` is Lipschitz around `w` with a constant `L_i`, so a step h errs by `L_i h/2` at most, and by the rounding of
    two values over 2h. The step balances the two. The error is infinite where that of the values is beyond float64.
    """
    problem, s = cell.problem, cell.schedule()
    outer, inner = (norm(loss.gradient(w)) for loss in (problem.outer, problem.inner))
    L_i = np.max(cell.paper.task_smoothness(outer, inner), axis=-1, keepdims=True)
    value = meta_objectives(cell, w)
    rounding = 2 * meta_objective_error(problem, s, extent(problem, w), value).max(axis=-1, keepdims=True)
    lost = np.isinf(rounding) | np.isinf(L_i)
    rounding, L_i = np.where(lost, 1.0, rounding), np.where(lost, 1.0, L_i)
    h = np.sqrt(2 * rounding / L_i)
    above, below = (meta_objectives(cell, w + sign * h[..., None] * v) for sign in (1, -1))
    return (above - below) / (2 * h), np.where(lost, np.inf, L_i * h / 2 + rounding / h)


def reversed_factors(w: Array, alpha: float, N: int, inner: Loss, outer: Loss) -> Array:
    """Wrong: `(I − αH_{N−1})⋯(I − αH_0) g_N`."""
    path = adapt(w, alpha, [inner] * N)
    return pull_back(outer.gradient(path[-1]), path[N - 1 :: -1] if N else [], alpha, [inner] * N)


def late_hessians(w: Array, alpha: float, N: int, inner: Loss, outer: Loss) -> Array:
    """Wrong: the Hessians at `w̃_1, …, w̃_N`."""
    path = adapt(w, alpha, [inner] * N)
    return pull_back(outer.gradient(path[-1]), path[1:], alpha, [inner] * N)


def first_order(w: Array, alpha: float, N: int, inner: Loss, outer: Loss) -> Array:
    """Wrong: no Hessians at all (first-order MAML)."""
    return outer.gradient(adapt(w, alpha, [inner] * N)[-1])


@claim(
    "meta-gradient",
    META_GRADIENT,
    "N Hessian factors in the right order give the derivative of the meta objective",
    says="∇L_i(w) = (I − αH_0)(I − αH_1)⋯(I − αH_{N−1}) g_N, H_j at w̃_j, g_N the test gradient at w̃_N",
    source=paper("meta-gradients of the resampling and the finite-sum case"),
    assumes=("losses are twice differentiable",),
    measured=(
        "difference from an independent derivative of L_i along random directions, 0 up to the error that float64 "
        "and the step allow: complex step where the losses are analytic, else central differences; and "
        "difference from the gradient at w̃_N pulled back along the inner path"
    ),
    needs=("rho",),
    at=("recommended", "fixed"),
    everywhere=True,
    sharp="an identity, checked where the Hessians along the path do not commute (random-ridges)",
    formula=meta_gradient,
    settled="an equality",
    mutants=(
        Mutant("factors reversed", "random-ridges", formula=reversed_factors),
        Mutant("Hessians at w̃_1, …, w̃_N", "random-ridges", formula=late_hessians),
        Mutant("first-order", "random-ridges", formula=first_order),
    ),
)
def meta_gradient_is_the_derivative(cell: Cell) -> Iterator[Finding]:
    """Compare at all probes, one random direction each, and with the general way for every task."""
    problem = cell.problem
    derivative = complex_step if problem.analytic else central_difference
    points = starts(cell)[: max(FEW, MOST // (problem.number_of_tasks * problem.dim))]
    v = cell.rng("directions").normal(size=points.shape)
    v /= np.linalg.norm(v, axis=1, keepdims=True)

    def along(coded: Values) -> Measured:
        w, direction = coded[:, None, : problem.dim], coded[:, None, problem.dim :]
        gradient = cell.formula(w, cell.alpha, cell.N, problem.inner, problem.outer)
        independent, error = derivative(cell, w, direction)
        error = error + meta_gradient_error(problem, cell.schedule(), extent(problem, w))
        difference = np.abs(inner_product(gradient, direction) - independent)
        return Measured(np.where(np.isinf(error), 0.0, difference), np.zeros(1), error)

    def pulled_back(coded: Values) -> Measured:
        w = coded[:, None]
        path = adapt(w, cell.alpha, [problem.inner] * cell.N)
        general = pull_back(problem.outer.gradient(path[-1]), path, cell.alpha, [problem.inner] * cell.N)
        gradient = cell.formula(w, cell.alpha, cell.N, problem.inner, problem.outer)
        error = 2 * meta_gradient_error(problem, cell.schedule(), extent(problem, w))
        return Measured(norm(gradient - general), np.zeros(1), error)

    finding, _ = worst(along, np.concatenate([points, v], axis=1))
    w, v = np.split(np.asarray(finding.witness["point"]), 2)
    yield replace(
        finding,
        label=derivative.__name__.replace("_", " "),
        witness={"w": w.tolist(), "v": v.tolist()},
        silent="float64 cannot tell: the error of the derivative overflows" if np.isinf(finding.slack) else "",
    )
    finding, _ = worst(pulled_back, points)
    yield replace(finding, label="pulled back", witness={"w": finding.witness["point"]})
