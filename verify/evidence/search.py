"""The search for violations: random probes, then a population search from the best of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from verify.claim import Effort
from verify.verdict import Finding

Values: TypeAlias = npt.NDArray[np.float64]
Evaluate: TypeAlias = Callable[[Values], tuple[Values, Values, Values]]
"""Points (P, n) ↦ measured (P,), bound (P,), absolute rounding slack (P,)."""

POPULATION = 32


def worst(evaluate: Evaluate, points: Values) -> tuple[Finding, Values]:
    """Return the finding at the point of `points` (P, n) with the largest ratio, and all ratios (P,)."""
    with np.errstate(all="ignore"):
        measured, bound, slack = np.broadcast_arrays(*evaluate(points))
        ratio = np.where(bound > 0, (measured - slack) / bound, np.where(measured > slack, np.inf, 0.0))
    broken = np.isnan(measured) | np.isnan(bound)
    ratio = np.where(broken, np.inf, np.where(np.isinf(bound), 0.0, ratio))
    at = int(np.argmax(ratio))
    finding = Finding(
        measured=float(measured[at]),
        bound=float(bound[at]),
        slack=float(slack[at]),
        samples=len(points),
        witness={"point": points[at].tolist()},
    )
    return finding, np.asarray(ratio)


def attack(evaluate: Evaluate, starts: Values, effort: Effort, rng: np.random.Generator) -> Finding:
    """Maximise measured/bound over points, from random starts.

    Parameters
    ----------
    evaluate : batched evaluation of the claim at points (P, n).
    starts : (P, n) probes; the search box is theirs, widened by half on each side.
    effort : number of generations (0: the probes only) and of simplex evaluations at the end.
    rng : the source of the search's randomness.

    Returns
    -------
    The finding with the largest ratio that was met, with the point as its witness.
    """
    finding, ratio = worst(evaluate, starts)
    if effort.attack == 0 or len(starts) < 5:
        return finding
    from scipy import optimize

    # the stubs know no vectorized objective
    population_search: Any = optimize.differential_evolution
    simplex_search: Any = optimize.minimize
    best = np.argsort(-ratio, kind="stable")[:POPULATION]
    low, high = starts.min(axis=0), starts.max(axis=0)
    margin = 0.5 * (high - low) + 1e-9
    box = list(zip(low - margin, high + margin, strict=True))
    examined = len(starts)

    def objective(columns: Values) -> Values:
        nonlocal finding, examined
        points = np.atleast_2d(columns.T)
        candidate, ratios = worst(evaluate, points)
        examined += len(points)
        if _beats(candidate, finding):
            finding = candidate
        return -np.minimum(ratios, 1e100)  # finite, and so is the variance that the search watches

    try:
        population_search(
            objective,
            box,
            init=starts[best],
            maxiter=effort.attack,
            polish=False,
            updating="deferred",
            vectorized=True,
            tol=0.0,
            rng=rng,
        )
    except RuntimeError as error:
        # scipy takes what a loss raises for a failure of its own, and would hide what is wrong with it.
        raise error.__cause__ or error from None
    if effort.simplex:
        simplex_search(
            lambda point: float(objective(point[:, None])[0]),
            np.asarray(finding.witness["point"]),
            method="Nelder-Mead",
            bounds=box,
            options={"maxfev": effort.simplex},
        )
    return Finding(**{**finding.__dict__, "method": "attack", "samples": examined})


def _beats(new: Finding, old: Finding) -> bool:
    """Whether `new` has the larger ratio after its slack; a NaN counts as the worst of all."""

    def ratio(finding: Finding) -> float:
        if np.isnan(finding.measured) or np.isnan(finding.bound):
            return np.inf
        excess = finding.measured - finding.slack
        return excess / finding.bound if finding.bound > 0 else (np.inf if excess > 0 else 0.0)

    return ratio(new) > ratio(old)
