"""Where the premise of a statement fails, it must not speak: past the stepsize cap, or where noise eats the descent."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from theory.paper import Paper
from theory.validation import PremiseError
from verify.cell import Cell
from verify.claim import Mutant, claim, own
from verify.statements import STEPSIZE_CAP, THEOREM
from verify.verdict import Finding

Statements = Mapping[str, Callable[[Paper], object]]
CAPPED: Statements = {
    "LINK": lambda p: p.link(1.0),
    "LINK over tasks": lambda p: p.link_tasks(1.0),
    "BIAS": lambda p: p.bias(1.0),
    "SECOND MOMENT": lambda p: p.second_moment(1.0),
    "SECOND MOMENT, finite-sum": lambda p: p.finite_sum_second_moment(1.0),
    "THEOREM, exact": lambda p: p.exact,
    "THEOREM, finite-sum": lambda p: p.finite_sum,
    "THEOREM, resampling": lambda p: p.resampling,
}
"""What needs `q^{2N} < 2`."""
LARGE, LEAST_C_BETA = 1e9, 0.5
THEOREMS: Statements = {name: speak for name, speak in CAPPED.items() if name.startswith("THEOREM")}
"""What needs `c_1 > 0`."""


def speaking(p: Paper, statements: Statements) -> list[str]:
    """Statements that speak."""
    found = []
    for name, speak in statements.items():
        try:
            speak(p)
        except PremiseError:
            continue
        found.append(name)
    return found


def silent(found: list[str], label: str) -> Finding:
    """Finding that nothing speaks, or which statement does."""
    return Finding(measured=float(len(found)), bound=0.0, label=label, note=", ".join(found))


@claim(
    "silence past the cap",
    STEPSIZE_CAP,
    "past the stepsize cap no statement that needs it speaks",
    says="at α ≥ α_cap(N): LINK, BIAS and SECOND MOMENT over tasks and the three theorems say nothing",
    source=own("a bound past its premise would be false, or negative"),
    measured="number of these statements that give a bound at twice the cap and at the cap itself; must be 0",
    at=("past cap",),
    least_N=1,
    sharp="every problem: an equality",
    settled="an equality",
    mutants=(Mutant("C_1 without its premise", "quadratic", rule="past cap", C_1=lambda p: 0.5),),
)
def past_the_cap(cell: Cell) -> Iterator[Finding]:
    """Ask each statement past the cap."""
    large = dict.fromkeys(("B", "S", "D", "T", "B_prime", "D_L"), LARGE)
    yield silent(speaking(cell.paper_at(cell.schedule(C_beta=LARGE, **large)), CAPPED), "twice the cap")
    at_cap = float(cell.paper.unchanged.cap)
    yield silent(speaking(cell.paper_at(cell.schedule(alpha=at_cap, C_beta=LARGE, **large)), CAPPED), "at the cap")


@claim(
    "silence without descent",
    THEOREM,
    "where noise can eat the descent no theorem speaks",
    says="where c_1 ≤ 0 (exact MAML: C_β ≤ ½) the theorems say nothing",
    source=own("R would be negative or infinite"),
    measured="number of theorems that give a bound at C_β = ½; must be 0",
    needs=("rho", "sigma", "sigma_g", "sigma_H", "b", "b_sq"),
    at=("recommended",),
    sharp="every problem: an equality",
    settled="an equality",
    mutants=(Mutant("|c_1| for c_1", "quadratic", rule="recommended", positive_c_1=lambda p: abs(p.c_1)),),
)
def without_descent(cell: Cell) -> Iterator[Finding]:
    """Ask each theorem at the least `C_β` of exact MAML."""
    yield silent(speaking(cell.paper_at(cell.schedule(C_beta=LEAST_C_BETA)), THEOREMS), "C_β = ½")
