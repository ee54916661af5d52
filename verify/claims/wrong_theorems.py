"""Theorems with an error built in, for the suite to refute."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TypeAlias

from theory.constants import Constants, Real, Schedule
from theory.convergence import Guarantee, root_bound
from verify.claim import Formula

Factor: TypeAlias = Callable[[Schedule], Real]


def unchanged(s: Schedule) -> Real:
    """Leave a term as it is."""
    return 1.0


def wrong(of: Formula, gap: Factor = unchanged, noise: Factor = unchanged, G: float = 1.0) -> Formula:
    """Return the theorem `of` with factors on the share of R that comes from Δ, on the rest of R, and on G."""

    def formula(c: Constants, s: Schedule) -> Guarantee:
        right: Guarantee = of(c, s)
        rest = of(c, replace(s, Delta=0.0)).R
        return replace(right, bound=root_bound(gap(s) * (right.R - rest) + noise(s) * rest, right.A, G * right.G))

    return formula


def scaled_R(of: Formula, factor: float) -> Formula:
    """`R` times a factor."""
    return wrong(of, gap=lambda s: factor, noise=lambda s: factor)


def fast_rate(of: Formula) -> Formula:
    """`K^{1.1}` for `K`."""
    return wrong(of, gap=lambda s: s.K**-0.1)


def no_G(of: Formula) -> Formula:
    """`L_w ≤ A` for `L_w ≤ A + G‖∇L‖`."""
    return wrong(of, G=0.0)


def no_noise(of: Formula) -> Formula:
    """The noise dropped."""
    return wrong(of, noise=lambda s: 0.0)


def small_noise(of: Formula) -> Formula:
    """An eighth of the noise."""
    return wrong(of, noise=lambda s: 1 / 8)


def fast_averaging(of: Formula) -> Formula:
    """`B²` for `B`."""
    return lambda c, s: of(c, replace(s, B=s.B**2))
