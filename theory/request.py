"""What a plan is asked for."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any, Literal, get_args

from theory.algorithms import Algorithm
from theory.complexity import THEOREMS, TIGHT, Theorems, oracle_calls
from theory.constants import Constants, Real, Schedule
from theory.convergence import Theorem
from theory.growth import recommended_stepsize, stepsize_cap
from theory.symbols import Symbols
from theory.validation import integer, one_of, real

ALWAYS = {"resampling": ("sigma", "sigma_g"), "finite-sum": ("sigma",), "exact": ("sigma",)}
WITH_STEPS = {"resampling": ("rho", "sigma_H"), "finite-sum": ("rho", "b", "b_sq"), "exact": ("rho", "b")}
"""Constants that a theorem needs to be finite: at every N, and where N > 0."""


def needed(case: Algorithm, N: int) -> tuple[str, ...]:
    """Constants without which the theorem of a case says nothing."""
    return ALWAYS[case] + (WITH_STEPS[case] if N > 0 else ())


@dataclass(frozen=True, kw_only=True)
class Request:
    """What a schedule must achieve: `ḡ ≤ epsilon` from a gap `Delta`, by N inner steps of at least `alpha_min`.

    The constants of the theorems rise with α, so the cheapest certified α would be none at all (and the meta
    objective the mean loss, not adapted). A request therefore says how little adaptation is enough: `alpha_min`.

    Attributes
    ----------
    constants : constants of the problem; those that the case does not read count as zero. The resampling case does not
        read `b` and `b_sq`; the finite-sum case and exact MAML do not read `sigma_g` and `sigma_H`.
    N : inner steps.
    epsilon : accuracy of the mean over the meta steps of `E‖∇L(w_k)‖`.
    case : "resampling" (Algorithm 1), "finite-sum" (Algorithm 2) or "exact".
    Delta : `Δ = L(w_0) − L*`, the gap at the start at the planned α, or an upper bound of it.
    train_size, test_size : data per task, |S_i| and |T_i|; not read in the resampling case.
    alpha_min : least inner stepsize; None becomes the paper's 1/(8NL).
    number_of_tasks : tasks that exact MAML goes through in each step; read in that case only.
    max_oracle_calls : the most that the run may cost.
    certified_by : "tight" for the own theorems, which are never above the paper's and certify cheaper runs, or "paper".

    Raises
    ------
    ValueError : a field is out of its range, or an infinite constant or a stepsize keeps the theorem from speaking.
    """

    constants: Constants
    N: int
    epsilon: float
    case: Algorithm
    Delta: float
    train_size: int = 1
    test_size: int = 1
    alpha_min: float | None = None
    number_of_tasks: int = 1
    max_oracle_calls: float = math.inf
    certified_by: Literal["tight", "paper"] = "tight"

    def __post_init__(self) -> None:
        one_of("case", self.case, get_args(Algorithm))
        one_of("certified_by", self.certified_by, ("tight", "paper"))
        integer("N", self.N, low=0)
        for name in ("train_size", "test_size", "number_of_tasks"):
            integer(name, getattr(self, name), low=1)
        real("epsilon", self.epsilon, open_low=True)
        real("Delta", self.Delta, infinite=True)
        if math.isinf(self.Delta):
            raise ValueError("Delta = inf is not allowed: Delta must be finite (the losses need a lower bound)")
        self._require_finite_constants()
        self._require_stepsize()
        real("max_oracle_calls", self.max_oracle_calls, open_low=True, infinite=True)

    def _require_finite_constants(self) -> None:
        unread = ("b", "b_sq") if self.case == "resampling" else ("sigma_g", "sigma_H")
        object.__setattr__(self, "constants", replace(self.constants, **dict.fromkeys(unread, 0.0)))
        for name in needed(self.case, self.N):
            if math.isinf(getattr(self.constants, name)):
                raise ValueError(
                    f"{name} = inf is not allowed: {name} must be finite (the {self.case} theorem needs it)"
                )

    def _require_stepsize(self) -> None:
        real("alpha_min", self.least_alpha, open_low=True)
        if self.least_alpha >= self.cap:
            raise ValueError(
                f"alpha_min = {self.least_alpha:g} is not allowed: alpha_min must be < {self.cap:g}, "
                f"the cap at N = {self.N}"
            )

    @property
    def least_alpha(self) -> float:
        """Least inner stepsize."""
        return float(recommended_stepsize(self.constants, self.N)) if self.alpha_min is None else self.alpha_min

    @property
    def cap(self) -> float:
        """What α must stay below."""
        return float(stepsize_cap(self.constants, self.N))

    @property
    def counts(self) -> tuple[str, ...]:
        """Batch sizes that the algorithm chooses and that play a part."""
        if self.case == "exact":
            return ()
        if self.case == "finite-sum":
            return ("B", "B_prime")
        return ("B", *(("S", "D") if self.N > 0 else ()), "T", "B_prime", "D_L")

    def schedule(self, **choices: Any) -> Schedule:
        """Return a schedule that makes `choices`."""
        tasks = self.number_of_tasks if self.case == "exact" else 1
        given = {"N": self.N, "alpha": self.least_alpha, "Delta": self.Delta, "B": tasks, "B_prime": tasks}
        return Schedule(**{**given, **choices})

    def theorem(self, **choices: Any) -> Theorem:
        """Return the theorem of the case at `choices`, where counts may be any real numbers."""
        return self.theorems[self.case](self.constants, self.schedule(), **choices)

    @property
    def theorems(self) -> Theorems:
        """The theorems that certify."""
        return TIGHT if self.certified_by == "tight" else THEOREMS

    def cost(self, s: Schedule | Symbols) -> Real:
        """Oracle calls of the whole run."""
        return oracle_calls(s, self.case, self.train_size, self.test_size).total
