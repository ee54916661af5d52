"""META STEPSIZE MOMENTS at the batch sizes that the paper asks for."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from theory.extended import ceil
from verify.cell import Cell
from verify.claim import Mutant, claim, paper
from verify.statements import META_STEPSIZE_MOMENTS
from verify.verdict import EPS, Finding

KAPPA, LAMBDA = 1 + 2 * (3 / 4 + 1 / 64), 8 / 9
BANDIT = "softmax-bandit"


@claim(
    "batch conditions",
    META_STEPSIZE_MOMENTS,
    "at the paper's sizes of B' and D_L both moments are near those of 1/L_w",
    says="B' ≥ 4C_L²σ²/(3a²) and D_L ≥ 64C_L²σ_g²/a², each the least integer: then κ ≤ 81/32 and λ ≥ 8/9",
    source=paper("batch sizes of the resampling theorem"),
    assumes=("what `stepsize lambda` and `stepsize kappa` assume",),
    measured="both numbers beside the least integers above them; κ and 1/λ at these sizes",
    cases=frozenset({"resampling"}),
    needs=("rho", "sigma", "sigma_g", "b"),
    sharp="equalities as the numbers grow: rounding up is all that is lost",
    settled="an equality",
    mutants=(
        Mutant("1 for 4/3", BANDIT, rule="fixed", least_B_prime=lambda p: ceil((p.slope * p.sigma) ** 2)),
        Mutant("8 for 64", BANDIT, rule="fixed", least_D_L=lambda p: ceil(8 * (p.slope * p.sigma_g) ** 2)),
    ),
)
def batch_conditions(cell: Cell) -> Iterator[Finding]:
    """The conditions, and what they are for."""
    p, c = cell.paper, cell.constants
    slope = float(p.unchanged.slope)
    yield reached("B'", 4 / 3 * (slope * c.sigma) ** 2, float(p.least_B_prime))
    yield reached("D_L", 64 * (slope * c.sigma_g) ** 2, float(p.least_D_L))
    sizes = cell.schedule(B_prime=float(p.least_B_prime), D_L=float(p.least_D_L))
    there = replace(cell, changes={}).paper_at(sizes)
    yield Finding(measured=float(there.kappa), bound=KAPPA, slack=8 * EPS, label="κ")
    yield Finding(measured=1 / float(there.lam), bound=1 / LAMBDA, slack=8 * EPS, label="1/λ")


def reached(label: str, least: float, size: float) -> Finding:
    """A size that reaches the least one, which may be 1."""
    return Finding(measured=max(least, 1.0), bound=size, slack=8 * EPS * least, label=label)
