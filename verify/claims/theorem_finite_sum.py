"""THEOREM, finite-sum: how small Algorithm 2 makes the mean gradient norm, with tasks that are drawn."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from theory.convergence import theorem_finite_sum
from verify.claim import Cell, Mutant, claim
from verify.claims.wrong_theorems import fast_averaging, fast_rate, no_G, no_noise, scaled_R, small_noise
from verify.evidence.runs import exact_run, sampled_run, sampled_runs, schedule
from verify.verdict import Finding

SETTINGS = ({"C_beta": 10, "B": 8, "B_prime": 5}, {"C_beta": 30, "B": 2, "B_prime": 3})

FINITE_SUM = frozenset({"finite-sum"})
NEEDS = ("rho", "sigma", "b", "b_sq", "lower_bound")
ON_RAMP = (
    Mutant("R/2 for R", scaled_R(theorem_finite_sum, 1 / 2), "ramp-finite-sum", N=1, rule="recommended"),
    Mutant("K^{1.1} for K", fast_rate(theorem_finite_sum), "ramp-finite-sum", N=1, rule="recommended"),
    Mutant("G dropped", no_G(theorem_finite_sum), "ramp-finite-sum", N=1, rule="recommended"),
)
ON_NOISE_FLOOR = (
    Mutant("noise dropped", no_noise(theorem_finite_sum), "noise-floor", N=1, rule="small"),
    Mutant("noise/8", small_noise(theorem_finite_sum), "noise-floor", N=1, rule="small"),
    Mutant("B² for B", fast_averaging(theorem_finite_sum), "noise-floor", N=1, rule="small"),
)
STATEMENT = (
    "ḡ = (1/K) Σ_k E‖∇L(w_k)‖ ≤ ½(GR + √(G²R² + 4AR)), R = C_β(Δ/K + noise)/c_1, G = C_L/C_1, "
    "A = a + C_L(σ + m)/C_1, c_1 = 1 − (κ/(2C_β))(1 + A_sq1/B) > 0, noise = κA_sq2/(2C_β² a B), "
    "for β_k = 1/(C_β L̂_k)"
)
ASSUMPTIONS = (
    "training and test losses are L-smooth, and the meta objective is bounded below",
    "training Hessians are ρ-Lipschitz",
    "task spread σ of the test losses",
    "mismatches of mean b and mean square b̃",
    "stepsize below the cap",
)
MEASURED = "mean of the exact ‖∇L(w_k)‖ over independent runs from the problem's start; interval: empirical Bernstein"


@claim(
    name="theorem finite-sum",
    title="THEOREM, finite-sum: Algorithm 2's mean gradient norm falls like 1/√K down to a floor like 1/√B",
    source="Ji, Yang, Liang (2022), theorem on the finite-sum case",
    statement=STATEMENT,
    assumptions=ASSUMPTIONS,
    measured=MEASURED,
    sharp="ramp-finite-sum (within 3 %), noise-floor (noise term, within a factor 2.4)",
    formula=theorem_finite_sum,
    mutants=(*ON_RAMP, *ON_NOISE_FLOOR),
    cases=FINITE_SUM,
    needs=NEEDS,
    rules=("recommended", "fixed"),
    inner_steps=(1, 5),
)
def finite_sum(cell: Cell) -> Iterator[Finding]:
    """Compare runs of Algorithm 2 with the theorem."""
    made_for = cell.problem.made_for
    if "K" in made_for:
        yield (exact_run if cell.problem.deterministic else sampled_run)(cell, "finite-sum", schedule(cell, **made_for))
    else:
        yield from sampled_runs(cell, "finite-sum", SETTINGS)


@claim(
    name="theorem finite-sum on ramp",
    title="THEOREM, finite-sum: attained within 3 % on a ramp",
    source="own",
    statement=f"attained on ramp-finite-sum: {STATEMENT}",
    assumptions=ASSUMPTIONS,
    measured="mean of the exact ‖∇L(w_k)‖ along the run that the ramp is made for; must come within 3 % of the bound",
    sharp="ramp-finite-sum: a constant slope, on which every step lowers the objective by what the theorem needs",
    formula=theorem_finite_sum,
    mutants=(
        *ON_RAMP,
        Mutant("R 8 % larger", scaled_R(theorem_finite_sum, 1.08), "ramp-finite-sum", N=1, rule="recommended"),
    ),
    cases=FINITE_SUM,
    rules=("small", "recommended"),
    problems=("ramp-finite-sum",),
    inner_steps=(1,),
)
def finite_sum_on_ramp(cell: Cell) -> Iterator[Finding]:
    """Compare the run that the ramp is made for with the theorem."""
    for finding in finite_sum.check(cell):
        yield replace(finding, attained=True, shortfall=0.03)


@claim(
    name="theorem finite-sum on noise floor",
    title="THEOREM, finite-sum: no eighth of the noise term would do",
    source="own",
    statement=f"within a factor 2.4 on noise-floor, where the noise term is nearly all of R: {STATEMENT}",
    assumptions=ASSUMPTIONS,
    measured=MEASURED,
    sharp="noise-floor: the stationary law of a convex quadratic, as αL → 0",
    formula=theorem_finite_sum,
    mutants=ON_NOISE_FLOOR,
    cases=FINITE_SUM,
    rules=("small",),
    problems=("noise-floor",),
    inner_steps=(1, 5),
)
def finite_sum_on_noise_floor(cell: Cell) -> Iterator[Finding]:
    """Compare runs from the noise floor with the theorem."""
    yield from finite_sum.check(cell)
