"""A problem: task losses with proved constants, and what a verification needs to know about them."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np
import numpy.typing as npt

from problems.noise import DataNoise
from theory.constants import Constants
from theory.loss import Array, Loss, TaskIndex
from theory.maml import meta_objective

Case: TypeAlias = Literal["resampling", "finite-sum"]


@dataclass(frozen=True, kw_only=True)
class Problem:
    """A family of tasks, drawn uniformly, with constants that hold for all of them.

    Attributes
    ----------
    name : shown in every record.
    case : "resampling" (inner and outer loss agree) or "finite-sum" (training and test losses).
    dim : dimension d of `w`.
    constants : the constants of the assumptions.
    inner, outer : losses of all tasks, batch shape (tasks,). In the resampling case both are the population losses.
    probes : draws `count` points (count, d) at which claims are examined.
    start : (d,) where the algorithms start.
    noise : data noise of the resampling case; None in the finite-sum case.
    train_size, test_size : data points per training and test set (finite-sum; 1 otherwise).
    number_of_tasks : the length of the batch of `inner`.
    gradient_bound : sup of ‖∇l_i(w)‖ (finite-sum: of training and test losses) over tasks and points; infinite where
        unbounded. Monte-Carlo intervals of whole runs rest on it.
    analytic : the losses accept complex `w`, so that a complex step differentiates them.
    scale : a typical distance over which the losses vary; searches start with steps of this size.
    estimated : names of constants that were estimated by maximisation and not proved.
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
    noise: DataNoise | None = None
    train_size: int = 1
    test_size: int = 1
    gradient_bound: float = math.inf
    analytic: bool = False
    scale: float = 1.0
    estimated: tuple[str, ...] = ()

    def minibatch(self, tasks: TaskIndex, size: int, rng: np.random.Generator) -> Loss:
        """Fresh minibatch losses of `size` data each; raises ValueError in the finite-sum case, which has no noise."""
        if self.noise is None:
            raise ValueError(f"problem {self.name} has no data noise: Algorithm 1 needs the resampling case")
        return self.noise.minibatch(tasks, size, rng)

    def initial_gap(self, alpha: float, N: int) -> float:
        """Δ = L(w_0) − L*, with the proved lower bound in place of the infimum."""
        value = meta_objective(self.start[None], alpha, N, self.inner, self.outer).mean()
        return float(value) - self.constants.lower_bound
