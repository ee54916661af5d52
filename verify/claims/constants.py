"""The audit: are a problem's declared constants what the assumptions say? Every other claim rests on them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import partial

import numpy as np

from problems.problem import Problem
from theory.constants import Constants
from theory.loss import Array
from verify.cell import Cell, Formula
from verify.claim import Mutant, claim, paper
from verify.evidence import audit
from verify.evidence.attack import Attack, attack_pairs, attack_points, starts, worst
from verify.statements import CONSTANTS
from verify.verdict import Finding, Values

SAMPLED_POINTS = 2


def declared(c: Constants | Problem, name: str) -> float:
    """The constant `name`, as the problem declares it."""
    return float(getattr(c, name))


def one_percent_off(wrong: str) -> Formula:
    """One constant 1 % too small (the lower bound 1 % too high), the others as declared."""

    def formula(c: Constants | Problem, name: str) -> float:
        value = declared(c, name)
        towards = 0.01 * abs(value) if name == "lower_bound" else -0.01 * value
        return value + (towards if name == wrong else 0.0)

    return formula


def worst_of_each_task(cell: Cell, label: str) -> Values:
    """A point for each task (P, tasks · d): the probes, from each task's worst mismatch to its best."""
    probes = starts(cell)
    order = np.argsort(-audit.mismatches(cell.problem, probes[:, None]), axis=0, kind="stable")
    return probes[order].reshape(len(probes), -1)


def decode_each_task(cell: Cell, coded: Values) -> dict[str, Array]:
    """Points (P, tasks, d), one a task."""
    return {"w": coded.reshape(-1, cell.problem.number_of_tasks, cell.problem.dim)}


attack_tasks = Attack(worst_of_each_task, decode_each_task)


def attack_noise(cell: Cell) -> Iterator[Finding]:
    """Both moments of the data noise: attacked where they are exact, at a few probes where they are sampled."""
    problem = cell.problem
    if problem.case == "finite-sum":
        return
    moments = audit.NoiseMoments.of(problem, problem.noise, cell.effort.samples, cell.delta / 2, cell.rng("data"))
    for name, measure in (("sigma_g", moments.gradient), ("sigma_H", moments.hessian)):
        if not np.isfinite(getattr(cell.constants, name)):
            continue
        if moments.probabilities is not None:
            yield attack_points.largest(cell, measure, name)
        else:
            few = starts(cell)[:SAMPLED_POINTS]
            finding, _ = worst(lambda points: measure(cell, points[:, None]), few)  # noqa: B023  # called at once
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
    "gradient_bound": "opposed-curvature",
}


@claim(
    "constants",
    CONSTANTS,
    "the audit of a problem's declared constants, before any other claim",
    audit=True,
    says=(
        "‖∇l(w) − ∇l(u)‖ ≤ L‖w − u‖, ‖∇²l(w) − ∇²l(u)‖ ≤ ρ‖w − u‖, E_i‖∇l_{T_i} − ∇l_T‖² ≤ σ², "
        "E_τ‖∇l_i(w;τ) − ∇l_i(w)‖² ≤ σ_g², E_τ‖∇²l_i(w;τ) − ∇²l_i(w)‖² ≤ σ_H², "
        "E_i sup‖∇l_{S_i} − ∇l_{T_i}‖ ≤ b, E_i sup‖∇l_{S_i} − ∇l_{T_i}‖² ≤ b_sq, L(w) ≥ L*; "
        "and ‖∇l(w)‖ ≤ the bound of gradients on which intervals of whole runs rest"
    ),
    source=paper("Assumptions 1 to 4"),
    measured=(
        "each by maximisation from many starts, definitions taken literally; the noise over all atoms of its "
        "quadrature, or a lower confidence limit where it has none"
    ),
    at=("near cap",),
    inner_steps=(5,),
    sharp="the instance of each mutant",
    formula=declared,
    mutants=tuple(Mutant(f"{name} 1 % off", place, formula=one_percent_off(name)) for name, place in PLACES.items()),
)
def constants(cell: Cell) -> Iterator[Finding]:
    """Attack each constant that is finite and not zero by definition of the case."""
    cell = replace(cell, problem=cell.problem.audited())
    c = cell.constants
    yield attack_pairs.largest(cell, audit.smoothness, "L")
    if np.isfinite(c.rho):
        yield attack_pairs.largest(cell, audit.hessian_smoothness, "rho")
    if np.isfinite(c.sigma):
        yield attack_points.largest(cell, audit.spread, "sigma")
    yield from attack_noise(cell)
    if cell.problem.case == "finite-sum":
        for name in ("b", "b_sq"):
            if np.isfinite(getattr(c, name)):
                yield attack_tasks.largest(cell, partial(audit.mismatch, name=name), name)
    if np.isfinite(c.lower_bound):
        yield replace(attack_points.largest(cell, audit.height, "lower_bound"), signed=True)
    if np.isfinite(cell.problem.gradient_bound):
        yield attack_points.largest(cell, audit.gradient_bound, "gradient_bound")
