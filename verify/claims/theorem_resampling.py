"""THEOREM, resampling: how small Algorithm 1 makes the mean gradient norm, with tasks and data that are drawn."""

from __future__ import annotations

from theory.convergence import Guarantee
from theory.paper import Paper
from verify.claim import Mutant, On, claim, paper
from verify.claims.theorem_finite_sum import MEASURED
from verify.evidence.runs import Run
from verify.statements import THEOREM

SETTINGS = (
    {"C_beta": 20, "B": 8, "S": 3, "D": 2, "T": 4, "B_prime": 5, "D_L": 20},
    {"C_beta": 50, "B": 2, "S": 8, "D": 1, "T": 2, "B_prime": 3, "D_L": 9},
)
FLOOR = "noise-floor-data"


@claim(
    "theorem resampling",
    THEOREM,
    "in the resampling case, Algorithm 1's mean gradient norm falls like 1/√K down to a floor of 1/√B and 1/√S",
    says=(
        "ḡ = (1/K) Σ_k E‖∇L(w_k)‖ ≤ ½(GR + √(G²R² + 4AR)), R = (C_βΔ/K + noise)/c_1, G = C_L/C_1, A = a + C_Lσ/C_1, "
        "c_1 = λ/2 − κ/C_β − κC_sq1/(2C_βB) − (√κ + 2κ/C_β)E_2²/S > 0, "
        "noise = (1/a)[(√κ + 2κ/C_β)(E_1 + E_2σ)²/S + κC_sq2/(2C_βB)], for β_k = 1/(C_β L̂_k)"
    ),
    source=paper("theorem on the resampling case"),
    assumes=(
        "losses are L-smooth, and the meta objective is bounded below",
        "Hessians are ρ-Lipschitz",
        "task spread σ",
        "data noise σ_g, σ_H",
        "stepsize below the cap",
    ),
    measured=MEASURED,
    by=Run("resampling", SETTINGS),
    cases=frozenset({"resampling"}),
    needs=("rho", "sigma", "sigma_g", "sigma_H", "lower_bound"),
    at=("recommended", "fixed"),
    inner_steps=(1, 5),
    attained=(
        On(
            "ramp",
            "on a constant slope Δ/K is all of R, and the theorem keeps half of the descent",
            within=0.38,
            at=("recommended",),
            N=(1,),
            weaker=1.2,
        ),
        On(
            FLOOR,
            "the stationary law of a convex quadratic, where the noise term is nearly all of R, as αL → 0",
            within=0.75,
            at=("small",),
            N=(1,),
            called="noise floor",
            weaker=4.0,
        ),
    ),
    improved_by="tight theorem resampling",
    mutants=(
        Mutant("R/3 for R", "ramp", N=1, rule="recommended", R=lambda p: p.R / 3),
        Mutant("K^{1.1} for K", "ramp", N=1, rule="recommended", K=lambda K: K**1.1),
        Mutant("noise dropped", FLOOR, N=1, rule="small", noise=0.0),
        Mutant("noise/8", FLOOR, N=1, rule="small", noise=lambda p: p.noise / 8),
        Mutant("B² for B", FLOOR, N=1, rule="small", B=lambda B: B**2),
    ),
)
def resampling(paper: Paper) -> Guarantee:
    """The paper's theorem."""
    return paper.resampling
