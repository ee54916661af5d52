"""THEOREM, tight (own): the three theorems without what the paper's proofs give away, and exact MAML at every α."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from theory.constants import Real
from theory.convergence import Guarantee
from theory.extended import Number, sqrt
from theory.norm import norm
from theory.paper import Paper
from verify.cell import Cell
from verify.claim import Mutant, On, Way, claim, own
from verify.claims.range import CAP
from verify.claims.theorem_exact import ASSUMES as OF_EXACT
from verify.claims.theorem_exact import EXACT, SPLIT
from verify.claims.theorem_finite_sum import MEASURED, RAMP
from verify.claims.theorem_finite_sum import SETTINGS as FINITE_SUM
from verify.claims.theorem_resampling import SETTINGS as RESAMPLING
from verify.evidence.runs import Run, chosen_by, exact_run, schedule
from verify.statements import THEOREM
from verify.verdict import Finding

ROOT = "ḡ is at most the positive root of c_1 ḡ² = (A + Γḡ)(r + sḡ), Γ = C_L/p, A = a + C_L[(Q + p)/(2√(pQ)) σ + m/p]"
SLOPE = "while the slope is constant, every step lowers the objective by just what the theorem needs"
FLOOR, DATA_FLOOR, OPPOSED = "noise-floor-wide", "noise-floor-data-wide", "opposed-floor"
STATIONARY = "noise: on a convex quadratic in many dimensions the stationary ‖∇L‖ is the bound, as αL → 0 and K → ∞"


@claim(
    "tight theorem exact",
    THEOREM,
    "for exact MAML, with RANGE in place of the paper's cap",
    says=f"{ROOT}, c_1 = 1 − 1/(2C_β), r = C_βΔ/K, s = 0",
    source=own("the exact LINK in the paper's proof"),
    assumes=(*OF_EXACT, "mismatch b", CAP),
    measured="as theorem exact",
    by=EXACT,
    needs=("rho", "sigma", "b", "lower_bound"),
    inner_steps=(5,),
    attained=(On("gentle-ramp", f"{SLOPE}, at the paper's stepsize", within=0.01, at=("recommended",), N=(1,)),),
    mutants=(
        Mutant("r/2 for r", "ramp", N=1, rule="recommended", spent=lambda p: p.spent / 2),
        Mutant("Γ dropped", "ramp", N=1, rule="recommended", G=0.0),
        Mutant("σ dropped", SPLIT, N=1, rule="small", sigma=0.0),
    ),
)
def tight_exact(paper: Paper) -> Guarantee:
    """The tight theorem on exact MAML."""
    return paper.exact_tight


@claim(
    "tight theorem finite-sum",
    THEOREM,
    "in the finite-sum case, with the tight second moment and the exact κ",
    says=(
        f"{ROOT}, c_1 = 1 − (κ/(2C_β))(1 + (A_v − 1)/B), r = C_βΔ/K + κn_v/(2C_βBa), s = κb_v/(C_βBa), "
        "A_v = 1/(1 − x), b_v = √A_v(√A_v m + R√b̃), n_v = A_v m² + 2√A_v mR√b̃ + (Qσ + R√b̃)², R = q^N (q^N − 1)"
    ),
    source=own("the exact LINK, the tight second moment and the exact κ in the paper's proof"),
    assumes=("those of theorem finite-sum", CAP, "c_1 > Γs"),
    measured=f"{MEASURED}; on the sharp instances nothing is drawn",
    by=Run("finite-sum", FINITE_SUM[:1]),
    by_default=("quadratic-finite-sum", "geman-mcclure"),
    cases=frozenset({"finite-sum"}),
    needs=("rho", "sigma", "b", "b_sq", "lower_bound"),
    at=("recommended",),
    inner_steps=(5,),
    attained=(
        On(RAMP, SLOPE, within=0.01, at=("small",), N=(1,), called="ramp"),
        On(FLOOR, STATIONARY, within=0.025, weaker=1.05, at=("small",), N=(1, 5), called="noise floor"),
        On(
            OPPOSED,
            "noise at every α, K → ∞: most tasks have opposed curvatures and are stretched by Q, a rare few are tilted",
            within=0.18,
            weaker=1.25,
            at=("recommended",),
            N=(1, 5),
            called="opposed floor",
        ),
    ),
    sharp="opposed floor: 0.99 in 64 dimensions",
    mutants=(
        Mutant("r/2 for r", RAMP, N=1, rule="recommended", spent=lambda p: p.spent / 2),
        Mutant("noise/1.1", FLOOR, N=1, rule="small", noise=lambda p: p.noise / 1.1),
        Mutant("B² for B", FLOOR, N=1, rule="small", B=lambda B: B**2),
        Mutant("σ for Qσ", OPPOSED, N=1, rule="recommended", n_v=lambda p: p.n_v / p.Q**2),
    ),
)
def tight_finite_sum(paper: Paper) -> Guarantee:
    """The tight finite-sum theorem."""
    return paper.finite_sum_tight


@claim(
    "tight theorem resampling",
    THEOREM,
    "in the resampling case, with the whole descent and a bias that enters once",
    says=(
        f"{ROOT}, c_1 = λ − τ/2 − (κ_1 − τ)e_1 − (τ/2)e_1² − κA_v/(2C_βB), "
        "s = [(κ_1 − τ)e_0 + τe_0e_1 + κB_v/(C_βB)]/a, r = C_βΔ/K + [(τ/2)e_0² + κn_v/(2C_βB)]/a, "
        "τ = (1 − 1/B)κ/C_β ≤ λ, e_0 = β_1 + β_2 y_0, e_1 = β_2/p (at N = 1 also e_0 = (ρ/2)qα²σ_g²/S, e_1 = 0), "
        "A_v = VQ/p², B_v = Vq^N Lδ_N/p, y_0 = (Q + p)/(2√(pQ)) σ, "
        "n_v = V[Qσ²/(1 − x) + 2q^N Lδ_N y_0 + L²δ_N² + σ_g²/T]"
    ),
    source=own("mean and variance of the step apart, the tight second moment and the exact κ, κ_1"),
    assumes=("those of theorem resampling", CAP, "c_1 > Γs", "τ ≤ λ"),
    measured=f"{MEASURED}; on the sharp instances nothing is drawn",
    by=Run("resampling", RESAMPLING[:1]),
    by_default=("quadratic", "softmax-bandit"),
    cases=frozenset({"resampling"}),
    needs=("rho", "sigma", "sigma_g", "sigma_H", "lower_bound"),
    at=("recommended",),
    inner_steps=(5,),
    attained=(
        On("ramp", SLOPE, within=0.01, at=("small",), N=(1,)),
        On(
            "bias-floor",
            "bias: B → ∞, and the run rests where the meta-gradient is the bias",
            within=0.005,
            at=("small",),
            N=(1,),
            called="bias floor",
        ),
        On(DATA_FLOOR, STATIONARY, within=0.025, weaker=1.05, at=("small",), N=(1,), called="noise floor"),
    ),
    sharp="open at a fixed α: the variance term and the bias term",
    mutants=(
        Mutant("r/2 for r", "ramp", N=1, rule="recommended", spent=lambda p: p.spent / 2),
        Mutant("noise/1.1", DATA_FLOOR, N=1, rule="small", noise=lambda p: p.noise / 1.1),
        Mutant("B² for B", DATA_FLOOR, N=1, rule="small", B=lambda B: B**2),
        Mutant("bias dropped", "bias-floor", N=1, rule="small", e_0=0.0),
        Mutant("e_0/1.05 for e_0", "bias-floor", N=1, rule="small", e_0=lambda p: p.e_0 / 1.05),
    ),
)
def tight_resampling(paper: Paper) -> Guarantee:
    """The tight resampling theorem."""
    return paper.resampling_tight


class WholeRun(Way):
    """One run, which takes as long as its instance needs."""

    long = True


@dataclass(frozen=True)
class AtEveryAlpha:
    """What the theorem at every α promises: `ḡ ≤ bound`."""

    bound: Real


def frozen(p: Paper, L_w: Number) -> Number:
    """The bound that would hold if `L_w` never grew."""
    return sqrt(L_w * p.C_beta * p.Delta / ((1 - 0.5 / p.C_beta) * p.K))


RUNAWAY = "runaway"


@claim(
    "theorem exact at every alpha",
    THEOREM,
    "for exact MAML at every α, the mean gradient norm falls like K^{−1/3}",
    says=(
        "ḡ ≤ {(Λ + (3/2)c√(KS_0))^{4/3} − Λ^{4/3}}/(2cK), S_0 = C_βΔ/(1 − 1/(2C_β)), c = C_L L/C_β, "
        "Λ = L_{w_0}^{3/2} + (3/8)c²S_0/a^{3/2}; no cap and no σ"
    ),
    source=own("L_w grows by c√(s_k/L_k) a step at most, s_k = ‖∇L(w_k)‖²/L_k"),
    assumes=("losses are L-smooth, and the meta objective is bounded below", "training Hessians are ρ-Lipschitz"),
    measured="as theorem exact, also where no other theorem speaks",
    by=WholeRun(),
    needs=("rho", "b", "lower_bound"),
    at=("recommended", "past cap"),
    inner_steps=(5,),
    attained=(
        On("ramp", "as αL → 0 it is the theorem at L_{w_0}", within=0.1, weaker=1.12, at=("small",), N=(1,)),
        On(
            RUNAWAY,
            "at αL = 1.8 L_w grows along the whole run; exponent and constant are those of the bound as K → ∞",
            within=0.11,
            weaker=1.13,
            at=("past cap",),
            N=(1,),
        ),
    ),
    sharp="equality as K → ∞: runaway has 0.89 of it at K = 2·10⁴, 0.91 at 10⁶, 0.956 at 10⁸",
    mutants=(
        Mutant("S_0/2 for S_0", "ramp", N=1, rule="small", Delta=lambda Delta: Delta / 2),
        Mutant("K^{−1/2}: L_w stays that of the start", RUNAWAY, N=1, rule="past cap", exact_every_alpha=frozen),
        Mutant("C_L/2 for C_L", RUNAWAY, N=1, rule="past cap", C_L=lambda p: p.C_L / 2),
    ),
)
def at_every_alpha(cell: Cell) -> Iterator[Finding]:
    """Run exact MAML with the paper's meta stepsize."""
    problem, read = cell.problem, ("N", "alpha", "C_beta", "K")
    s = schedule(cell, **{"C_beta": 1.0, "K": cell.effort.meta_steps, **chosen_by(problem, read)})
    L_w = cell.paper_at(s).unchanged.L_w(norm(problem.outer.gradient(problem.start[None])).mean())
    yield exact_run(cell, lambda paper: AtEveryAlpha(paper.exact_every_alpha(L_w)), s)
