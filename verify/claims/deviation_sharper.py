"""SGD DEVIATION, sharper in mean: independent noises add up as squares do."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from theory.constants import Constants, Real, Schedule
from theory.sharper import deviation_mean_bound
from verify.claim import Cell, Mutant, claim
from verify.claims.deviation import ASSUMPTIONS, SADDLE, deviations
from verify.verdict import Finding


def sharper_without_growth(c: Constants, s: Schedule, j: Real) -> Real:
    """Wrong: `√j` for `√((q^{2j} − 1)/(q² − 1))`, and S for √S."""
    return np.sqrt(j) * s.alpha * c.sigma_g / s.S


@claim(
    name="sharper deviation mean",
    title="Own: the mean distance from the exact path grows like √j, not like j",
    source="own: Jensen's inequality on the second moment",
    statement="E‖w_j − w̃_j‖ ≤ δ_j = ασ_g √((q^{2j} − 1)/((q² − 1)S)) for all j ≤ N",
    assumptions=ASSUMPTIONS,
    measured="as the paper's mean",
    sharp="saddle with two-point noise at j = 1, S = 1; within √(π/2) as j or S grows",
    formula=deviation_mean_bound,
    mutants=(Mutant("S for √S, √j without growth", sharper_without_growth, SADDLE),),
    cases=frozenset({"resampling"}),
    needs=("sigma_g",),
    rules=("near cap", "fixed"),
    sharp_on=(SADDLE,),
)
def sharper_deviation_mean(cell: Cell) -> Iterator[Finding]:
    """Mean distance from the exact path, against its own sharper bound."""
    return deviations(cell, 1)
