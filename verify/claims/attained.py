"""Sharp instances: where the bounds of the deterministic claims are attained, so that no constant can be lowered."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import chain
from typing import Any

from verify.claim import Cell, Claim, Formula, Mutant, StepsizeRule, claim
from verify.claims.descent import descent
from verify.claims.gradient_growth import gradient_growth
from verify.claims.link import link
from verify.claims.link_sharper import link_beyond_the_cap
from verify.claims.path import path
from verify.claims.smoothness import smoothness, task_wise_smoothness
from verify.evidence.variants import variants
from verify.verdict import Finding

VARIANTS = 2
"""Members of an instance's family that are attacked beside the registered one."""
RULES: tuple[StepsizeRule, ...] = ("recommended", "near cap", "fixed")


def scaled(formula: Formula, factor: float) -> Formula:
    """Wrong: a bound, or each of several, times a factor that makes it weaker, so that it is not attained."""

    def mutant(*args: Any) -> Any:
        bound = formula(*args)
        return tuple(factor * b for b in bound) if isinstance(bound, tuple) else factor * bound

    return mutant


def attained(of: Claim, instance: str, why: str, shortfall: float, rules: tuple[StepsizeRule, ...] = RULES) -> Claim:
    """Claim that the bound of `of` is attained on `instance`, up to rounding and a relative `shortfall`.

    It must be so whatever the instance's free parameters are.
    """

    @claim(
        name=f"{of.name} on {instance}",
        title=f"{of.title}; attained on {instance}",
        source="own",
        statement=f"attained on {instance}: {of.statement}",
        assumptions=of.assumptions,
        measured=f"{of.measured}, on the instance and on two of its family with other free parameters; "
        f"must come within {shortfall:g} of the bound, relatively",
        sharp=f"{instance}: {why}",
        formula=of.formula,
        mutants=(Mutant("a bound 2 % larger", scaled(of.formula, 1.02), instance, rule=rules[0]),),
        cases=of.cases,
        needs=of.needs,
        rules=rules,
        problems=(instance,),
    )
    def check(cell: Cell) -> Iterator[Finding]:
        if cell.problem_name != instance:
            return
        for member, free in chain([(cell, {})], variants(cell, VARIANTS)):
            for finding in of.check(member):
                label = ", ".join([*filter(None, [finding.label]), *(f"{name} = {x:.3g}" for name, x in free.items())])
                witness = {**finding.witness, **free}
                yield replace(finding, attained=True, shortfall=shortfall, label=label, witness=witness)

    return check


attained(path, "saddle", "at the top of a well every step stretches by exactly q", 0.0)
attained(gradient_growth, "saddle", "near the top of a well the gradient grows by exactly q a step", 0.0)
attained(smoothness, "saddle", "at the top of a well ∇²L_i = −q^{2N}L I", 1e-6)
attained(smoothness, "teeth", "all terms of L_w in the limit of small teeth", 1e-3)
attained(smoothness, "teeth-finite-sum", "all terms of L_w, C_b b among them, in the limit of small teeth", 1e-3)
attained(
    task_wise_smoothness,
    "kink",
    "the Hessian turns as fast as ρ allows where the training gradient is 0",
    1e-3,
    ("recommended", "near cap"),
)
attained(link, "convex-quadratic", "∇L = (1 − αL)^{2N}∇l, as αL → 0", 1e-4, ("small",))
attained(link, "cusp", "the task spread hides the gradient from the meta-gradient, as αL → 0", 0.01, ("small",))
attained(link, "cusp-mismatch", "the mismatch hides the gradient from the meta-gradient, as αL → 0", 1e-4, ("small",))
attained(link_beyond_the_cap, "convex-quadratic", "μ = (1 − αL)^{2N}", 0.0, ("recommended", "near cap"))
attained(
    descent,
    "opposed-curvature-quadratic",
    "the objective curves by q^{2N}L",
    0.0,
    ("recommended", "near cap", "past cap"),
)
