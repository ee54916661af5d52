"""The paper as one object."""

from __future__ import annotations

from functools import cached_property

from theory.convergence import Exact, FiniteSum, Guarantee, Resampling
from theory.neighbours import Neighbours
from theory.sharper import ExactSharper
from theory.tight import ExactTight, FiniteSumTight, ResamplingTight, Tight, TightOnLine


class Paper(Tight, Neighbours):
    """All symbols and bounds of the paper, the own sharper ones, and those of its neighbours, at given constants.

    >>> from theory.constants import Constants, Schedule
    >>> c, s = Constants(L=2.0, sigma=1.0), Schedule(N=1, alpha=0.125, D=3)
    >>> p = Paper(c, s)
    >>> p.path(1, distance=4.0), float(p.C_1)
    (5.0, 0.4375)
    >>> wrong = Paper(c, s, D=lambda D: D**2, C_1=lambda p: 1 - p.e(p.N))
    >>> float(wrong.D), float(wrong.C_1)
    (9.0, 0.75)
    """

    @cached_property
    def exact(self) -> Guarantee:
        """What the theorem on exact MAML promises. Raises PremiseError where it does not speak."""
        return Exact(self.constants, self.schedule, **self.changes).guarantee

    @cached_property
    def finite_sum(self) -> Guarantee:
        """What the finite-sum theorem promises. Raises PremiseError where it does not speak."""
        return FiniteSum(self.constants, self.schedule, **self.changes).guarantee

    @cached_property
    def resampling(self) -> Guarantee:
        """What the resampling theorem promises. Raises PremiseError where it does not speak."""
        return Resampling(self.constants, self.schedule, **self.changes).guarantee

    @cached_property
    def exact_sharper(self) -> Guarantee:
        """What the own theorem on exact MAML promises up to the larger cap. Raises PremiseError where it is silent."""
        return ExactSharper(self.constants, self.schedule, **self.changes).guarantee

    @cached_property
    def exact_tight(self) -> Guarantee:
        """What the own tight theorem on exact MAML promises. Raises PremiseError where it does not speak."""
        return ExactTight(self.constants, self.schedule, **self.changes).guarantee

    @cached_property
    def finite_sum_tight(self) -> Guarantee:
        """What the own tight finite-sum theorem promises. Raises PremiseError where it does not speak."""
        return FiniteSumTight(self.constants, self.schedule, **self.changes).guarantee

    @cached_property
    def resampling_tight(self) -> Guarantee:
        """What the own tight resampling theorem promises. Raises PremiseError where it does not speak."""
        return ResamplingTight(self.constants, self.schedule, **self.changes).guarantee

    @cached_property
    def on_line(self) -> TightOnLine:
        """The tight statements where Hessians commute, as in one dimension; of the same constants and schedule."""
        return TightOnLine(self.constants, self.schedule, **self.changes)
