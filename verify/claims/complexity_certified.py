"""COMPLEXITY, what the theorems certify: the orders of K, of the batches and of the oracle calls in 1/ε."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from theory.complexity import step_oracle_calls, steps_to_accuracy, theorem
from verify.cell import Cell
from verify.claim import Mutant, claim, paper
from verify.evidence.fits import finding, power_law
from verify.evidence.runs import schedule
from verify.statements import COMPLEXITY
from verify.verdict import Finding


def promised(case: str) -> tuple[float, float]:
    """Exponents of 1/ε in the meta steps, and in the oracle calls with batches B (and S) = O(ε^{−2})."""
    return 2.0, {"finite-sum": 4.0, "resampling": 6.0}[case]


@claim(
    "complexity certified",
    COMPLEXITY,
    "with batches of O(ε^{−2}), the theorems certify ε after O(ε^{−2}) meta steps",
    says=(
        "at α = 1/(8NL), C_β = 100 (resampling) or 80 (finite-sum): K = O(ε^{−2}) with B, S = O(ε^{−2}) (resampling) "
        "or B = O(ε^{−2}) (finite-sum), so O(ε^{−6}) or O(ε^{−4}) oracle calls"
    ),
    source=paper("complexity corollaries"),
    assumes=("those of the theorems",),
    measured=(
        "least K that the theorem certifies, and the oracle calls it takes, with batches that leave half of ε² to the "
        "noise; fitted exponents of 1/ε"
    ),
    needs=("rho", "sigma", "sigma_g", "sigma_H", "b", "b_sq", "lower_bound"),
    at=("recommended",),
    inner_steps=(1, 5, 20),
    sharp="every problem with noise and a gap: the theorems give just these orders",
    settled="an equality",
    formula=promised,
    mutants=(
        Mutant(
            "O(ε^{−1}) meta steps",
            "quadratic",
            rule="recommended",
            formula=lambda case: (1.0, promised(case)[1] - 1),
        ),
        Mutant("batches for nothing", "quadratic-finite-sum", rule="recommended", formula=lambda case: (2.0, 2.0)),
    ),
)
def certified(cell: Cell) -> Iterator[Finding]:
    """Fit the orders that the theorem of the problem's own case gives."""
    problem, c, case = cell.problem, cell.constants, cell.problem.case
    s = schedule(cell, C_beta=100.0 if case == "resampling" else 80.0, D_L=100, B_prime=100)
    huge = replace(s, B=1e15, S=1e15, Delta=0.0)
    limit = theorem(c, huge, case)
    noise = float(limit.R) * 1e15  # R = noise/batch where the batches are large, c_1 being what it is without noise
    epsilon = np.geomspace(1e-3, 1e-5, 5) * limit.A / max(float(limit.G), 1.0)
    batch = np.ceil(2 * noise * (limit.A + limit.G * epsilon) / epsilon**2) + 1
    draws = replace(s, B=batch, S=batch if case == "resampling" else s.S)
    K = np.asarray(steps_to_accuracy(c, draws, epsilon, case))
    calls = K * step_oracle_calls(draws, case, problem.train_size, problem.test_size).total
    relative = 1 / K.min() + (2 if case == "resampling" else 1) / batch.min()  # K, B and S are whole numbers
    slack = 2 * relative / np.log(epsilon[0] / epsilon[1])
    for values, exponent, label in zip((K, calls), cell.formula(case), ("meta steps", "oracle calls"), strict=True):
        fit = power_law(1 / epsilon, values)
        yield replace(finding(fit, exponent, slack=slack, label=label), method="exact")
