"""COMPLEXITY: how many meta steps and oracle calls an accuracy ε takes, against ε and against N."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from problems.ramp import ramp
from theory.algorithms import Trajectory, run
from theory.complexity import steps_to_accuracy
from theory.constants import Constants, Real, Schedule
from theory.growth import q, recommended_stepsize
from verify.claim import Cell, Mutant, claim
from verify.evidence.fits import exponential, finding, power_law
from verify.evidence.runs import schedule
from verify.verdict import Finding

C_BETA = 1.0
"""The meta stepsize `1/(C_β L_w)` that makes exact MAML's guarantee least."""
RUN, FIRST = 3000, 200
"""Meta steps of the run whose accuracies are examined, and of the first accuracy."""
ACCURACIES = 6
ASYMPTOTIC = 1e-6
"""Factor on the accuracies at which a guarantee's exponent is read off: there it no longer moves."""
DOUBLINGS = 2.0 ** np.arange(4)


def steps_needed(trajectory: Trajectory, epsilon: npt.ArrayLike) -> npt.NDArray[np.float64]:
    """Least K for which the mean gradient norm of the first K meta steps is at most each ε; ∞ if there is none."""
    reached = trajectory.mean_gradient_norm_so_far[0, :, None] <= np.atleast_1d(epsilon)
    return np.where(reached.any(axis=0), 1.0 + reached.argmax(axis=0), np.inf)


@claim(
    name="complexity in accuracy",
    title="COMPLEXITY: an ε-accurate point takes O(ε^{−2}) meta steps",
    source="Ji, Yang, Liang (2022), complexity corollaries",
    statement="K(ε) = O(ε^{−2}): ḡ ≤ ε after as many meta steps as the theorem certifies, whose exponent is 2",
    assumptions=("those of the theorem for exact MAML",),
    measured=(
        "least K with ḡ ≤ ε along one run of exact MAML, for six ε, beside the certified K; "
        "fitted exponent of K in 1/ε beside that of the certified K as ε → 0"
    ),
    sharp="slow-slope: the exponent is (2 + p)/(1 + p) = 1.87 for p = 0.15, and tends to 2 as p → 0",
    formula=steps_to_accuracy,
    mutants=(
        Mutant(
            "K^{1.1} for K: exponent 1.82",
            lambda c, s, epsilon, case: steps_to_accuracy(c, s, epsilon, case) ** (1 / 1.1),
            "slow-slope",
            rule="recommended",
        ),
        Mutant(
            "a tenth of the meta steps",
            lambda c, s, epsilon, case: steps_to_accuracy(c, s, epsilon, case) / 10,
            "slow-slope",
            rule="recommended",
        ),
    ),
    rules=("recommended",),
    problems=("slow-slope",),
    inner_steps=(1, 5),
)
def in_accuracy(cell: Cell) -> Iterator[Finding]:
    """Read `K(ε)` off one run, for accuracies from that of its first steps to that of its last."""
    problem, c = cell.problem, cell.constants
    s = schedule(cell, C_beta=C_BETA, K=RUN)
    trajectory = run("exact", problem, c, s, problem.start, cell.rng("run"))
    first, last = (float(trajectory.gradient_norm[0, :K].mean()) for K in (FIRST, RUN))
    epsilon = np.geomspace(first, last, ACCURACIES) * (1 + 1e-12)  # the last one must be reached despite rounding
    measured, certified = steps_needed(trajectory, epsilon), cell.formula(c, s, epsilon, "exact")
    at = int(np.argmax(measured / certified))
    yield Finding(
        measured=float(measured[at]),
        bound=float(certified[at]),
        method="run",
        label="meta steps",
        witness={"epsilon": float(epsilon[at]), "C_beta": C_BETA},
    )
    promised = power_law(1 / epsilon, cell.formula(c, s, ASYMPTOTIC * epsilon, "exact")).slope
    yield finding(power_law(1 / epsilon, measured), promised, label="exponent")


def linear(c: Constants, s: Schedule) -> float:
    """Exponent of N in the oracle calls at `α = 1/(8NL)`. Source: Ji, Yang, Liang (2022), complexity corollaries."""
    return 1.0


@claim(
    name="complexity in inner steps",
    title="COMPLEXITY: at α = 1/(8NL) the oracle calls grow linearly in N",
    source="Ji, Yang, Liang (2022), complexity corollaries",
    statement="at α = 1/(8NL) the oracle calls to an accuracy ε are O(N), because K(ε) is bounded in N",
    assumptions=("those of the theorem for exact MAML",),
    measured=(
        "gradients and Hessians of exact MAML until ḡ ≤ ε, at N, 2N, 4N and 8N inner steps, one ε for all; "
        "fitted exponent of N, which must come within 15 % of 1"
    ),
    sharp="slow-slope: K(ε) moves little with N, and a meta step takes 2(N + 1) calls",
    formula=linear,
    mutants=(
        Mutant("√N for N", lambda c, s: 0.5, "slow-slope", rule="recommended"),
        Mutant("N² for N", lambda c, s: 2.0, "slow-slope", rule="recommended"),
    ),
    rules=("recommended",),
    problems=("slow-slope",),
    inner_steps=(5,),
)
def in_inner_steps(cell: Cell) -> Iterator[Finding]:
    """Run exact MAML at each N until it has reached what the first run reached half-way."""
    problem, c, steps = cell.problem, cell.constants, cell.N * DOUBLINGS
    calls: list[float] = []
    epsilon = np.inf
    for N in steps:
        s = Schedule(N=N, alpha=recommended_stepsize(c, N), C_beta=C_BETA, K=2 * FIRST)
        trajectory = run("exact", problem, c, s, problem.start, cell.rng("run"))
        epsilon = min(epsilon, float(trajectory.gradient_norm[0, :FIRST].mean()))
        per_step = (trajectory.gradient_calls + trajectory.hessian_calls) / s.K
        calls.append(float(steps_needed(trajectory, epsilon)[0] * per_step))
    yield finding(power_law(steps, calls), cell.formula(c, cell.schedule()), shortfall=0.15)


def exponential_rate(c: Constants, s: Schedule) -> Real:
    """Growth per inner step of the constants at fixed α: `3 ln q`, that of `C_L`. Source: as `linear`."""
    return 3 * np.log(q(c, s))


@claim(
    name="complexity at fixed stepsize",
    title="COMPLEXITY: at a fixed α the cost grows exponentially in N",
    source="Ji, Yang, Liang (2022), complexity corollaries",
    statement=(
        "at fixed α the constants grow like q^{3N} (C_L = (ρ/L) q^{2N−1}(q^N − 1)), and with them the meta steps that "
        "β = 1/(C_β L_w) takes for one decrease of the objective"
    ),
    assumptions=("those of DESCENT",),
    measured=(
        "inverse decrease of the objective per meta step of exact MAML at N, 2N, 3N and 4N inner steps on a ramp; "
        "fitted rate of its growth per inner step, which must come within 10 % of 3 ln q"
    ),
    sharp="ramp: a constant slope falls by β‖∇L‖² a step",
    formula=exponential_rate,
    mutants=(
        Mutant("q^{2N} for q^{3N}", lambda c, s: 2 * np.log(q(c, s)), "ramp", rule="fixed"),
        Mutant("no growth", lambda c, s: 0.0, "ramp", rule="fixed"),
        Mutant("q^{4N} for q^{3N}", lambda c, s: 4 * np.log(q(c, s)), "ramp", rule="fixed"),
    ),
    rules=("fixed",),
    problems=("ramp",),
    inner_steps=(5,),
)
def at_fixed_stepsize(cell: Cell) -> Iterator[Finding]:
    """Take a few meta steps on the ramp of each N."""
    c, steps = cell.constants, cell.N * np.arange(1.0, 5.0)
    per_decrease = []
    for N in steps:
        problem = ramp(int(N), cell.alpha * c.L)
        s = Schedule(N=N, alpha=cell.alpha, C_beta=C_BETA, K=2)
        objective = run("exact", problem, c, s, problem.start, cell.rng("run")).objective[0]
        per_decrease.append(s.K / (objective[0] - objective[-1]))
    yield finding(exponential(steps, per_decrease), float(cell.formula(c, cell.schedule())), shortfall=0.1)
