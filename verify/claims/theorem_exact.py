"""THEOREM, exact MAML: how small the mean gradient norm must get, within the paper's cap and beyond it."""

from __future__ import annotations

from theory.convergence import Guarantee
from theory.paper import Paper
from verify.claim import Mutant, On, claim, own, paper
from verify.evidence.runs import Run
from verify.statements import THEOREM

SPLIT = "split-ramp"
EXACT = Run("exact", ({"C_beta": 1.0}, {"C_beta": 80.0}))
"""With a meta stepsize that makes the bound small, and with the paper's."""
SAYS = "ḡ = (1/K) Σ_k ‖∇L(w_k)‖ ≤ ½(GR + √(G²R² + 4AR)), R = C_β Δ/(K(1 − 1/(2C_β)))"
ASSUMES = (
    "losses are L-smooth, and the meta objective is bounded below",
    "training Hessians are ρ-Lipschitz",
    "task spread σ",
)


@claim(
    "theorem exact",
    THEOREM,
    "for exact MAML, the mean gradient norm falls like 1/√K",
    says=f"for q^{{2N}} < 2: {SAYS}, G = C_L/C_1, A = a + C_L(σ + m)/C_1, for β_k = 1/(C_β L_{{w_k}}), C_β > ½",
    source=paper("the convergence theorems without sampling"),
    assumes=(*ASSUMES, "mismatch b", "stepsize below the cap"),
    measured="mean of the exact ‖∇L(w_k)‖ along a run from the problem's start, with Δ from the proved lower bound",
    by=EXACT,
    needs=("rho", "sigma", "b", "lower_bound"),
    inner_steps=(1, 5, 50),
    also=("slow-slope",),
    attained=(
        On(
            "ramp",
            "while the slope is constant, every step lowers the objective by just what the theorem needs",
            within=0.01,
            weaker=1.05,
            at=("small",),
            N=(1,),
        ),
        On(
            "ramp",
            "the same at the paper's stepsize, where the 1/C_1 of LINK is lost",
            within=0.03,
            weaker=1.05,
            at=("recommended",),
            N=(1, 5),
            called="ramp as recommended",
        ),
    ),
    sharp=(
        "slow-slope has the rate at every K: 0.44 of the bound at K = 10⁴; no loss that serves every smaller K too can "
        "have more than 0.5505 of it there"
    ),
    improved_by="tight theorem exact",
    mutants=(
        Mutant("R/2 for R", "ramp", N=1, rule="recommended", R=lambda p: p.R / 2),
        Mutant("K^{1.1} for K", "ramp", N=1, rule="recommended", K=lambda K: K**1.1),
        Mutant("G dropped", "ramp", N=1, rule="recommended", G=0.0),
        Mutant("σ dropped", SPLIT, N=1, rule="small", sigma=0.0),
    ),
)
def exact(paper: Paper) -> Guarantee:
    """The paper's theorem."""
    return paper.exact


@claim(
    "theorem exact, larger cap",
    THEOREM,
    "for exact MAML, resampling, up to a cap 1.7 (N = 1) to 2.27 (N → ∞) times the paper's",
    says=(
        "resampling case, for α < sin(π/(4N))/L: the theorem with G = C_L/μ, A = a + C_L(C_2 + μ)σ/μ, "
        "μ = min_φ Re (1 + αL e^{iφ})^{2N}"
    ),
    source=own(),
    assumes=(*ASSUMES, "no mismatch (b = 0)", "stepsize below the larger cap"),
    measured="as theorem exact, also where the paper's theorem is silent",
    by=EXACT,
    cases=frozenset({"resampling"}),
    needs=("rho", "sigma", "lower_bound"),
    at=("near cap", "past cap"),
    inner_steps=(5,),
    also=("slow-slope",),
    attained=(
        On(
            SPLIT,
            "as on a ramp, and a third of L_w is due to σ, as αL → 0",
            within=0.01,
            weaker=1.05,
            at=("small",),
            N=(1,),
        ),
    ),
    sharp="ramp near the paper's cap: within 10 %",
    mutants=(
        Mutant("R/2 for R", "ramp", R=lambda p: p.R / 2),
        Mutant("K^{1.1} for K", "ramp", K=lambda K: K**1.1),
        Mutant("σ dropped", SPLIT, N=1, rule="small", sigma=0.0),
    ),
)
def exact_beyond_the_cap(paper: Paper) -> Guarantee:
    """The sharper theorem."""
    return paper.exact_sharper
