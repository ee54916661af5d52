"""THEOREM, exact MAML: how small the mean gradient norm must get, within the paper's cap and beyond it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from theory.convergence import theorem_exact
from theory.sharper import theorem_exact_sharper
from verify.claim import Cell, Mutant, claim
from verify.claims.wrong_theorems import fast_rate, no_G, scaled_R
from verify.evidence.runs import exact_run, schedule
from verify.verdict import Finding

STEPSIZES = (1.0, 80.0)
"""`C_β` of the runs: one that makes the bound small, and the paper's."""


def runs(cell: Cell) -> Iterator[Finding]:
    """Run exact MAML with the theorem's meta stepsize, on a sharp instance as it is made for."""
    ordinary = [{"C_beta": C_beta, "K": cell.effort.meta_steps} for C_beta in STEPSIZES]
    made_for = {name: value for name, value in cell.problem.made_for.items() if name in ("C_beta", "K")}
    for fields in [made_for] if "K" in made_for else ordinary:
        yield exact_run(cell, "exact", schedule(cell, **fields))


MUTANTS = (
    Mutant("R/2 for R", scaled_R(theorem_exact, 1 / 2), "ramp", N=1, rule="recommended"),
    Mutant("K^{1.1} for K", fast_rate(theorem_exact), "ramp", N=1, rule="recommended"),
    Mutant("G dropped", no_G(theorem_exact), "ramp", N=1, rule="recommended"),
)
STATEMENT = (
    "ḡ = (1/K) Σ_k ‖∇L(w_k)‖ ≤ ½(GR + √(G²R² + 4AR)), R = C_β Δ/(K(1 − 1/(2C_β))), G = C_L/C_1, "
    "A = a + C_L(σ + m)/C_1, for β_k = 1/(C_β L_{w_k}), C_β > ½"
)
ASSUMPTIONS = (
    "losses are L-smooth, and the meta objective is bounded below",
    "training Hessians are ρ-Lipschitz",
    "task spread σ",
    "mismatch b",
)


@claim(
    name="theorem exact",
    title="THEOREM, exact MAML: the mean gradient norm falls like 1/√K",
    source="Ji, Yang, Liang (2022), the convergence theorems without sampling",
    statement=f"for q^{{2N}} < 2: {STATEMENT}",
    assumptions=(*ASSUMPTIONS, "stepsize below the cap"),
    measured="mean of the exact ‖∇L(w_k)‖ along a run from the problem's start, with Δ from the proved lower bound",
    sharp="ramp (up to 1 % as αL → 0); slow slope has the rate at every K",
    formula=theorem_exact,
    mutants=MUTANTS,
    needs=("rho", "sigma", "b", "lower_bound"),
    sharp_on=("slow-slope",),
    inner_steps=(1, 5, 50),
)
def exact(cell: Cell) -> Iterator[Finding]:
    """Compare runs of exact MAML with the theorem."""
    yield from runs(cell)


@claim(
    name="theorem exact on ramp",
    title="THEOREM, exact MAML: attained within 3 % on a ramp",
    source="own",
    statement=f"attained on ramp: {STATEMENT}",
    assumptions=(*ASSUMPTIONS, "stepsize below the cap"),
    measured="as theorem exact, over as many meta steps as the ramp is long; must come within 3 % of the bound",
    sharp="ramp: while the slope is constant, every step lowers the objective by just what the theorem needs",
    formula=theorem_exact,
    mutants=(*MUTANTS, Mutant("R 8 % larger", scaled_R(theorem_exact, 1.08), "ramp", N=1, rule="recommended")),
    rules=("small", "recommended"),
    problems=("ramp",),
    inner_steps=(1, 5),
)
def exact_on_ramp(cell: Cell) -> Iterator[Finding]:
    """Compare the run that the ramp is made for with the theorem."""
    for finding in runs(cell):
        yield replace(finding, attained=True, shortfall=0.03)


@claim(
    name="theorem exact, larger cap",
    title="THEOREM, exact MAML, resampling: up to a cap 1.7 (N = 1) to 2.27 (N → ∞) times the paper's",
    source="own",
    statement=(
        "resampling case, for α < sin(π/(4N))/L: the theorem with G = C_L/μ, A = a + C_L(C_2 + μ)σ/μ, "
        "μ = min_φ Re (1 + αL e^{iφ})^{2N}"
    ),
    assumptions=(*ASSUMPTIONS[:3], "no mismatch (b = 0)", "stepsize below the larger cap"),
    measured="as theorem exact, also where the paper's theorem is silent",
    sharp="ramp below the paper's cap (within 10 %)",
    formula=theorem_exact_sharper,
    mutants=(
        Mutant("R/2 for R", scaled_R(theorem_exact_sharper, 1 / 2), "ramp", N=5, rule="near cap"),
        Mutant("K^{1.1} for K", fast_rate(theorem_exact_sharper), "ramp", N=5, rule="near cap"),
    ),
    cases=frozenset({"resampling"}),
    needs=("rho", "sigma", "lower_bound"),
    rules=("near cap", "past cap"),
    sharp_on=("slow-slope",),
    inner_steps=(5,),
)
def exact_beyond_the_cap(cell: Cell) -> Iterator[Finding]:
    """Compare runs of exact MAML with the sharper theorem."""
    yield from runs(cell)
