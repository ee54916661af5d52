"""Sharp instances of the claims about expectations: where their bounds are attained."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from verify.claim import Cell, Claim, Mutant, StepsizeRule, claim
from verify.claims.attained import scaled
from verify.claims.bias import bias_per_task
from verify.claims.bias_sharper import bias_at_one_step
from verify.claims.deviation import deviation_second_moment
from verify.claims.meta_stepsize_moments import stepsize_lambda
from verify.claims.meta_stepsize_sharper import sharper_stepsize_kappa
from verify.claims.second_moment import second_moment_per_task
from verify.claims.second_moment_sharper import sharper_second_moment_per_task
from verify.verdict import Finding


def attained(
    of: Claim,
    instance: str,
    why: str,
    *,
    shortfall: float = 0.0,
    N: tuple[int, ...] | None = None,
    only: str = "",
    rules: tuple[StepsizeRule, ...] = ("recommended", "near cap", "fixed"),
    weaker: float = 1.05,
) -> Claim:
    """Claim that the bound of `of` is attained on `instance`, by its exact findings whose label starts with `only`.

    The bound times `weaker` is the mutant: for a lower bound a factor below 1.
    """

    @claim(
        name=f"{of.name} on {instance}",
        title=f"{of.title}; attained on {instance}",
        source="own",
        statement=f"attained on {instance}{f' at {only}' if only else ''}: {of.statement}",
        assumptions=of.assumptions,
        measured=f"exact expectation; must come within {shortfall:g} of the bound, relatively",
        sharp=f"{instance}: {why}",
        formula=of.formula,
        mutants=(
            Mutant("a bound 5 % weaker", scaled(of.formula, weaker), instance, N=N[0] if N else 5, rule=rules[0]),
        ),
        cases=of.cases,
        needs=of.needs,
        rules=rules,
        problems=(instance,),
        inner_steps=N or of.inner_steps,
    )
    def check(cell: Cell) -> Iterator[Finding]:
        if cell.problem_name == instance:
            for finding in of.check(cell):
                if finding.method == "enumeration" and finding.label.startswith(only):
                    yield replace(finding, attained=True, shortfall=shortfall)

    return check


attained(deviation_second_moment, "saddle-noise", "where l'' = −L every noise is stretched by exactly q a step")
attained(
    bias_per_task,
    "tent",
    "noise takes the path off the peak of the gradient, as ρ → ∞",
    shortfall=1e-3,
    N=(1,),
    only="S = 1",
)
attained(
    bias_per_task,
    "tent-kink",
    "noise takes the path off a kink of l'' under a large gradient, as that grows",
    shortfall=5e-3,
    N=(2,),
    only="S = 1",
)
attained(bias_at_one_step, "well-edge", "l''' = ρ wherever noise takes the first step", N=(1,))
attained(
    second_moment_per_task,
    "saddle-hessian-noise",
    "all Hessians are −L and every noise has its full size; gradients are large beside the noise",
    shortfall=0.03,
    N=(1, 2, 5, 10),
)
attained(
    sharper_second_moment_per_task,
    "saddle-hessian-noise",
    "all Hessians are −L and every noise has its full size; the gradient vanishes",
    N=(1, 2, 5, 10),
)
attained(
    stepsize_lambda,
    "two-point-stepsize",
    "all gradients vanish and noise makes them all look as large as σ_g",
    only="D_L = 1",
    weaker=1 / 1.05,
)
attained(
    sharper_stepsize_kappa,
    "two-point-tasks",
    "one task of many has no gradient: nearly the extremal law",
    shortfall=0.02,
    only="D_L = 1, B' = 1",
)
