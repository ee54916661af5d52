"""The adversary of one claim: members of a population beside the bound, measured by the claim's own function."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property, partial
from typing import Any

import numpy as np

from problems.drawn import Drawn
from problems.losses.spline_population import PopulationNoise, SplinePopulation, spread
from problems.noise import NoNoise
from problems.problem import Problem
from theory.constants import Constants
from theory.loss import Array
from verify.cell import PROFILES, Cell, Formula, StepsizeRule
from verify.claim import Claim, claims
from verify.claims.bias import Bias
from verify.evidence.attack import Attack, worst_of
from verify.own_bound import Instead
from verify.running.evaluation import DELTA
from verify.running.loading import load_claims
from verify.search.coding import Coding, Members
from verify.verdict import Measured, Values

NOISE = -1.0, 4.0
"""Powers of ten between which the noise `σ_g` of one datum is, in `L²/ρ`."""
GRADIENTS = -2.0, 2.5
"""The same for `|∇l(w)|`."""
LARGEST = 1e100
"""What stands for an infinite ratio, as of a bound that vanishes."""
BATCH = {"S": 1}
ATTAINED, REFUTED = 0.99999, 1 + 1e-15
"""Measured over bound from which on nothing more is searched: where the bound is proved, and where it need not hold."""
CANNOT = "only what is attacked over points, and the bias of Algorithm 1 where its inner paths are few, can be searched"


@dataclass(frozen=True)
class Target:
    """What is searched, in names and numbers, from which any process builds the adversary.

    Attributes
    ----------
    claim, claim_spec : as in records.
    part : label of the part of the claim; "" where it is one inequality.
    N, rule : inner steps and stepsize rule.
    gradient : `|∇l(w)|` is at least so many `L²/ρ`.
    seed : of everything random.
    mutant : name of the mutant that is searched in place of the claim; "" for none.
    """

    claim: str
    claim_spec: str
    part: str
    N: int
    rule: StepsizeRule
    gradient: float
    seed: int
    mutant: str = ""


class Adversary:
    """Losses of one or two tasks, and all else that the claim's function takes, coded as points of `[0, 1]^length`."""

    def __init__(self, target: Target) -> None:
        if target.claim_spec:
            load_claims(target.claim_spec)
        self.target, claim = target, claims()[target.claim]
        self.claim, changes = ledgers(claim)
        mutant = next((each for each in claim.mutants if each.name == target.mutant), None)
        self._changes: dict[str, Any] = {**changes, **(mutant.symbols if mutant else {})}
        self._formula: Formula = claim.formula if mutant is None or mutant.formula is None else mutant.formula
        self._require_known(claim)
        self.enough = ATTAINED if claim.ours and not target.mutant else REFUTED
        self._noisy = "sigma_g" in claim.needs
        low = np.log10(target.gradient) if target.gradient else GRADIENTS[0]
        self._coding = Coding(2 if "sigma" in claim.needs else 1, (low, max(GRADIENTS[1], low + 1)))

    def _require_known(self, claim: Claim) -> None:
        """Raise ValueError, in one line, where the claim is none that can be searched."""
        if claim.of or claim.audit or not isinstance(self.claim.by, Attack | Bias):
            raise ValueError(f"claim = {claim.name!r} is not allowed: {CANNOT}")
        if "resampling" not in claim.cases:
            raise ValueError(f"claim = {claim.name!r} is not allowed: it does not speak of the resampling case")

    @cached_property
    def length(self) -> int:
        """Number of coordinates: of the losses, of the noise, and of what else the claim is attacked over."""
        return self._coding.length + self._noisy + len(self._box[0])

    def measured(self, coded: Array) -> Measured:
        """What the claim's function measures of each member, at its worst task and step: arrays (C,)."""
        members, sigma_g, rest = self._decoded(coded)
        cell = self._cell(self._problem(members.losses, sigma_g))
        with np.errstate(all="ignore"):
            return worst_of(Measured(*map(np.asarray, self._measure(cell, rest))))

    def ratio(self, coded: Array) -> Values:
        """Measured over bound of each member, less the rounding error; finite."""
        return np.minimum(self.measured(coded).ratio(), LARGEST)

    def drawn(self, coded: Array) -> tuple[Drawn, dict[str, Any]]:
        """The losses of one member `coded` (length,), and where they are measured: a witness."""
        members, sigma_g, rest = self._decoded(coded[None])
        witness = self._arguments(self._cell(self._problem(members.losses, sigma_g)), rest)
        plain = {name: float(np.ravel(value)[0]) for name, value in witness.items()}
        apart = abs(plain.get("u", 0.0) - plain.get("w", 0.0))
        loss = Drawn(
            L=1.0,
            rho=1.0,
            knots=members.knots[0].tolist(),
            curvature=members.curvature[0].tolist(),
            gradient=members.gradient[0].tolist(),
            sigma_g=float(sigma_g[0]),
            points=[plain[name] for name in ("w", "u") if name in plain] or [0.0],
            scale=apart or 1.0,
        )
        return loss, plain

    def _decoded(self, coded: Array) -> tuple[Members, Values, Array]:
        """Members, their noise `σ_g`, and the coordinates of what else is searched."""
        losses, noise, rest = np.split(coded, [self._coding.length, self._coding.length + self._noisy], axis=1)
        sigma_g = 10 ** (NOISE[0] + (NOISE[1] - NOISE[0]) * noise[:, 0]) if self._noisy else np.zeros(len(coded))
        return self._coding.members(losses), sigma_g, rest

    def _problem(self, losses: SplinePopulation, sigma_g: Values) -> Problem:
        members, tasks = losses.index.shape
        c: dict[str, Any] = {"L": 1.0, "rho": 1.0, "sigma": 0.0, "sigma_g": 0.0, "sigma_H": 0.0, "b": 0.0, "b_sq": 0.0}
        if self._noisy:
            c["sigma_g"] = sigma_g if getattr(self.claim.by, "over_tasks", False) else sigma_g[:, None]
        if tasks > 1:
            c["sigma"] = spread(losses)
        return Problem(
            name="members of a population",
            case="resampling",
            dim=1,
            constants=Constants(**c),
            inner=losses,
            outer=losses,
            number_of_tasks=tasks,
            # Claims that choose their points get one for each member.
            probes=lambda count, rng: np.zeros((members - 1, 1)),
            start=np.zeros(1),
            noise=PopulationNoise(losses, sigma_g) if self._noisy else NoNoise(losses),
        )

    def _cell(self, problem: Problem) -> Cell:
        return Cell(
            claim=self.claim.name,
            problem_name=problem.name,
            problem=problem,
            N=self.target.N,
            rule=self.target.rule,
            effort=PROFILES["quick"],
            seed=self.target.seed,
            delta=DELTA,
            formula=self._formula,
            changes=self._changes,
        )

    def _measure(self, cell: Cell, rest: Array) -> Measured:
        by = self.claim.by
        if isinstance(by, Attack):
            part = {"part": self.target.part} if self.target.part else {}
            found: Measured = self.claim.measure(cell, **self._arguments(cell, rest), **part)
            return found
        if isinstance(by, Bias):
            exact = by.enumerated(cell, BATCH, partial(self.claim.measure, cell.paper_at(cell.schedule(**BATCH))))
            if exact is not None:
                return exact.measured
        raise ValueError(f"claim = {self.claim.name!r} is not allowed at N = {cell.N}: {CANNOT}")

    def _arguments(self, cell: Cell, rest: Array) -> dict[str, Array]:
        """What an attack gives the claim's function: `w = 0`, and what is searched besides."""
        if not isinstance(self.claim.by, Attack):
            return {}
        low, high = self._box
        coded = np.concatenate([np.zeros((len(rest), 1)), low + (high - low) * rest], axis=1)
        return dict(self.claim.by.decode(cell, coded))

    @cached_property
    def _box(self) -> tuple[Values, Values]:
        """Between what the attack on the claim begins, apart from the point `w`."""
        if not isinstance(self.claim.by, Attack):
            return np.empty(0), np.empty(0)
        anyone = self._coding.members(np.full((1, self._coding.length), 0.5))
        problem = self._problem(anyone.losses, np.zeros(1))
        anywhere = replace(problem, probes=lambda count, rng: np.zeros((count, 1)))
        starts = self.claim.by.starts(self._cell(anywhere))
        return starts.min(axis=0)[1:], starts.max(axis=0)[1:]


def ledgers(claim: Claim) -> tuple[Claim, dict[str, Any]]:
    """Return the claim whose function measures, and the symbols that a bound of a user's changes."""
    return (claim.by.claim, dict(claim.by.changes)) if isinstance(claim.by, Instead) else (claim, {})
