"""THEOREM, resampling: how small Algorithm 1 makes the mean gradient norm, with tasks and data that are drawn."""

from __future__ import annotations

from collections.abc import Iterator

from theory.convergence import theorem_resampling
from verify.claim import Cell, Mutant, claim
from verify.claims.theorem_finite_sum import MEASURED
from verify.claims.wrong_theorems import fast_averaging, fast_rate, no_noise, scaled_R, small_noise
from verify.evidence.runs import exact_run, sampled_run, sampled_runs, schedule
from verify.verdict import Finding

SETTINGS = (
    {"C_beta": 20, "B": 8, "S": 3, "D": 2, "T": 4, "B_prime": 5, "D_L": 20},
    {"C_beta": 50, "B": 2, "S": 8, "D": 1, "T": 2, "B_prime": 3, "D_L": 9},
)

RESAMPLING = frozenset({"resampling"})
ON_RAMP = (
    Mutant("R/3 for R", scaled_R(theorem_resampling, 1 / 3), "ramp", N=1, rule="recommended"),
    Mutant("K^{1.1} for K", fast_rate(theorem_resampling), "ramp", N=1, rule="recommended"),
)
ON_NOISE_FLOOR = (
    Mutant("noise dropped", no_noise(theorem_resampling), "noise-floor-data", N=1, rule="small"),
    Mutant("noise/8", small_noise(theorem_resampling), "noise-floor-data", N=1, rule="small"),
    Mutant("B² for B", fast_averaging(theorem_resampling), "noise-floor-data", N=1, rule="small"),
)
STATEMENT = (
    "ḡ = (1/K) Σ_k E‖∇L(w_k)‖ ≤ ½(GR + √(G²R² + 4AR)), R = (C_βΔ/K + noise)/c_1, G = C_L/C_1, A = a + C_Lσ/C_1, "
    "c_1 = λ/2 − κ/C_β − κC_sq1/(2C_βB) − (√κ + 2κ/C_β)E_2²/S > 0, "
    "noise = (1/a)[(√κ + 2κ/C_β)(E_1 + E_2σ)²/S + κC_sq2/(2C_βB)], for β_k = 1/(C_β L̂_k)"
)
ASSUMPTIONS = (
    "losses are L-smooth, and the meta objective is bounded below",
    "Hessians are ρ-Lipschitz",
    "task spread σ",
    "data noise σ_g, σ_H",
    "stepsize below the cap",
)


@claim(
    name="theorem resampling",
    title="THEOREM, resampling: Algorithm 1's mean gradient norm falls like 1/√K down to a floor of 1/√B and 1/√S",
    source="Ji, Yang, Liang (2022), theorem on the resampling case",
    statement=STATEMENT,
    assumptions=ASSUMPTIONS,
    measured=MEASURED,
    sharp="ramp (Δ/K, within a factor 1.6: the theorem keeps half of the descent), "
    "noise-floor-data (noise term, within a factor 2.7)",
    formula=theorem_resampling,
    mutants=(*ON_RAMP, *ON_NOISE_FLOOR),
    cases=RESAMPLING,
    needs=("rho", "sigma", "sigma_g", "sigma_H", "lower_bound"),
    rules=("recommended", "fixed"),
    inner_steps=(1, 5),
)
def resampling(cell: Cell) -> Iterator[Finding]:
    """Compare runs of Algorithm 1 with the theorem."""
    made_for = cell.problem.made_for
    if "K" in made_for:
        yield (exact_run if cell.problem.deterministic else sampled_run)(cell, "resampling", schedule(cell, **made_for))
    else:
        yield from sampled_runs(cell, "resampling", SETTINGS)


@claim(
    name="theorem resampling on ramp",
    title="THEOREM, resampling: no third of R would do",
    source="own",
    statement=f"within a factor 1.6 on ramp, where Δ/K is all of R: {STATEMENT}",
    assumptions=ASSUMPTIONS,
    measured="mean of the exact ‖∇L(w_k)‖ along the run that the ramp is made for",
    sharp="ramp: a constant slope; the theorem keeps half of the descent",
    formula=theorem_resampling,
    mutants=ON_RAMP,
    cases=RESAMPLING,
    rules=("recommended",),
    problems=("ramp",),
    inner_steps=(1,),
)
def resampling_on_ramp(cell: Cell) -> Iterator[Finding]:
    """Compare the run that the ramp is made for with the theorem."""
    yield from resampling.check(cell)


@claim(
    name="theorem resampling on noise floor",
    title="THEOREM, resampling: no eighth of the noise term would do",
    source="own",
    statement=f"within a factor 2.7 on noise-floor-data, where the noise term is nearly all of R: {STATEMENT}",
    assumptions=ASSUMPTIONS,
    measured=MEASURED,
    sharp="noise-floor-data: the stationary law of a convex quadratic, as αL → 0",
    formula=theorem_resampling,
    mutants=ON_NOISE_FLOOR,
    cases=RESAMPLING,
    rules=("small",),
    problems=("noise-floor-data",),
    inner_steps=(1,),
)
def resampling_on_noise_floor(cell: Cell) -> Iterator[Finding]:
    """Compare runs from the noise floor with the theorem."""
    yield from resampling.check(cell)
