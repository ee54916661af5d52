"""A search: restarts of differential evolution, each followed by a simplex, until the evaluations are used up."""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np

from problems.drawn import Drawn
from theory.loss import Array
from verify.cell import StepsizeRule, alpha_L, keyed_seed
from verify.claim import claims
from verify.evidence.attack import Attack
from verify.evidence.evolution import evolve
from verify.running.execution import Workers
from verify.running.loading import claim_spec
from verify.running.records import plain
from verify.search.adversary import Adversary, Target, ledgers
from verify.verdict import Values

POPULATION, GENERATIONS, SIMPLEX = 96, 500, 1500
"""Members, generations and evaluations at the end of one restart."""
MOST_STEPS = 2
"""Inner steps at which mutants are searched, at most."""
RESTART = POPULATION * (GENERATIONS + 1) + SIMPLEX
"""Evaluations of one restart, at most."""
Told: TypeAlias = Callable[[int, int, float], None]
"""Called with the number of restarts that are over, of all, and the largest ratio so far."""


@dataclass(frozen=True)
class Climbed:
    """Where one restart ended: the ratio, the coded member, and how many it evaluated."""

    ratio: float
    coded: Values
    evaluations: int


@dataclass(frozen=True, kw_only=True)
class Found:
    """The worst loss that a search found.

    Attributes
    ----------
    claim, part, mutant, N, rule, alpha_L, gradient, seed : what was searched, as in `Target`.
    ratio : measured over bound, less the rounding error: above 1 the claim is refuted.
    measured, bound, slack : there.
    loss : the loss, with the constants `L = ρ = 1`.
    witness : where it was measured.
    evaluations : members that were evaluated in all.
    """

    claim: str
    part: str
    mutant: str
    N: int
    rule: StepsizeRule
    alpha_L: float
    gradient: float
    seed: int
    ratio: float
    measured: float
    bound: float
    slack: float
    loss: Drawn
    witness: dict[str, float]
    evaluations: int

    @property
    def refutes(self) -> bool:
        """Whether the claim is refuted."""
        return self.ratio > 1

    def to_dict(self) -> dict[str, Any]:
        """Plain numbers, lists and texts."""
        values: dict[str, Any] = plain(asdict(self))
        return values

    def write(self, path: Path) -> None:
        """Write a file that `--problem` takes; raises OSError where it cannot."""
        path.write_text(json.dumps(self.to_dict(), indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def parts(claim: str, N: int) -> list[str]:
    """Labels of the parts of a claim that say something at `N`; one that is empty where the claim is one inequality."""
    by = ledgers(claims()[claim])[0].by
    return [label for label, least in by.parts.items() if least <= N] if isinstance(by, Attack) and by.parts else [""]


def targets(
    claim: str,
    N: int | None = None,
    rule: StepsizeRule | None = None,
    *,
    gradient: float = 0.0,
    seed: int = 0,
    mutants: bool = False,
) -> list[Target]:
    """What is searched: each part of the claim, or each part with each of its mutants in place of it.

    Parameters
    ----------
    N, rule : inner steps and stepsize rule. Where they are left out, one step and the claim's first rule, or those that
        the mutant names, of steps two at most.

    Raises
    ------
    ValueError : one line, for a claim that cannot be searched, or has no mutants.
    """
    known, spec = claims()[claim], claim_spec(claims()[claim])
    wanted: list[tuple[str, int, StepsizeRule]] = [("", 1, known.at[0])]
    if mutants:
        wanted = [(each.name, min(each.N, MOST_STEPS), each.rule) for each in known.mutants]
    if not wanted:
        raise ValueError(f"claim = {claim!r} is not allowed: it has no mutants")
    made = [
        Target(claim, spec, part, steps, rule or at, float(gradient), seed, name)
        for name, own_steps, at in wanted
        for steps in [own_steps if N is None else N]
        for part in parts(claim, steps)
    ]
    for target in made:
        adversary = Adversary(target)
        adversary.ratio(np.full((1, adversary.length), 0.5))  # what cannot be searched is said at once
    return made


def search(target: Target, workers: Workers, budget: int, progress: Told = lambda done, of, best: None) -> Found:
    """Search the worst loss for one target.

    Parameters
    ----------
    workers : what does the restarts.
    budget : evaluations; as many restarts as they allow, and one at least. The number of workers has no influence.
    progress : told after each restart.
    """
    best, done, spent = None, 0, 0
    restarts, enough = max(1, budget // RESTART), Adversary(target).enough
    for climbed in _in_order(target, restarts, workers):
        done, spent = done + 1, spent + climbed.evaluations
        if best is None or climbed.ratio > best.ratio:
            best = climbed
        progress(done, restarts, best.ratio)
        if best.ratio >= enough:
            break
    assert best is not None
    return _found(target, best.coded, spent)


def _in_order(target: Target, restarts: int, workers: Workers) -> Iterator[Climbed]:
    """Restarts in their order, some of them under way at once; what is begun and not needed is dropped."""
    pending: deque[Future[Climbed]] = deque()
    begun = 0
    try:
        while begun < restarts or pending:
            while begun < restarts and len(pending) < max(workers.slots // 2, 1):
                pending.append(workers.submit(climb, (target, begun)))
                begun += 1
            yield pending.popleft().result()
    finally:
        for future in pending:
            future.cancel()


def climb(task: tuple[Target, int]) -> Climbed:
    """One restart: evolution of a random population, then a simplex from the best; it ends where that is enough."""
    from scipy import optimize

    target, restart = task
    adversary = Adversary(target)
    rng = np.random.default_rng(keyed_seed(target.seed, *asdict(target).values(), restart))
    best = _Best(adversary)
    box = np.zeros(adversary.length), np.ones(adversary.length)
    try:
        evolve(best.objective, rng.uniform(size=(POPULATION, adversary.length)), box, GENERATIONS, rng)
        simplex: Any = optimize.minimize
        simplex(
            lambda point: float(best.objective(point[None])[0]),
            best.coded,
            method="Nelder-Mead",
            bounds=optimize.Bounds(*box),
            options={"maxfev": SIMPLEX, "adaptive": True},
        )
    except _Enough:
        pass
    return Climbed(best.ratio, best.coded, best.evaluations)


class _Enough(Exception):
    """Nothing more is to be found."""


class _Best:
    """What is minimised, and the best that it was asked for."""

    def __init__(self, adversary: Adversary) -> None:
        self._adversary = adversary
        self.ratio, self.coded, self.evaluations = -np.inf, np.empty(0), 0

    def objective(self, coded: Array) -> Values:
        """Minus the ratio of each member; raises _Enough where nothing more is to be found."""
        ratio = self._adversary.ratio(coded)
        self.evaluations += len(coded)
        at = int(np.argmax(ratio))
        if ratio[at] > self.ratio:
            self.ratio, self.coded = float(ratio[at]), coded[at].copy()
        if self.ratio >= self._adversary.enough:
            raise _Enough
        return -ratio


def _found(target: Target, coded: Values, evaluations: int) -> Found:
    adversary = Adversary(target)
    loss, witness = adversary.drawn(coded)
    value, limit, slack = (float(np.asarray(x)[0]) for x in adversary.measured(coded[None]))
    return Found(
        claim=target.claim,
        part=target.part,
        mutant=target.mutant,
        N=target.N,
        rule=target.rule,
        alpha_L=alpha_L(target.rule, target.N),
        gradient=target.gradient,
        seed=target.seed,
        ratio=float(adversary.ratio(coded[None])[0]),
        measured=value,
        bound=limit,
        slack=slack,
        loss=loss,
        witness=witness,
        evaluations=evaluations,
    )


def refuted(found: Sequence[Found]) -> dict[str, bool]:
    """Whether each mutant, or the claim itself (""), is refuted in any of its parts."""
    names = dict.fromkeys(each.mutant for each in found)
    return {name: any(each.refutes for each in found if each.mutant == name) for name in names}
