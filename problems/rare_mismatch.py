"""Few of many tasks have a train/test mismatch: its mean square is far above the square of its mean."""

from __future__ import annotations

import numpy as np

from problems.cases import finite_sum
from problems.probes import probes_around
from problems.problem import Problem
from problems.registry import register
from problems.saddle import well
from theory.constants import Constants


@register("rare-mismatch", case="finite-sum", role="sharp")
def rare_mismatch(
    N: int, alpha_L: float, *, L: float = 1.7, rho: float = 2.3, mismatch: float = 2.9, tasks: int = 64
) -> Problem:
    """Two of 64 tasks have a mismatch, of opposite signs: the mean-square mismatch in SECOND MOMENT is seen.

    `l_T = h`, a well, for every task; `l_S = h ± βw` for the first two tasks and `l_S = h` for the others.

    - `L`, `ρ` by construction, attained; `σ = 0`; lower bound: the minimum of `h`.
    - `b_i = β` for two tasks and 0 for the others, everywhere: `b = 2β/tasks`, `b_sq = 2β²/tasks`.

    At `w = 0` the two paths go `(q^N − 1)β/L` to either side and stay where `h'' = −L`, so `∇L_i = ±q^N(q^N − 1)β`,
    the others and the mean vanish, and `E_i‖∇L_i‖² = q^{2N}(q^N − 1)² b_sq`: half of the term with `b_sq`. What
    else is in the bound is of the order `b² = 2 b_sq/tasks`, small beside it where `q^{4N}/C_1²` is moderate.
    """
    slopes = np.zeros(tasks)
    slopes[:2] = mismatch, -mismatch
    radius = ((1 + alpha_L) ** N - 1) * mismatch / L + L / rho
    train, test = well(radius, L, rho, slopes), well(radius, L, rho, np.zeros(tasks))
    b, b_sq = 2 * mismatch / tasks, 2 * mismatch**2 / tasks
    return finite_sum(
        train,
        test,
        Constants(L=L, rho=rho, sigma=0.0, b=b, b_sq=b_sq, lower_bound=test.lower_bound()),
        probes=probes_around(0.0, L / rho),
        extremes=train.extremes(),
        start=[0.3 * L / rho],
        scale=L / rho,
    )
