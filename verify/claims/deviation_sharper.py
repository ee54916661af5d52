"""SGD DEVIATION, sharper in mean: independent noises add up as squares do."""

from __future__ import annotations

import numpy as np

from theory.constants import Real
from theory.paper import Paper
from verify.claim import Mutant, On, claim, own
from verify.claims.deviation import ASSUMES, Deviation
from verify.statements import SGD_DEVIATION


@claim(
    "sharper deviation mean",
    SGD_DEVIATION,
    "the mean distance from the exact path grows like √j, not like j",
    says="E‖w_j − w̃_j‖ ≤ δ_j = ασ_g √((q^{2j} − 1)/((q² − 1)S)) for all j ≤ N",
    source=own("Jensen's inequality on the second moment"),
    assumes=ASSUMES,
    measured="as the paper's mean",
    by=Deviation(power=1),
    cases=frozenset({"resampling"}),
    needs=("sigma_g",),
    at=("near cap", "fixed"),
    also=("saddle-noise",),
    attained=(
        On(
            "martingale-tent",
            "|w_j − w̃_j| = δ_j for certain, at every j",
            within=1e-9,
            N=(1, 2, 3),
            at=("near cap", "fixed"),
            only="S = 1",
            alone=True,
        ),
    ),
    sharp="open for S ≥ 2; noise that does not depend on w: saddle-noise at j = 1, within √(π/2) as j or S grows",
    mutants=(
        Mutant(
            "S for √S, √j without growth",
            "saddle-noise",
            delta=lambda p, j: np.sqrt(j) * p.alpha * p.sigma_g / p.S,
        ),
    ),
)
def sharper_deviation_mean(paper: Paper, j: Real) -> Real:
    """Mean distance from the exact path, against its own sharper bound."""
    return paper.delta(j)
