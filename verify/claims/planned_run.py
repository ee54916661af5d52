"""COMPLEXITY, used: a run by the schedule that the planner certifies reaches its accuracy."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from theory.algorithms import run
from theory.complexity import oracle_calls
from theory.convergence import Guarantee
from theory.growth import recommended_stepsize, stepsize_cap_limit
from theory.paper import Paper
from theory.planner import plan
from theory.request import Request
from verify.cell import Cell
from verify.claim import Mutant, claim, own, paper
from verify.evidence.rounding import extent, meta_gradient_error
from verify.statements import COMPLEXITY, STEPSIZE_CAP
from verify.verdict import EPS, Finding

STEPS = 200
"""Meta steps of which the accuracy is taken that a plan is asked for."""


def certified(request: Request) -> float:
    """Meta steps of the planned run."""
    return float(plan(request).schedule.K)


@claim(
    "planned run",
    COMPLEXITY,
    "exact MAML by the planned schedule gets as near as was asked",
    says="ḡ ≤ ε along a run of exact MAML with the α, C_β and K that the planner gives for ε, in as many oracle calls",
    source=own("the planner solves the sharpest theorem for K"),
    assumes=("those of the tight theorem for exact MAML",),
    measured="mean of ‖∇L(w_k)‖ along the planned run beside ε, the guarantee of 200 steps; calls counted as made",
    needs=("rho", "sigma", "b", "lower_bound"),
    at=("recommended",),
    problems=("slow-slope", "opposed-curvature"),
    inner_steps=(1, 5),
    sharp="slow slope: a third of ε",
    formula=certified,
    mutants=(
        Mutant("a thirtieth of the meta steps", "slow-slope", rule="recommended", formula=lambda r: certified(r) / 30),
    ),
)
def planned_run(cell: Cell) -> Iterator[Finding]:
    """Plan, then run."""
    problem, c, tasks = cell.problem, cell.constants, cell.problem.number_of_tasks
    gap = max(problem.initial_gap(cell.alpha, cell.N), 0.0)
    guarantee: Guarantee = Paper(c, cell.schedule(C_beta=1.0, K=STEPS, Delta=gap)).exact_tight
    epsilon = float(guarantee.bound)
    request = Request(
        constants=c, N=cell.N, epsilon=epsilon, case="exact", Delta=gap, alpha_min=cell.alpha, number_of_tasks=tasks
    )
    planned = plan(request)
    K = max(round(cell.formula(request)), 1)
    s = cell.schedule(alpha=planned.schedule.alpha, C_beta=planned.schedule.C_beta, K=K, B=tasks, B_prime=tasks)
    trajectory = run("exact", problem, c, s, problem.start, cell.rng("run"))
    error = meta_gradient_error(problem, s, extent(problem, trajectory.points[0, :, None])).max()
    yield Finding(
        measured=float(trajectory.mean_gradient_norm[0]),
        bound=epsilon,
        slack=float(error),
        method="run",
        label="accuracy",
        witness={"epsilon": epsilon, "K": K},
    )
    made = trajectory.gradient_calls + trajectory.hessian_calls
    promised = float(oracle_calls(s, "exact", problem.train_size, problem.test_size).total)
    yield Finding(measured=float(made), bound=promised, attained=True, method="run", label="oracle calls")


@claim(
    "recommended stepsize",
    STEPSIZE_CAP,
    "the recommended stepsize keeps all growth bounded, and the cap is c/N",
    says="at α = 1/(8NL): q^{2N} ≤ e^{1/4}; and α_cap(N) ≥ ln 2/(2LN), within O(1/N)",
    source=paper("the stepsizes of the complexity corollaries"),
    measured="q^{2N} at the recommended stepsize; N α_cap(N) and its limit",
    at=("recommended",),
    least_N=1,
    problems=("quadratic",),
    sharp="attained as N grows",
    settled="attained",
    mutants=(
        Mutant("1/(4NL)", "quadratic", rule="recommended", alpha=lambda alpha: 2 * alpha),
        Mutant("q^N < 2 for q^{2N} < 2", "quadratic", rule="recommended", cap=lambda p: p.cap / 2.5),
    ),
)
def recommended(cell: Cell) -> Iterator[Finding]:
    """Growth at the recommended stepsize, and the cap beside its limit."""
    c, N = cell.constants, cell.N
    p = cell.paper_at(cell.schedule(alpha=float(recommended_stepsize(c, N))))
    yield Finding(measured=float(p.q(2 * N)), bound=float(np.exp(0.25)), slack=8 * N * EPS, label="q^{2N}")
    yield Finding(
        measured=float(stepsize_cap_limit(c, N)),
        bound=float(p.cap),
        slack=8 * EPS * float(p.cap),
        label="limit of the cap",
    )
