"""The constants of a user's problem: given, settled by the form of the problem, or estimated."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields

from problems.problem import Case
from problems.user.estimation import Estimator
from theory.constants import Constants
from theory.validation import as_numbers, real, suggestion

CONSTANTS = tuple(field.name for field in fields(Constants))
BOUNDS = ("gradient_bound", "gradient_sup", "hessian_sup")
"""Bounds that may stand among the constants: on gradients, and on the noise of one datum."""

LOOSE = 3.0
"""An L that was given counts as loose from so many times on what a search finds."""


@dataclass(frozen=True)
class Known:
    """The constants and bounds of a problem, and the names of those that were estimated."""

    constants: Constants
    gradient_bound: float
    gradient_sup: float
    hessian_sup: float
    estimated: tuple[str, ...]


def read_constants(given: Constants | Mapping[str, float] | None, case: Case, noisy: bool) -> dict[str, float]:
    """Return what is known: given, or settled by the case; a `Constants` is complete as it is.

    Raises ValueError for an unknown name (with the nearest one), a value out of range or at odds with the case.
    """
    if isinstance(given, Constants):
        known = {name: getattr(given, name) for name in CONSTANTS} | dict.fromkeys(BOUNDS, math.inf)
    elif isinstance(given, Mapping | None):
        known = dict(given or {})
    else:
        raise ValueError(f"constants is a {type(given).__name__}, must be a mapping of names to numbers")
    for name in known:
        if name not in (*CONSTANTS, *BOUNDS):
            hint = suggestion(str(name), (*CONSTANTS, *BOUNDS))
            raise ValueError(f"constants: {name!r} is not allowed{hint} (there are {', '.join((*CONSTANTS, *BOUNDS))})")
        if as_numbers(name, known[name], "a number").ndim:
            raise ValueError(f"{name} = {known[name]!r} is not allowed: {name} must be a number")
        if name != "lower_bound":
            real(name, known[name], infinite=True)
    for name, (value, why) in _settled(case, noisy).items():
        if known.setdefault(name, value) not in (value, math.inf):
            raise ValueError(f"{name} = {known[name]:g} is not allowed: {name} is {value:g} {why}")
        known[name] = value
    return {name: float(value) for name, value in known.items()}


def left_out(known: Mapping[str, float]) -> tuple[str, ...]:
    """Names of the constants and bounds that are to be estimated."""
    return tuple(name for name in (*CONSTANTS, *BOUNDS) if name not in known)


def complete_constants(known: Mapping[str, float], estimator: Estimator, tell: Callable[[str, float], None]) -> Known:
    """Add estimates of what is left out, each told by name and value as it comes; ValueError where one fails."""
    values, estimated = dict(known), left_out(known)
    for name in estimated:
        values[name] = estimator.estimate(name)
        tell(name, values[name])
        if name == "L" and values[name] == 0:
            raise ValueError("L is estimated as 0: the losses are linear there; give L > 0 in constants")
    # An estimate must not contradict the other constant, where that one is given: b² ≤ b_sq.
    if "b_sq" in estimated:
        values["b_sq"] = max(values["b_sq"], values["b"] ** 2)
    elif "b" in estimated:
        values["b"] = min(values["b"], math.sqrt(values["b_sq"]))
    constants = Constants(**{name: values.pop(name) for name in CONSTANTS})
    return Known(constants, **values, estimated=estimated)


def loose_L(given: float, estimator: Estimator) -> str:
    """One line where an L that was given is far larger than anything that a search meets, or ""."""
    try:
        found = estimator.found("L")
    except ValueError:  # not finite somewhere: nothing to compare with
        return ""
    if given < LOOSE * found:
        return ""
    times = f" is {given / found:.3g} times what was found" if found else ", but 0 was found"
    return f"L = {given:.4g}{times} {estimator.where()}: stepsizes 1/(8NL) are that much too small"


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
