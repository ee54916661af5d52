"""Runs along other directions than the meta-gradient: the least gradient norm that they meet, beside a guarantee."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from theory.algorithms import run
from theory.convergence import Guarantee
from theory.maml import Direction
from theory.paper import Paper
from verify.cell import Cell
from verify.claim import Way
from verify.evidence.rounding import unit
from verify.evidence.runs import chosen_by, run_error, schedule
from verify.verdict import Finding


@dataclass(frozen=True)
class LeastGradient(Way):
    """Run along a direction from the problem's start; what is decorated takes the cell and the paper at its schedule.

    A problem that is made for a schedule is run by its `C_β` and K, any other by this `C_β`.
    """

    direction: Callable[[Cell], Direction]
    C_beta: float = 1.0
    long = True

    def findings(self, cell: Cell, measure: Callable[[Cell, Paper], Guarantee]) -> Iterator[Finding]:
        """One run, which draws nothing."""
        problem, promise = cell.problem, partial(measure, cell)
        s = schedule(
            cell, **{"C_beta": self.C_beta, "K": cell.effort.meta_steps, **chosen_by(problem, ("C_beta", "K"))}
        )
        bound = float(promise(cell.paper_at(s)).bound)
        trajectory = run(
            "exact", problem, cell.constants, s, problem.start, cell.rng("run"), direction=self.direction(cell)
        )
        # Rounding costs as much descent as the longer of gradient and direction lets it.
        moved = np.linalg.norm(np.diff(trajectory.points, axis=1), axis=-1) / trajectory.meta_stepsize
        longer = replace(trajectory, gradient_norm=np.maximum(trajectory.gradient_norm, moved))
        error, drift = run_error(problem, s, longer)
        drifted = float(promise(cell.paper_at(replace(s, Delta=float(s.Delta) + drift))).bound)
        yield Finding(
            measured=float(trajectory.gradient_norm[0].min()),
            bound=bound,
            slack=float(s.K) * error + (drifted - bound) + unit(problem) * (cell.N + 1) * bound,
            method="run",
            label=f"C_β = {s.C_beta:g}, K = {s.K:g}",
            witness={"C_beta": float(s.C_beta), "K": float(s.K), "Delta": float(s.Delta)},
        )
