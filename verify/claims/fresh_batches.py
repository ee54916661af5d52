"""META-GRADIENT of Algorithm 1: every minibatch is drawn afresh, and serves for one thing only."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import numpy as np

from theory.loss import Array, Loss, TaskIndex
from theory.maml import adapt, pull_back, stochastic_meta_gradient
from verify.cell import Cell
from verify.claim import Mutant, claim, paper
from verify.statements import META_GRADIENT
from verify.verdict import Finding

SIZES = (4, 7, 5)
"""`(S, D, T)`, unequal, so that a batch of the wrong size shows."""


@dataclass(frozen=True)
class Watched(Loss):
    """A minibatch that notes what it is asked for."""

    loss: Loss
    uses: Counter[str] = field(default_factory=Counter)

    def value(self, w: Array) -> Array:
        """Loss at `w`."""
        return self.loss.value(w)

    def gradient(self, w: Array) -> Array:
        """Gradient at `w`, noted."""
        self.uses["gradient"] += 1
        return self.loss.gradient(w)

    def hvp(self, w: Array, v: Array) -> Array:
        """Hessian-vector product, noted."""
        self.uses["hessian"] += 1
        return self.loss.hvp(w, v)

    def take(self, tasks: TaskIndex) -> Watched:
        """The same losses for some tasks, noted in the same place."""
        return Watched(self.loss.take(tasks), self.uses)


Sizes = tuple[int, int, int]
Minibatch = Callable[[TaskIndex, int], Loss]


def one_batch_for_both(w: Array, alpha: float, N: int, chosen: TaskIndex, sizes: Sizes, minibatch: Minibatch) -> Array:
    """Wrong: the Hessians of the batches that made the steps."""
    steps = [minibatch(chosen, sizes[0]) for _ in range(N)]
    path = adapt(w, alpha, steps)
    return pull_back(minibatch(chosen, sizes[2]).gradient(path[-1]), path, alpha, steps)


def one_batch_for_all_steps(
    w: Array, alpha: float, N: int, chosen: TaskIndex, sizes: Sizes, minibatch: Minibatch
) -> Array:
    """Wrong: the same batch at every step."""
    path = adapt(w, alpha, [minibatch(chosen, sizes[0])] * N)
    v = minibatch(chosen, sizes[2]).gradient(path[-1])
    return pull_back(v, path, alpha, [minibatch(chosen, sizes[1]) for _ in range(N)])


@claim(
    "fresh batches",
    META_GRADIENT,
    "Algorithm 1 draws every minibatch afresh and uses it once",
    says="N batches of S data for steps, N of D data for Hessians and one of T data for the last gradient; each "
    "serves for one gradient or Hessian-vector product",
    source=paper("Algorithm 1: S_{0..N−1}, D_{0..N−1} and T are fresh and independent"),
    measured="uses of the most used batch, and numbers of batches of each size, noted by the batches themselves; equal",
    at=("recommended",),
    cases=frozenset({"resampling"}),
    sharp="every problem: an equality",
    settled="an equality",
    formula=stochastic_meta_gradient,
    mutants=(
        Mutant("D for S: one batch for step and Hessian", "quadratic", rule="recommended", formula=one_batch_for_both),
        Mutant("one batch for all steps", "quadratic", rule="recommended", formula=one_batch_for_all_steps),
    ),
)
def fresh_batches(cell: Cell) -> Iterator[Finding]:
    """Watch the batches of one meta-gradient."""
    problem, rng = cell.problem, cell.rng("data")
    drawn: list[tuple[int, Watched]] = []

    def minibatch(chosen: TaskIndex, size: int) -> Loss:
        drawn.append((size, Watched(problem.minibatch(chosen, size, rng))))
        return drawn[-1][1]

    everyone = np.arange(problem.number_of_tasks)
    cell.formula(problem.start, cell.alpha, cell.N, everyone, SIZES, minibatch)
    uses = Counter((size, kind) for size, batch in drawn for kind in batch.uses.elements())
    S, D, T = SIZES
    for label, measured, bound in (
        ("uses of a batch", max(batch.uses.total() for _, batch in drawn), 1),
        ("batches of S for steps", uses[S, "gradient"], cell.N),
        ("batches of D for Hessians", uses[D, "hessian"], cell.N),
        ("batches of T for the last gradient", uses[T, "gradient"], 1),
    ):
        yield Finding(measured=float(measured), bound=float(bound), attained=True, label=label)
