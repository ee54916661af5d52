"""Few of many tasks are tilted, or mismatched: mean squares over tasks are far above the squares of means."""

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

    See `_rare` for the losses and their constants; here nothing is tilted, `s = 0`, and `β = mismatch`.

    At `w = 0`, the first probe, `E_i‖∇L_i‖² = q^{2N}(q^N − 1)² b_sq`: half of the term with `b_sq`. What else is in the
    bound is of the order `b² = 2 b_sq/tasks`, small beside it where `q^{4N}/C_1²` is moderate.
    """
    return _rare(N, alpha_L, L, rho, 0.0, mismatch, tasks)


@register("rare", case="finite-sum", role="sharp")
def rare(
    N: int,
    alpha_L: float,
    *,
    L: float = 1.7,
    rho: float = 2.3,
    tilt: float = 1.3,
    mismatch: float = 2.9,
    tasks: int = 256,
) -> Problem:
    """Two of many tasks are tilted and mismatched: SECOND MOMENT (finite-sum) is `(Qσ + R√b_sq)²`, the own bound.

    See `_rare` for the losses and their constants. At `w = 0`, the first probe, `E_i‖∇L_i‖² = (Qσ + R√b_sq)²`; the own
    bound is `(√(m²/(1 − x) + Q²σ²) + R√b_sq)²`, `m = Rb`, and `b² = 2 b_sq/tasks`: the ratio tends to 1 with many
    tasks.
    """
    return _rare(N, alpha_L, L, rho, tilt, mismatch, tasks)


@register("rare-tuned", case="finite-sum", role="sharp")
def rare_tuned(
    N: int, alpha_L: float, *, L: float = 1.7, rho: float = 2.3, tilt: float = 1.3, tasks: int = 512
) -> Problem:
    """Two of many tasks, with `Qσ = R√b_sq`: the paper's SECOND MOMENT (finite-sum), factors 2 included, is attained.

    See `_rare` for the losses and their constants; `β = Qs/R` (`s` where N or α is zero, and with them R). At `w = 0`,
    the first probe, `E_i‖∇L_i‖² = 4Q²σ²`; the paper's `A_sq1 G² + A_sq2` with `G = 0` has `4Q²σ²` and terms of the
    orders `b²` and `C_2²σ²`: the ratio is `1/(1 + (C_2 + Q√(2/tasks))²/C_1²)`, 1 as αL falls and
    tasks are many (at `NαL = 0.01` 0.992 with 512, 0.997 with 2048).
    """
    growth = (1 + alpha_L) ** N
    mismatch = tilt * growth / (growth - 1) if growth > 1 else tilt
    return _rare(N, alpha_L, L, rho, tilt, mismatch, tasks)


def _rare(N: int, alpha_L: float, L: float, rho: float, tilt: float, mismatch: float, tasks: int) -> Problem:
    """Build `tasks` wells h, the first two of them tilted: `l_T = h ± sw` and `l_S = h ± (s + β)w`.

    - `L`, `ρ` by construction, attained; lower bound: the mean of the minima of the test losses.
    - The tilts are the same at every w: `σ² = 2s²/tasks`, and `b_i = β` for two tasks: `b = 2β/tasks`,
      `b_sq = 2β²/tasks`.

    At `w = 0` the two paths go `(q^N − 1)(s + β)/L` to either side and stay where `h'' = −L`, so
    `∇L_i = ±q^N(q^N s + (q^N − 1)β) = ±(Qs + Rβ)`, `R = q^N(q^N − 1)`; the others and the mean vanish.
    """
    signs = np.zeros(tasks)
    signs[:2] = 1, -1
    radius = ((1 + alpha_L) ** N - 1) * (tilt + mismatch) / L + L / rho
    train, test = well(radius, L, rho, signs * (tilt + mismatch)), well(radius, L, rho, signs * tilt)
    return finite_sum(
        train,
        test,
        Constants(
            L=L,
            rho=rho,
            sigma=tilt * np.sqrt(2 / tasks),
            b=2 * mismatch / tasks,
            b_sq=2 * mismatch**2 / tasks,
            lower_bound=test.lower_bound(),
        ),
        probes=probes_around(0.0, L / rho),
        extremes=train.extremes(),
        start=[0.3 * L / rho],
        scale=L / rho,
    )
