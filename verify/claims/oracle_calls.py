"""COMPLEXITY, the cost of a meta step: oracle calls as the algorithms make them, beside the paper's formulas."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from theory.algorithms import Algorithm, run
from theory.complexity import OracleCalls, step_oracle_calls
from theory.constants import Real, Schedule
from verify.cell import Cell
from verify.claim import Mutant, claim, paper
from verify.statements import COMPLEXITY
from verify.verdict import Finding

STEPS = 2
BATCHES = {"B": 3, "S": 4, "D": 7, "T": 5, "B_prime": 2, "D_L": 6}


def one_step_more(s: Schedule, case: Algorithm, train_size: Real, test_size: Real) -> OracleCalls:
    """Wrong: `N + 1` for `N`."""
    return step_oracle_calls(replace(s, N=s.N + 1), case, train_size, test_size)


def no_hessians(s: Schedule, case: Algorithm, train_size: Real, test_size: Real) -> OracleCalls:
    """Wrong: Hessians for nothing."""
    return replace(step_oracle_calls(s, case, train_size, test_size), hessians=0.0)


def free_stepsize(s: Schedule, case: Algorithm, train_size: Real, test_size: Real) -> OracleCalls:
    """Wrong: the meta stepsize for nothing."""
    right = step_oracle_calls(s, case, train_size, test_size)
    return replace(right, gradients=right.gradients - s.B_prime * (s.D_L if case == "resampling" else test_size))


@claim(
    "oracle calls",
    COMPLEXITY,
    "what a meta step costs",
    says=(
        "a meta step takes B(NS + T) + B'D_L gradients and BND Hessians (resampling), "
        "B(N|S_i| + |T_i|) + B'|T_i| gradients and BN|S_i| Hessians (finite-sum): linear in N"
    ),
    source=paper("complexity corollaries"),
    measured="calls counted by the losses as the algorithms make them, in data points; must be equal",
    at=("recommended",),
    sharp="every problem: an equality",
    formula=step_oracle_calls,
    settled="an equality",
    mutants=(
        Mutant("N + 1 for N", "quadratic", rule="recommended", formula=one_step_more),
        Mutant("Hessians dropped", "quadratic-finite-sum", rule="recommended", formula=no_hessians),
        Mutant("meta stepsize dropped", "quadratic-finite-sum", rule="recommended", formula=free_stepsize),
    ),
)
def oracle_calls(cell: Cell) -> Iterator[Finding]:
    """Count the calls of Algorithm 1 or 2, and of exact MAML, which uses all tasks for both purposes."""
    problem = cell.problem
    yield from counted(cell, problem.case, cell.schedule(K=STEPS, **BATCHES))
    everything = problem.number_of_tasks
    yield from counted(cell, "exact", cell.schedule(K=STEPS, B=everything, B_prime=everything))


def counted(cell: Cell, algorithm: Algorithm, s: Schedule) -> Iterator[Finding]:
    """Gradients and Hessians of a short run, beside K times the formula's."""
    problem = cell.problem
    trajectory = run(algorithm, problem, cell.constants, s, problem.start, cell.rng(algorithm))
    step = cell.formula(s, algorithm, problem.train_size, problem.test_size)
    for kind, made, per_step in (
        ("gradients", trajectory.gradient_calls, step.gradients),
        ("Hessians", trajectory.hessian_calls, step.hessians),
    ):
        yield Finding(
            measured=float(made), bound=float(s.K * per_step), attained=True, method="run", label=f"{algorithm}, {kind}"
        )
