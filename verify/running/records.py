"""Records: the name of a cell, and what one of its checks found, as a line of JSON."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any, get_args

import numpy as np

from verify.cell import StepsizeRule
from verify.claim import is_audit
from verify.verdict import Verdict

INTEGERS = ("N", "seed", "index", "checks", "samples")
REALS = ("alpha_L", "measured", "bound", "lower", "upper", "slack", "tightness", "seconds")


class RunError(Exception):
    """A run cannot go on, for the reason in this one line; the records that it has written are kept."""


@dataclass(frozen=True, kw_only=True)
class Job:
    """The name of one cell: strings and numbers only, from which any worker rebuilds the cell.

    Attributes
    ----------
    claim, problem : names, as shown; the draws of the cell are keyed by them.
    problem_spec : what loads the problem: its name again, or `FILE.py:FACTORY` with the file's full path.
    N, rule : inner steps and stepsize rule.
    profile, seed : effort and seed of the run.
    mutant : name of the mutant whose formula stands in for the right one; "" for the right one.
    """

    claim: str
    problem: str
    problem_spec: str
    N: int
    rule: StepsizeRule
    profile: str
    seed: int
    mutant: str = ""

    @property
    def is_audit(self) -> bool:
        """Whether it examines the constants of the problem, on which every other claim rests."""
        return is_audit(self.claim)


@dataclass(frozen=True, kw_only=True)
class Record(Job):
    """One check: the cell it belongs to, what was measured beside its bound, and the verdict.

    A number that is absent or NaN is None. `index` of `checks` says which of the cell's checks it is.
    `estimated` names the constants of the problem that were estimated and not proved. All but `seconds` is determined
    by the job.
    """

    alpha_L: float
    index: int
    checks: int
    verdict: Verdict
    label: str = ""
    measured: float | None = None
    bound: float | None = None
    lower: float | None = None
    upper: float | None = None
    slack: float | None = None
    tightness: float | None = None
    method: str = ""
    samples: int = 0
    witness: Mapping[str, Any] = field(default_factory=dict)
    note: str = ""
    traceback: str = ""
    estimated: tuple[str, ...] = ()
    seconds: float = 0.0

    @property
    def job(self) -> Job:
        """The cell that this check belongs to; evaluating it again gives the same record."""
        return Job(**{f.name: getattr(self, f.name) for f in fields(Job)})

    @property
    def where(self) -> str:
        """Where the check was made, in a few words."""
        return ", ".join(filter(None, (self.problem, f"N = {self.N}", self.rule, self.label)))

    def to_json(self) -> str:
        """One line of strict JSON: an infinite number is the string "inf" or "-inf"."""
        values = {f.name: getattr(self, f.name) for f in fields(self)}
        return json.dumps(plain(values), ensure_ascii=False, allow_nan=False)

    @classmethod
    def from_json(cls, line: str | bytes) -> Record:
        """Inverse of `to_json`; raises ValueError (or KeyError, TypeError) where the line is no record."""
        values = json.loads(line)
        if values["verdict"] not in get_args(Verdict) or not all(type(values[name]) is int for name in INTEGERS):
            raise ValueError("not a record")
        for name in REALS:
            if values[name] is not None:
                values[name] = float(values[name])
        return cls(**{**values, "estimated": tuple(values["estimated"])})


def plain(value: Any) -> Any:
    """Return `value` as JSON can hold it: NumPy becomes plain, NaN becomes None, infinities become strings."""
    if isinstance(value, np.generic | np.ndarray):
        return plain(value.tolist())
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    if isinstance(value, float):
        if math.isnan(value):
            return None
        return value if math.isfinite(value) else str(value)
    return value if value is None or isinstance(value, bool | int | str) else str(value)
