"""A problem: task losses with proved constants, and what a verification needs to know about them."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Literal, TypeAlias

import numpy as np
import numpy.typing as npt

from problems.noise import DataNoise, NoNoise
from theory.constants import Constants, Schedule
from theory.loss import Array, Loss, TaskIndex
from theory.maml import meta_objective
from theory.validation import suggestion

Case: TypeAlias = Literal["resampling", "finite-sum"]
SCHEDULE = tuple(field.name for field in fields(Schedule))


@dataclass(frozen=True, kw_only=True)
class Problem:
    """A family of tasks, drawn uniformly, with constants that hold for all of them.

    `resampling` and `finite_sum` make one of its losses and fill in what the case settles.

    Attributes
    ----------
    name : shown in every record.
    case : "resampling" (inner and outer loss agree) or "finite-sum" (training and test losses).
    dim : dimension d of `w`.
    constants : the constants of the assumptions.
    inner, outer : losses of all tasks, batch shape (tasks,). In the resampling case both are the population losses.
    probes : draws `count` points (count, d) at which claims are examined.
    start : (d,) where the algorithms start.
    noise : data noise of the resampling case; `NoNoise` where a step uses all data, as in the finite-sum case.
    train_size, test_size : data points per training and test set (finite-sum; 1 otherwise).
    number_of_tasks : the length of the batch of `inner`.
    gradient_bound : sup of ‖∇l_i(w)‖ (finite-sum: of training and test losses) over tasks and points; infinite where
        unbounded. Monte-Carlo intervals of whole runs rest on it.
    gradient_radius : where gradients are unbounded, `gradient_bound` may hold for ‖w‖ ≤ `gradient_radius` only, a ball
        that no run from `start` leaves.
    analytic : the losses accept complex `w`, so that a complex step differentiates them.
    extremes : points (m, d) at or near which the constants are attained; the audit of the constants looks there too.
    scale : a typical distance over which the losses vary; searches start with steps of this size.
    estimated : names of constants that were estimated by maximisation and not proved.
    made_for : fields of the schedule at which a sharp instance attains its bound, for instance `C_beta` and `K` of the
        run that a ramp is as long as. Where it names none, any schedule will do.
    linear_within : distance in every coordinate from the meta-minimiser 0 up to which a step of exact MAML with a fixed
        meta stepsize is linear up to 1e-7; 0 where there is no such place. Critical stepsizes are measured there.

    Raises
    ------
    ValueError : `made_for` names what no schedule has.
    """

    name: str
    case: Case
    dim: int
    constants: Constants
    inner: Loss
    outer: Loss
    number_of_tasks: int
    probes: Callable[[int, np.random.Generator], Array]
    start: npt.NDArray[np.float64]
    noise: DataNoise
    train_size: int = 1
    test_size: int = 1
    gradient_bound: float = math.inf
    gradient_radius: float = math.inf
    extremes: npt.NDArray[np.float64] = field(default_factory=lambda: np.empty((0, 0)))
    analytic: bool = False
    scale: float = 1.0
    estimated: tuple[str, ...] = ()
    made_for: Mapping[str, float] = field(default_factory=dict)
    linear_within: float = 0.0

    def __post_init__(self) -> None:
        for name in self.made_for:
            if name not in SCHEDULE:
                hint = suggestion(name, SCHEDULE)
                raise ValueError(f"made_for: {name!r} is not allowed{hint} (a schedule has {', '.join(SCHEDULE)})")

    @property
    def deterministic(self) -> bool:
        """Whether Algorithms 1 and 2 have nothing to draw: one task, and no data noise."""
        return self.number_of_tasks == 1 and isinstance(self.noise, NoNoise)

    def audited(self) -> Problem:
        """The same problem, but up to half of its probes, the last ones, are its `extremes`."""
        if not len(self.extremes):
            return self

        def probes(count: int, rng: np.random.Generator) -> Array:
            shown = min(len(self.extremes), count // 2)
            chosen = np.linspace(0, len(self.extremes) - 1, shown).round().astype(np.intp)
            return np.concatenate([self.probes(count - shown, rng), self.extremes[chosen]])

        return replace(self, probes=probes)

    def minibatch(self, tasks: TaskIndex, size: int, rng: np.random.Generator) -> Loss:
        """Fresh minibatch losses of `size` data each; raises ValueError in the finite-sum case, which samples none."""
        if self.case == "finite-sum":
            raise ValueError(f"problem {self.name} has no data noise: Algorithm 1 needs the resampling case")
        return self.noise.minibatch(tasks, size, rng)

    def initial_gap(self, alpha: float, N: int) -> float:
        """Δ = L(w_0) − L*, with the proved lower bound in place of the infimum."""
        value = meta_objective(self.start[None], alpha, N, self.inner, self.outer).mean()
        return float(value) - self.constants.lower_bound
