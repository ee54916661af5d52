"""A quadratic that is convex in its head: the smoothness of ANIL's objective is attained for every N."""

from __future__ import annotations

import numpy as np

from problems.cases import resampling
from problems.probes import gaussian_probes
from problems.problem import Problem
from problems.quadratic import Quadratic
from problems.registry import register
from theory.constants import Constants

HEAD = np.array([0.0, 1.0])
"""Of its two coordinates the second is the head."""
CONVEXITY = 0.1
"""The least curvature of the head, μ, over L."""


@register("convex-head", case="resampling", role="sharp")
def convex_head(*, L: float = 1.3) -> Problem:
    """One quadratic with the Hessian rows `(−μ, c)`, `(c, μ)`, `c² = L² − μ²`, and a head that is μ-strongly convex.

    Its eigenvalues are ±L, so `L` is attained; constant Hessian: `ρ = 0`; one task without noise: `σ = σ_g = σ_H = 0`;
    it is not bounded below.

    With Π the projection on the head, `I − αHΠ` has the rows `(1, −αc)`, `(0, 1 − αμ)`, and a product of 2N of them has
    `(1, −x)`, `(0, y)` with `y = (1 − αμ)^{2N}` and `x = (c/μ)(1 − y)`, as in ANIL, CONVEX HEAD. As `(I − αHΠ)H = H(I −
    αΠH)`, `∇²L` is that product times H, and H is L times an isometry: `‖∇²L‖ = Q_{2N}L`, in every N.
    """
    mu = CONVEXITY * L
    c = np.sqrt(L**2 - mu**2)
    loss = Quadratic(np.array([[-mu, c], [c, mu]]), np.array([[0.3, -0.7]]), np.zeros(1))
    return resampling(loss, Constants(L=L, rho=0.0), probes=gaussian_probes(2, 1.0), start=[0.8, -0.5], analytic=True)
