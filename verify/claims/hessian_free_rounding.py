"""HESSIAN-FREE MAML with gradients that are rounded: a shorter difference is not always a better one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np

from theory.loss import Array, Loss, TaskIndex
from theory.maml import adapt
from theory.neighbours.hessian_free import pull_back_by_differences
from theory.norm import norm
from verify.cell import Cell
from verify.claim import Mutant, claim, own
from verify.evidence.attack import attack_points
from verify.evidence.directions import RESAMPLED, direction_error
from verify.evidence.quantities import meta_gradients
from verify.statements import HESSIAN_FREE
from verify.verdict import Measured

SHARES = {"best step": 1.0, "a hundredth of it": 0.01}
"""Steps of the differences, over the best one."""
COARSENESS = 1e-4
"""Spacing of the rounded gradients, over `L` times the distance over which the losses vary."""


@dataclass(frozen=True)
class Rounded(Loss):
    """A loss whose gradients are rounded to multiples of a spacing, coordinate by coordinate."""

    loss: Loss
    spacing: float

    def value(self, w: Array) -> Array:
        """Loss at `w`."""
        return self.loss.value(w)

    def gradient(self, w: Array) -> Array:
        """Rounded gradient at `w`."""
        return self.spacing * np.round(self.loss.gradient(w) / self.spacing)

    def hvp(self, w: Array, v: Array) -> Array:
        """Hessian-vector product, not rounded."""
        return self.loss.hvp(w, v)

    def take(self, tasks: TaskIndex) -> Self:
        """Losses of the tasks in `tasks`."""
        return type(self)(self.loss.take(tasks), self.spacing)


@claim(
    "hessian-free rounding",
    HESSIAN_FREE,
    "with gradients that are off by η, differences are best over δ = 2√(η/ρ)",
    answers="Which difference step should I take in single precision?",
    says=(
        "every gradient off by η at most, along the same path: ‖v_0 − ∇L_i‖ ≤ ((q + αω)^N − q^N)‖v_N‖ + q^N η, "
        "ω = ρδ/2 + 2η/δ, least at δ = 2√(η/ρ)"
    ),
    source=own("each factor is off by αω at most"),
    assumes=("training losses are L-smooth with ρ-Lipschitz Hessian", "gradients off by at most η"),
    measured=(
        "distance of the Hessian-free direction, its gradients rounded to multiples of 10⁻⁴ of L times the problem's "
        "scale, from the exact meta-gradient, attacked over w, worst task; at the best step and at a hundredth of it"
    ),
    by=attack_points.of(dict.fromkeys(SHARES, 1)),
    by_default=RESAMPLED,
    cases=frozenset({"resampling"}),
    needs=("rho",),
    at=("near cap",),
    inner_steps=(1, 5),
    sharp="one step on rotated cosines: within 40 %; worst errors of all gradients need not meet",
    mutants=(
        Mutant(
            "2η/δ dropped",
            "rotated-cosine-finite-noise",
            N=1,
            hessian_free_rounding=lambda p, step, error, last: p.hessian_free_rounding(step, 0.0, last),
        ),
    ),
)
def hessian_free_rounding(cell: Cell, w: Array, part: str) -> Measured:
    """Distance of the direction with rounded gradients from the exact meta-gradient, for each task."""
    problem, rho = cell.problem, cell.constants.rho
    rounded = Rounded(problem.inner, COARSENESS * cell.constants.L * problem.scale)
    error = rounded.spacing / 2 * np.sqrt(problem.dim)
    step = SHARES[part] * (2 * np.sqrt(error / rho) if rho > 0 else problem.scale)
    path = adapt(w, cell.alpha, [problem.inner] * cell.N)
    last = rounded.gradient(path[-1])
    v = pull_back_by_differences(last, path, cell.alpha, [rounded] * cell.N, step, "forward")
    bound = cell.paper.hessian_free_rounding(step, error, norm(last))
    return Measured(norm(v - meta_gradients(cell, w)), bound, 3 * direction_error(cell, w))
