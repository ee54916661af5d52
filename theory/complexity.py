"""What a run costs in oracle calls, and how many meta steps a theorem asks for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TypeAlias, get_args

import numpy as np
import numpy.typing as npt

from theory.algorithms import Algorithm
from theory.constants import Constants, Real, Schedule
from theory.convergence import Exact, FiniteSum, Guarantee, Resampling, Theorem
from theory.extended import Extended, plain
from theory.growth import Growth
from theory.symbols import Symbols
from theory.tight import ExactTight, FiniteSumTight, ResamplingTight
from theory.validation import integer, one_of, real


@dataclass(frozen=True)
class OracleCalls:
    """Gradients and Hessians asked for, in data points (a Hessian-vector product counts as one Hessian)."""

    gradients: Real
    hessians: Real

    @property
    def total(self) -> Real:
        """Gradients and Hessians together."""
        return plain(Extended(self.gradients) + self.hessians)


def step_oracle_calls(s: Schedule | Symbols, case: Algorithm, train_size: Real = 1, test_size: Real = 1) -> OracleCalls:
    """COMPLEXITY: oracle calls of one meta step, the estimate of the meta stepsize included.

    Resampling: `B(NS + T) + B'D_L` gradients, `BND` Hessians. Finite-sum: `B(N|S_i| + |T_i|) + B'|T_i|` gradients,
    `BN|S_i|` Hessians. Exact MAML: as finite-sum with all tasks in both places, `B` = number of tasks.

    Parameters
    ----------
    s : a schedule, or the symbols of the paper at one.
    case : "resampling", "finite-sum" or "exact".
    train_size, test_size : |S_i| and |T_i|, data per task; not read in the resampling case.

    Raises ValueError for an unknown case or a size below 1.

    Source: Ji, Yang, Liang (2022), complexity corollaries.

    >>> calls = step_oracle_calls(Schedule(N=2, alpha=0.1, B=3, B_prime=4), "finite-sum", train_size=10, test_size=5)
    >>> int(calls.gradients), int(calls.hessians)
    (95, 60)
    """
    one_of("case", case, get_args(Algorithm))
    integer("train_size", train_size, low=1)
    integer("test_size", test_size, low=1)
    S, D, T, D_L = (s.S, s.D, s.T, s.D_L) if case == "resampling" else (train_size, train_size, test_size, test_size)
    tasks_for_stepsize = s.B if case == "exact" else s.B_prime
    B, N = Extended(s.B), Extended(s.N)
    gradients = B * (N * S + T) + Extended(tasks_for_stepsize) * D_L
    return OracleCalls(plain(gradients), plain(B * N * D))


def oracle_calls(s: Schedule | Symbols, case: Algorithm, train_size: Real = 1, test_size: Real = 1) -> OracleCalls:
    """Oracle calls of a whole run of K meta steps; arguments, errors and source as `step_oracle_calls`."""
    step = step_oracle_calls(s, case, train_size, test_size)
    K = Extended(s.K)
    return OracleCalls(plain(K * step.gradients), plain(K * step.hessians))


_SLACK = np.array([[1e-3], [1e-6], [1e-9], [1e-12], [0.0], [0.0], [0.0]])
_OFFSET = np.array([[1.0], [1.0], [1.0], [1.0], [1.0], [0.0], [-1.0]])
"""Meta steps that are tried, relative to the real number that the theorem needs, and beyond."""

Theorems: TypeAlias = Mapping[Algorithm, type[Theorem]]
"""A theorem for each algorithm."""
THEOREMS: Theorems = {"exact": Exact, "finite-sum": FiniteSum, "resampling": Resampling}
TIGHT: Theorems = {"exact": ExactTight, "finite-sum": FiniteSumTight, "resampling": ResamplingTight}
"""The own ones; they speak wherever the paper's cap holds."""


def theorem(c: Constants, s: Schedule, case: Algorithm, theorems: Theorems = THEOREMS) -> Guarantee:
    """Return what the theorem of `case` promises; errors and source as `theorem_exact` and its two siblings."""
    one_of("case", case, get_args(Algorithm))
    return theorems[case](c, s).guarantee


def steps_to_accuracy(c: Constants, s: Schedule, epsilon: Real, case: Algorithm, theorems: Theorems = THEOREMS) -> Real:
    """COMPLEXITY: the least K for which the theorem of `case` certifies `ḡ ≤ ε`; ∞ where no K does.

    Reads every field of the schedule but K; elementwise over arrays, and never a PremiseError: past the stepsize cap,
    where `c_1 ≤ 0` or where the noise alone exceeds ε the answer is ∞. Least up to rounding of the bound.
    Raises ValueError for an unknown case or an `epsilon` that is not positive and finite.

    Source: Ji, Yang, Liang (2022), complexity corollaries.
    """
    one_of("case", case, get_args(Algorithm))
    real("epsilon", epsilon, open_low=True)
    arrays = np.broadcast_arrays(*vars(s).values(), epsilon)
    *columns, accuracy = (array.ravel() for array in arrays)
    flat = Schedule(**dict(zip(vars(s), columns, strict=True)))
    capped = np.flatnonzero(Growth(c, flat).within_cap)
    needed = np.asarray(theorems[case](c, _take(flat, capped)).steps_needed(accuracy[capped]))
    index = capped[np.isfinite(needed)]
    guess = np.maximum(np.ceil(needed[np.isfinite(needed)]), 1.0)
    # The guess is off by rounding: the theorem itself decides.
    candidates = np.clip(np.ceil(guess * (1 + _SLACK)) + _OFFSET, 1.0, np.finfo(np.float64).max)
    certified = theorem(c, replace(_take(flat, index), K=candidates), case, theorems).bound <= accuracy[index]
    steps = np.full(accuracy.shape, np.inf)
    steps[index] = np.where(certified, candidates, np.inf).min(axis=0)
    return steps.reshape(arrays[0].shape)[()]


def _take(s: Schedule, index: npt.NDArray[np.intp]) -> Schedule:
    """Elements of a schedule of flat arrays."""
    return Schedule(**{name: np.asarray(values)[index] for name, values in vars(s).items()})
