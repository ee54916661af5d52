"""Two halves of a cusp whose mean gradients along the path cancel: the floor of Reptile."""

from __future__ import annotations

from problems.line_problem import line_problem
from problems.losses.joined import joined
from problems.probes import probes_around
from problems.problem import Problem
from problems.registry import register


@register("offset-cusp", case="resampling", role="sharp")
def offset_cusp(N: int, alpha_L: float, *, L: float = 1.7, rho: float = 2.3, steepness: float = 10_000.0) -> Problem:
    """A fixed point of Reptile where the meta-gradient is as large as it can be at `N = 1`, or as `αL → 0`.

    Two tasks: `l_+'' = −L` left of 0, rising with slope ρ to `+L` right of it; `l_−'' = +L` right of 0, falling to `−L`
    left of it; both rise to `+L` far left. So `L` and `ρ` are attained; no noise: `σ_g = σ_H = 0`; the lower bound is
    the mean of the minima.

    With `l_+'(0) = s = steepness · L²/ρ` the path of `l_+` from `w = 0` moves left, where every step multiplies by q;
    with `l_−'(0) = −t` that of `l_−` moves right, and every step by `p = 1 − αL`. Reptile stays where `ā(q)s = ā(p)t`,
    and there `∇L(0) = ½(q^{2N}s − p^{2N}t) = ½(q^{2N} − p^{2N}ā(q)/ā(p))s`.

    Between the tasks `l_+' − l_−'` is `s + t` at 0, falls to the right and rises to the left by `2L²/ρ`: `σ = ½(s + t)
    + L²/ρ`, attained. The ratio to REPTILE FLOOR for d = 1 is `s/σ`: 1 at `N = 1` as `ρ → ∞`, and `2/(1 + ā(q)/ā(p))`
    for any N, which tends to 1 as `αL → 0`.
    """
    steps, q, p = max(N, 1), 1 + alpha_L, 1 - alpha_L
    mean_growth, mean_shrink = (sum(x**j for j in range(steps)) / steps for x in (q, p))
    s = steepness * L**2 / rho
    t = s * mean_growth / mean_shrink
    width = 2 * L / rho
    end = -(q**steps * s / L + width)
    outline = [end - width, end, -width, width], [L, -L, -L, L]
    return line_problem(
        joined(outline, [([0.0], [-L]), ([0.0], [L])], gradient=[s, -t]),
        L=L,
        rho=rho,
        sigma=(s + t) / 2 + L**2 / rho,
        probes=probes_around(0.0, width),
        start=0.0,
        scale=width,
    )
