"""The audit: are a problem's declared constants what the assumptions say? Every other claim rests on them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from theory.constants import Constants
from verify.claim import Cell, Formula, Mutant, claim
from verify.evidence import audit
from verify.evidence.probing import attack_pairs, attack_points, starts
from verify.evidence.search import attack, worst
from verify.verdict import Finding

SAMPLED_POINTS = 2


def declared(c: Constants, name: str) -> float:
    """The constant `name`, as the problem declares it."""
    return float(getattr(c, name))


def one_percent_off(wrong: str) -> Formula:
    """One constant 1 % too small (the lower bound 1 % too high), the others as declared."""

    def formula(c: Constants, name: str) -> float:
        value = declared(c, name)
        towards = 0.01 * abs(value) if name == "lower_bound" else -0.01 * value
        return value + (towards if name == wrong else 0.0)

    return formula


def attack_mismatch(cell: Cell, name: str) -> Finding:
    """Every task has a point of its own; the first candidates are the probes, from each task's worst to its best."""
    problem, probes = cell.problem, starts(cell)
    order = np.argsort(-audit.mismatches(problem, probes[:, None]), axis=0, kind="stable")
    shape = (-1, problem.number_of_tasks, problem.dim)
    finding = attack(
        lambda w: audit.mismatch(cell, name, w.reshape(shape)),
        probes[order].reshape(len(probes), -1),
        cell.effort,
        cell.rng("attack", name),
    )
    point = np.reshape(np.asarray(finding.witness["point"]), shape)[0]
    return replace(finding, label=name, witness={"w of each task": point.tolist()})


def attack_noise(cell: Cell) -> Iterator[Finding]:
    """Both moments of the data noise: attacked where they are exact, at a few probes where they are sampled."""
    problem = cell.problem
    if problem.case == "finite-sum":
        return
    moments = audit.NoiseMoments.of(problem, problem.noise, cell.effort.samples, cell.delta / 2, cell.rng("data"))
    for name, evaluate in (("sigma_g", moments.gradient), ("sigma_H", moments.hessian)):
        if not np.isfinite(getattr(cell.constants, name)):
            continue
        if moments.probabilities is not None:
            yield attack_points(cell, evaluate, name)
        else:
            few = starts(cell)[:SAMPLED_POINTS]
            finding, _ = worst(lambda points: evaluate(cell, points[:, None]), few)  # noqa: B023  # called at once
            yield replace(finding, label=name, method="monte-carlo", note="a lower confidence limit is measured")


PLACES = {
    "L": "convex-quadratic",
    "rho": "opposed-curvature",
    "sigma": "kink",
    "sigma_g": "saddle-noise",
    "sigma_H": "saddle-hessian-noise",
    "b": "opposed-curvature",
    "b_sq": "opposed-curvature",
    "lower_bound": "opposed-curvature",
}


@claim(
    name="constants",
    title="CONSTANTS: the audit of a problem's declared constants, before any other claim",
    source="Ji, Yang, Liang (2022), Assumptions 1 to 4",
    statement=(
        "‖∇l(w) − ∇l(u)‖ ≤ L‖w − u‖, ‖∇²l(w) − ∇²l(u)‖ ≤ ρ‖w − u‖, E_i‖∇l_{T_i} − ∇l_T‖² ≤ σ², "
        "E_τ‖∇l_i(w;τ) − ∇l_i(w)‖² ≤ σ_g², E_τ‖∇²l_i(w;τ) − ∇²l_i(w)‖² ≤ σ_H², "
        "E_i sup‖∇l_{S_i} − ∇l_{T_i}‖ ≤ b, E_i sup‖∇l_{S_i} − ∇l_{T_i}‖² ≤ b_sq, L(w) ≥ L*"
    ),
    assumptions=(),
    measured=(
        "each by maximisation from many starts, definitions taken literally; the noise over all atoms of its "
        "quadrature, or a lower confidence limit where it has none"
    ),
    sharp="the instance of each mutant",
    formula=declared,
    mutants=tuple(Mutant(f"{name} 1 % off", one_percent_off(name), place) for name, place in PLACES.items()),
    rules=("near cap",),
    inner_steps=(5,),
)
def constants(cell: Cell) -> Iterator[Finding]:
    """Attack each constant that is finite and not zero by definition of the case."""
    c = cell.constants
    yield attack_pairs(cell, audit.smoothness, "L")
    if np.isfinite(c.rho):
        yield attack_pairs(cell, audit.hessian_smoothness, "rho")
    if np.isfinite(c.sigma):
        yield attack_points(cell, audit.spread, "sigma")
    yield from attack_noise(cell)
    if cell.problem.case == "finite-sum":
        yield from (attack_mismatch(cell, name) for name in ("b", "b_sq") if np.isfinite(getattr(c, name)))
    if np.isfinite(c.lower_bound):
        yield attack_points(cell, audit.height, "lower_bound")
