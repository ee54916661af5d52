"""COMPLEXITY: how many meta steps and oracle calls an accuracy ε takes, against ε and against N."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from problems.registry import family
from theory.algorithms import Trajectory, run
from theory.complexity import steps_to_accuracy
from theory.constants import Constants, Real, Schedule
from theory.growth import recommended_stepsize
from verify.cell import Cell
from verify.claim import Mutant, claim, paper
from verify.evidence.fits import exponential, finding, power_law
from verify.evidence.runs import one_run, schedule
from verify.statements import COMPLEXITY
from verify.verdict import Finding, Values

C_BETA = 1.0
"""The meta stepsize `1/(C_β L_w)` that makes exact MAML's guarantee least."""
RUN, FIRST = 3000, 200
"""Meta steps of the run whose accuracies are examined, and of the first accuracy."""
ACCURACIES = 6
ASYMPTOTIC = 1e-6
"""Factor on the accuracies at which a guarantee's exponent is read off: there it no longer moves."""
MANY_STEPS = 20 * np.array([1.0, 2.0])
"""Numbers of inner steps relative to the cell's, where N + 1 is nearly N."""
HALF_WAY = 50
"""Meta steps of the first of these runs that say which accuracy all must reach."""
SOURCE = paper("complexity corollaries")


def steps_needed(trajectory: Trajectory, epsilon: npt.ArrayLike) -> Values:
    """Least K for which the mean gradient norm of the first K meta steps is at most each ε; ∞ if there is none."""
    reached = trajectory.mean_gradient_norm_so_far[0, :, None] <= np.atleast_1d(epsilon)
    return np.where(reached.any(axis=0), 1.0 + reached.argmax(axis=0), np.inf)


def certified_steps(c: Constants, s: Schedule, epsilon: Values) -> Values:
    """Meta steps after which the theorem on exact MAML certifies each ε."""
    return np.asarray(steps_to_accuracy(c, s, epsilon, "exact"))


@claim(
    "complexity in accuracy",
    COMPLEXITY,
    "an ε-accurate point takes O(ε^{−2}) meta steps",
    says="K(ε) = O(ε^{−2}): ḡ ≤ ε after as many meta steps as the theorem certifies, whose exponent is 2",
    source=SOURCE,
    assumes=("those of the theorem for exact MAML",),
    measured=(
        "least K with ḡ ≤ ε along one run of exact MAML, for six ε, beside the certified K; "
        "fitted exponent of K in 1/ε beside that of the certified K as ε → 0"
    ),
    at=("recommended",),
    inner_steps=(1, 5),
    problems=("slow-slope",),
    sharp=(
        "slow-slope: the exponent is (2 + p)/(1 + p) = 1.87 for p = 0.15, and tends to 2 as p → 0; no loss has 2 for "
        "all K, and none can stay above 0.5505 of the theorem for all K ≤ 10⁴ (ramp attains it at one K)"
    ),
    formula=certified_steps,
    mutants=(
        Mutant(
            "K^{1.1} for K: exponent 1.82",
            "slow-slope",
            rule="recommended",
            formula=lambda c, s, epsilon: certified_steps(c, s, epsilon) ** (1 / 1.1),
        ),
        Mutant(
            "a tenth of the meta steps",
            "slow-slope",
            rule="recommended",
            formula=lambda c, s, epsilon: certified_steps(c, s, epsilon) / 10,
        ),
    ),
)
def in_accuracy(cell: Cell) -> Iterator[Finding]:
    """Read `K(ε)` off one run, for accuracies from that of its first steps to that of its last."""
    c = cell.constants
    s = schedule(cell, C_beta=C_BETA, K=RUN)
    trajectory = one_run(cell, s)
    first, last = (float(trajectory.gradient_norm[0, :K].mean()) for K in (FIRST, RUN))
    epsilon = np.geomspace(first, last, ACCURACIES) * (1 + 1e-12)  # the last one must be reached despite rounding
    measured, certified = steps_needed(trajectory, epsilon), cell.formula(c, s, epsilon)
    at = int(np.argmax(measured / certified))
    yield Finding(
        measured=float(measured[at]),
        bound=float(certified[at]),
        method="run",
        label="meta steps",
        witness={"epsilon": float(epsilon[at]), "C_beta": C_BETA},
    )
    promised = power_law(1 / epsilon, cell.formula(c, s, ASYMPTOTIC * epsilon)).slope
    yield finding(power_law(1 / epsilon, measured), promised, label="exponent")


@claim(
    "complexity in inner steps",
    COMPLEXITY,
    "at α = 1/(8NL) the oracle calls grow linearly in N",
    says="at α = 1/(8NL) the oracle calls to an accuracy ε are O(N), because K(ε) is bounded in N",
    source=SOURCE,
    assumes=("those of the theorem for exact MAML",),
    measured=(
        "gradients and Hessians of exact MAML until ḡ ≤ ε, at 20N and 40N inner steps, one ε for all; "
        "fitted exponent of N, which must come within 1 % of 1"
    ),
    at=("recommended",),
    inner_steps=(5,),
    problems=("slow-slope",),
    sharp="slow-slope: K(ε) moves little with N, and a meta step takes 2(N + 1) calls",
    settled="attained",
    formula=lambda: 1.0,
    mutants=(
        Mutant("√N for N", "slow-slope", rule="recommended", formula=lambda: 0.5),
        Mutant("N² for N", "slow-slope", rule="recommended", formula=lambda: 2.0),
    ),
)
def in_inner_steps(cell: Cell) -> Iterator[Finding]:
    """Run exact MAML at each N until it has reached what the first run reached half-way."""
    c, steps = cell.constants, cell.N * MANY_STEPS
    calls: list[float] = []
    epsilon = np.inf
    for N in steps:
        s = Schedule(N=N, alpha=recommended_stepsize(c, N), C_beta=C_BETA, K=2 * HALF_WAY)
        trajectory = one_run(cell, s)
        epsilon = min(epsilon, float(trajectory.gradient_norm[0, :HALF_WAY].mean()))
        per_step = (trajectory.gradient_calls + trajectory.hessian_calls) / s.K
        calls.append(float(steps_needed(trajectory, epsilon)[0] * per_step))
    yield finding(power_law(steps, calls), cell.formula(), shortfall=0.01)


def exponential_rate(log_q: Real) -> Real:
    """Growth per inner step of the constants at fixed α: that of `C_L`."""
    return 3 * log_q


@claim(
    "complexity at fixed stepsize",
    COMPLEXITY,
    "at a fixed α the cost grows exponentially in N",
    says=(
        "at fixed α the constants grow like q^{3N} (C_L = (ρ/L) q^{2N−1}(q^N − 1)), and with them the meta steps that "
        "β = 1/(C_β L_w) takes for one decrease of the objective"
    ),
    source=SOURCE,
    assumes=("those of DESCENT",),
    measured=(
        "inverse decrease of the objective per meta step of exact MAML at 5N, 6N, 7N and 8N inner steps on a ramp; "
        "fitted rate of its growth per inner step, which must come within 1 % of 3 ln q"
    ),
    at=("fixed",),
    inner_steps=(5,),
    problems=("ramp",),
    sharp="ramp: a constant slope falls by β‖∇L‖² a step",
    settled="attained",
    formula=exponential_rate,
    mutants=(
        Mutant("q^{2N} for q^{3N}", "ramp", rule="fixed", formula=lambda log_q: 2 * log_q),
        Mutant("no growth", "ramp", rule="fixed", formula=lambda log_q: 0.0),
        Mutant("q^{4N} for q^{3N}", "ramp", rule="fixed", formula=lambda log_q: 4 * log_q),
    ),
)
def at_fixed_stepsize(cell: Cell) -> Iterator[Finding]:
    """Take a few meta steps on the ramp of each N."""
    steps = cell.N * np.arange(5.0, 9.0)
    per_decrease = []
    for N in steps:
        problem = family(cell.problem_name).build(int(N), cell.alpha * cell.constants.L)
        s = Schedule(N=N, alpha=cell.alpha, C_beta=C_BETA, K=2)
        objective = run("exact", problem, cell.constants, s, problem.start, cell.rng("run")).objective[0]
        per_decrease.append(s.K / (objective[0] - objective[-1]))
    yield finding(exponential(steps, per_decrease), float(cell.formula(float(cell.paper.log_q))), shortfall=0.01)
