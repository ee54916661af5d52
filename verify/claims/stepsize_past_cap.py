"""Beyond the stepsize cap: what becomes of exact MAML with `β = 1/L` at its worst, and typically."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from theory.constants import Constants, Real
from theory.growth import stepsize_cap
from theory.maml import mean_over_tasks, meta_gradient
from verify.cell import Cell
from verify.claim import Mutant, claim, own
from verify.evidence.critical import fixed_steps
from verify.evidence.rounding import extent, meta_gradient_error
from verify.statements import STEPSIZE_CAP
from verify.verdict import EPS, Finding, Values

PAST = 1.1  # of the cap: there each step brings iterates nearer to the 2-cycle, by a factor of about 0.7
STEPS = 200


def cycle_gradient(c: Constants, distance: Real) -> Real:
    """`‖∇L(w)‖ = 2L‖w‖` where a step of stepsize 1/L leads from `w` to `−w`. Source: own."""
    return 2 * c.L * distance


@claim(
    "two-cycle",
    STEPSIZE_CAP,
    "past it, exact MAML with β = 1/L stays bounded on opposed cosines and does not converge",
    says=(
        "on opposed cosines, every assumption global, at α = 1.1 α_cap(N): the iterates stay bounded and do not "
        "converge, but alternate between w and −w, where ‖∇L(w)‖ = 2L‖w‖"
    ),
    source=own(),
    assumes=("β = 1/L",),
    measured=f"gradient at the iterate after {STEPS} steps",
    at=("near cap",),
    least_N=1,
    problems=("opposed-curvature",),
    sharp="opposed curvature",
    settled="attained",
    formula=cycle_gradient,
    mutants=(Mutant("convergence: ‖∇L‖ → 0", "opposed-curvature", formula=lambda c, distance: 0.0),),
)
def two_cycle(cell: Cell) -> Iterator[Finding]:
    """Iterate, then look at the gradient."""
    problem, c = cell.problem, cell.constants
    alpha = PAST * float(stepsize_cap(c, cell.N))
    _, w = fixed_steps(problem, cell.N, np.array([alpha]), 1 / c.L, problem.start[None], STEPS)
    gradient = mean_over_tasks(meta_gradient(w[:, None], alpha, cell.N, problem.inner, problem.outer))
    # the rounding errors of all steps, each damped by the attraction of the cycle, sum to less than four times the last
    slack = 4 * meta_gradient_error(problem, cell.schedule(), extent(problem, w[:, None]))
    yield Finding(
        measured=float(np.linalg.norm(gradient)),
        bound=float(cell.formula(c, np.linalg.norm(w))),
        slack=float(slack.max()),
        attained=True,
        method="run",
        witness={"alpha": alpha, "w": w[0].tolist()},
    )


@claim(
    "typical stepsize",
    STEPSIZE_CAP,
    "on ordinary tasks exact MAML with β = 1/L converges well beyond it",
    says="on ordinary cosine tasks exact MAML with β = 1/L still converges at α_cap(N), and several times beyond",
    source=own("an observation: how far the worst case is from the typical one"),
    assumes=("β = 1/L",),
    measured="α_cap beside the first stepsize of a grid at which the iterates from the start do not settle",
    at=("near cap",),
    least_N=1,
    problems=("rotated-cosine-finite-noise",),
    sharp="opposed curvature and twin wells are the worst cases",
    settled="an observation",
    mutants=(Mutant("N dropped", "rotated-cosine-finite-noise", N=20, cap=lambda p: (np.sqrt(2) - 1) / p.L),),
)
def typical(cell: Cell) -> Iterator[Finding]:
    """Try stepsizes from the cap to 32 times the cap."""
    problem, c = cell.problem, cell.constants
    alpha: Values = float(stepsize_cap(c, cell.N)) * np.geomspace(1, 32, 26)
    start = np.tile(problem.start, (len(alpha), 1))
    previous, w = fixed_steps(problem, cell.N, alpha, 1 / c.L, start, STEPS)
    with np.errstate(all="ignore"):
        settled = np.linalg.norm(w - previous, axis=1) < np.sqrt(EPS) * problem.scale
    first = float(alpha[np.argmin(settled)]) if not settled.all() else float(alpha[-1])
    yield Finding(
        measured=float(cell.paper.cap),
        bound=first,
        method="run",
        note=f"stable up to {first / alpha[0]:.2g} times α_cap",
        witness={"alpha": first},
    )
