"""A finding (what was measured, beside its bound) and the verdict on it."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Literal, NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt

from theory.constants import Real

Verdict: TypeAlias = Literal["holds", "violated", "inconclusive", "vacuous", "inapplicable", "error"]
Method: TypeAlias = Literal["exact", "attack", "enumeration", "monte-carlo", "run"]

JUDGED: frozenset[Verdict] = frozenset({"holds", "violated", "inconclusive"})
"""Verdicts on what was measured beside its bound; the others say why there is none."""

EPS = float(np.finfo(np.float64).eps)
Values: TypeAlias = npt.NDArray[np.float64]


class Measured(NamedTuple):
    """What is measured at some points, beside its bound: arrays that broadcast against each other.

    `slack` is the absolute rounding error of `value − bound`, derived from float64 and the number of operations.
    """

    value: Real
    bound: Real
    slack: Real

    def ratio(self) -> Values:
        """Return value/bound after the slack: what speaks against `value ≤ bound`.

        Nothing speaks more against it than a value beyond a bound of zero, or a NaN, and nothing less than an
        infinite bound.
        """
        value, bound, slack = self
        with np.errstate(all="ignore"):
            plain: Values = np.divide(value - slack, bound)
            if np.isfinite(plain).all() and np.greater(bound, 0).all():
                return plain
            ratio = np.where(bound > 0, plain, np.where(value > slack, np.inf, 0.0))
        ratio = np.where(np.isinf(bound), 0.0, ratio)
        return np.where(np.isnan(value) | np.isnan(bound), np.inf, ratio)


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One measurement beside its bound.

    Attributes
    ----------
    measured : the measured value (the estimate, where there is sampling).
    bound : what the formula under test gives; `inf` is honest, NaN is not.
    lower, upper : confidence limits of the measured value; both equal it (the default) where nothing is sampled.
    slack : absolute rounding error of `measured − bound`, derived from float64 and the number of operations.
    attained : the claim says that the bound is reached, so falling short of it by more than `shortfall` (relative,
        plus the slack) is a violation as well.
    shortfall : how far below the bound an attained claim may fall, relative.
    method : how it was measured.
    label : what tells this finding from the others of its cell ("j = 3", "S = 4").
    samples : random samples, or points examined.
    witness : what replays the finding: plain numbers and lists (the point w, u, the seed words).
    note : one line for the reader.
    silent : why nothing can be judged here, as where float64 cannot attain what a claim says is attained; "" if it can.
    signed : the bound may be negative (an exponent, a difference): elsewhere that is an error of the formula.
    """

    measured: float
    bound: float
    lower: float | None = None
    upper: float | None = None
    slack: float = 0.0
    attained: bool = False
    shortfall: float = 0.0
    method: Method = "exact"
    label: str = ""
    samples: int = 1
    witness: dict[str, object] = field(default_factory=dict)
    note: str = ""
    silent: str = ""
    signed: bool = False

    @property
    def falls_short(self) -> bool:
        """Whether a bound that is said to be attained is not, by more than the shortfall and the rounding error."""
        upper = self.measured if self.upper is None else self.upper
        return self.attained and not upper >= self.bound * (1 - self.shortfall) - self.slack

    @property
    def tightness(self) -> float:
        """Measured over bound; 0 where the bound is infinite, or where it vanishes and so does what was measured."""
        if math.isinf(self.bound):
            return 0.0
        if self.bound == 0:
            return 0.0 if abs(self.measured) <= self.slack else math.inf
        return self.measured / self.bound


def judge(finding: Finding) -> Verdict:
    """Verdict on one finding: a bound holds if the upper limit is within it, up to rounding.

    It is violated if even the lower limit is beyond it; else the interval straddles it: inconclusive. An infinite
    bound says nothing: vacuous. A finding that is silent is inapplicable. What is faulty cannot be judged: error.
    """
    if finding.silent:
        return "inapplicable"
    if fault(finding):
        return "error"
    lower = finding.measured if finding.lower is None else finding.lower
    upper = finding.measured if finding.upper is None else finding.upper
    if math.isinf(finding.bound):
        return "vacuous"
    if lower > finding.bound + finding.slack:
        return "violated"
    if finding.falls_short:
        return "violated"
    floor = finding.bound * (1 - finding.shortfall) - finding.slack
    if upper > finding.bound + finding.slack or (finding.attained and lower < floor):
        return "inconclusive"
    return "holds"


def fault(finding: Finding) -> str:
    """Why a finding cannot be judged, in one line, or "" if it can."""
    limits = (finding.measured, finding.lower or 0.0, finding.upper or 0.0, finding.slack)
    if any(map(math.isnan, limits)):
        return "NaN was measured: the losses are not finite at the record's witness"
    if math.isnan(finding.bound):
        return "the formula gives NaN as the bound"
    if finding.bound == -math.inf or (finding.bound < -finding.slack and not finding.signed):
        return f"the formula gives the negative bound {finding.bound:.6g}"
    return ""
