"""The constants of a user's problem: given, settled by the form of the problem, or estimated."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, fields

from problems.problem import Case
from problems.user.estimation import Estimator
from theory.constants import Constants
from theory.validation import as_numbers, real, suggestion

CONSTANTS = tuple(field.name for field in fields(Constants))
BOUNDS = ("gradient_bound", "gradient_sup", "hessian_sup")
"""Bounds that may stand among the constants: on gradients, and on the noise of one datum."""


@dataclass(frozen=True)
class Known:
    """The constants and bounds of a problem, and the names of those that were estimated."""

    constants: Constants
    gradient_bound: float
    gradient_sup: float
    hessian_sup: float
    estimated: tuple[str, ...]


def complete_constants(given: Constants | Mapping[str, float] | None, case: Case, estimator: Estimator) -> Known:
    """Complete what is given by what the case says and by estimates; a `Constants` is complete as it is.

    Raises ValueError for an unknown name (with the nearest one), a value out of range or at odds with the case, and
    where an estimate fails.
    """
    if isinstance(given, Constants):
        known = {name: getattr(given, name) for name in CONSTANTS} | dict.fromkeys(BOUNDS, math.inf)
    else:
        if not isinstance(given, Mapping | None):
            raise ValueError(f"constants is a {type(given).__name__}, must be a mapping of names to numbers")
        known = dict(given or {})
    for name in known:
        if name not in (*CONSTANTS, *BOUNDS):
            hint = suggestion(str(name), (*CONSTANTS, *BOUNDS))
            raise ValueError(f"constants: {name!r} is not allowed{hint} (there are {', '.join((*CONSTANTS, *BOUNDS))})")
        if as_numbers(name, known[name], "a number").ndim:
            raise ValueError(f"{name} = {known[name]!r} is not allowed: {name} must be a number")
        if name != "lower_bound":
            real(name, known[name], infinite=True)
    for name, (value, why) in _settled(case, estimator.noise is not None).items():
        if known.setdefault(name, value) not in (value, math.inf):
            raise ValueError(f"{name} = {known[name]:g} is not allowed: {name} is {value:g} {why}")
        known[name] = value
    estimated = tuple(name for name in (*CONSTANTS, *BOUNDS) if name not in known)
    known |= {name: estimator.estimate(name) for name in estimated}
    # An estimate must not contradict the other constant, where that one is given: b² ≤ b_sq.
    if "b_sq" in estimated:
        known["b_sq"] = max(known["b_sq"], known["b"] ** 2)
    elif "b" in estimated:
        known["b"] = min(known["b"], math.sqrt(known["b_sq"]))
    if known["L"] == 0 and "L" in estimated:
        raise ValueError("L is estimated as 0: the losses are linear there; give L > 0 in constants")
    known = {name: float(value) for name, value in known.items()}
    constants = Constants(**{name: known.pop(name) for name in CONSTANTS})
    return Known(constants, **known, estimated=estimated)


def _settled(case: Case, noisy: bool) -> dict[str, tuple[float, str]]:
    """Constants that the form of the problem settles, and why."""
    if case == "finite-sum":
        names, value, why = ("sigma_g", "sigma_H", "gradient_sup", "hessian_sup"), 0.0, "in the finite-sum case"
        return dict.fromkeys(names, (value, why))
    settled = dict.fromkeys(("b", "b_sq"), (0.0, "in the resampling case"))
    if not noisy:
        names = ("sigma_g", "sigma_H", "gradient_sup", "hessian_sup")
        settled |= dict.fromkeys(names, (math.inf, "where tasks have no sample"))
    return settled
