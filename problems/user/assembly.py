"""From losses to a problem: what was given is checked, what was left out is estimated, and both are announced."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import numpy as np

from problems.noise import NoNoise
from problems.problem import Case, Problem
from problems.user.checks import show
from problems.user.constants import Known, complete_constants, left_out, loose_L, read_constants
from problems.user.estimation import FEW_ROWS, ROWS, SAFETY, Estimator
from problems.user.kinks import SEGMENTS, find_kink
from problems.user.loss import FunctionNoise
from problems.user.memory import once
from problems.user.region import Region, Vector
from problems.user.rows import Rows
from theory.constants import Constants
from theory.loss import Array, Loss

logger = logging.getLogger("problems")

SLOW_SECONDS = 5.0
"""Estimates that take longer are announced before, and told one by one."""


@dataclass(frozen=True, kw_only=True)
class Parts:
    """What a user's problem is made of; the losses have batch shape (tasks,).

    `step` is a first step for differences; `numerical` names the derivatives that are numerical, and therefore dear.
    """

    name: str
    case: Case
    inner: Loss
    outer: Loss
    tasks: int
    labels: tuple[str, ...]
    region: Region
    start: Vector
    step: float
    noise: FunctionNoise | None = None
    train_size: int = 1
    test_size: int = 1
    numerical: str = ""

    @property
    def losses(self) -> dict[str, Loss]:
        """The losses, each by what it is called in an error."""
        return {"": self.inner} if self.inner is self.outer else {": train": self.inner, ": test": self.outer}

    def assemble(self, constants: Constants | Mapping[str, float] | None) -> Problem:
        """Make the problem.

        Raises ValueError, in one line, where the losses have kinks, and where constants are wrong or cannot be
        estimated. Nothing is looked for that the parent of this process has found.
        """
        known: Known = once(lambda: self._examine(constants))
        noise = self.noise and replace(self.noise, gradient_sup=known.gradient_sup, hessian_sup=known.hessian_sup)
        return Problem(
            name=self.name,
            case=self.case,
            dim=len(self.start),
            constants=known.constants,
            inner=self.inner,
            outer=self.outer,
            number_of_tasks=self.tasks,
            probes=uniform_probes(self.region.centre - self.region.core, self.region.centre + self.region.core),
            start=self.start,
            noise=noise or NoNoise(self.inner),
            train_size=self.train_size,
            test_size=self.test_size,
            gradient_bound=known.gradient_bound,
            scale=self.region.reach / 8,
            estimated=known.estimated,
        )

    def _examine(self, constants: Constants | Mapping[str, float] | None) -> Known:
        given = read_constants(constants, self.case, self.noise is not None)
        if self.numerical != "gradient and hvp":
            self._require_no_kinks()
        estimator = Estimator(
            self.inner,
            self.outer,
            self.noise,
            self.tasks,
            self.region,
            self.start,
            self.step,
            L_given=given.get("L"),
            rows=FEW_ROWS if self.numerical else ROWS,
        )
        known = complete_constants(given, estimator, self._announced(left_out(given), estimator.products))
        if "L" in given and not self.numerical and (line := loose_L(given["L"], estimator)):
            logger.warning(f"{self.name}: {line}")
        if known.estimated:
            names = ", ".join(known.estimated)
            logger.warning(f"{self.name}: estimated {estimator.where()}, the largest met times {SAFETY}: {names}")
        return known

    def _require_no_kinks(self) -> None:
        """Look across the region, and near the start, for points where a gradient jumps."""
        rng = np.random.default_rng(0)
        rows = max(SEGMENTS, 2 * self.tasks)
        a, b = (self.region.points(rows, rng) for _ in range(2))
        ends = Rows(a, np.arange(rows) % self.tasks)
        for label, loss in self.losses.items():
            kink = find_kink(loss, ends, b)
            if kink is not None:
                raise ValueError(
                    f"{self.labels[kink.task]}{label}: the gradient jumps by {kink.jump:.3g} within "
                    f"{kink.distance:.0e} of w = {show(kink.w)}: the loss has a kink there, and the theory needs "
                    "smooth losses (softplus, tanh or GELU for ReLU, √(x² + ε) for |x|)"
                )

    def _announced(self, names: tuple[str, ...], products: int) -> Callable[[str, float], None]:
        """Say before what estimates cost, where that is much; returns what tells of each."""
        seconds = products * self._seconds_of_a_product() if names else 0.0
        if seconds < SLOW_SECONDS:
            return silent
        logger.warning(f"{self.name}: estimating {', '.join(names)}: about {seconds:.0f} s, less with constants given")
        began = time.perf_counter()

        def tell(name: str, value: float) -> None:
            logger.warning(f"{self.name}: {name} = {value:.4g} ({time.perf_counter() - began:.0f} s)")

        return tell

    def _seconds_of_a_product(self) -> float:
        w = self.start + np.zeros((4, 1, len(self.start)))
        self.inner.hvp(w, np.ones(len(self.start)))
        began = time.perf_counter()
        self.inner.hvp(w, np.ones(len(self.start)))
        return (time.perf_counter() - began) / len(w)


def silent(name: str, value: float) -> None:
    """Tell nothing."""


def uniform_probes(low: Array, high: Array) -> Callable[[int, np.random.Generator], Array]:
    """Probe points uniform in the box `low ≤ w ≤ high` (d,): a function of their number and a generator."""
    return lambda count, rng: rng.uniform(low, high, size=(count, len(low)))
