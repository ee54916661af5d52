"""Phase: where exact MAML with a fixed meta stepsize converges, over inner steps and inner stepsize."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from figures.drawing import BOUND, MEASURED, panels, prose
from figures.figure import Figure, Part
from figures.table import Row, Table
from problems.registry import family
from theory.constants import Constants
from theory.growth import stepsize_cap
from theory.maml import mean_over_tasks, meta_gradient

if TYPE_CHECKING:
    from matplotlib.figure import Figure as Picture

PROBLEM, K = "opposed-curvature", 300
INNER_STEPS = (1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 50)
ALPHA_L_N = np.linspace(0.2, 0.6, 41)
SHRINK = 0.5
"""A run converged if its second half shrank the meta-gradient at least by this factor."""


def compute(part: Part, seed: int) -> list[Row]:
    """One N: run all stepsizes at once, one per replica; deterministic, so the seed plays no part."""
    N = int(part["N"])
    problem = family(PROBLEM).build(N, 0.0)
    L = problem.constants.L
    alpha = (ALPHA_L_N / (N * L))[:, None, None]
    w = np.tile(problem.start, (len(ALPHA_L_N), 1, 1))
    norms = []
    for _ in range(K):
        gradient = mean_over_tasks(meta_gradient(w, alpha, N, problem.inner, problem.outer))
        w = w - gradient[:, None] / L
        norms.append(np.linalg.norm(gradient, axis=-1))
    halfway, final = norms[K // 2], norms[-1]
    return [
        {"N": N, "alpha_L_N": float(x), "gradient_norm": float(last), "converged": float(last <= SHRINK * half)}
        for x, half, last in zip(ALPHA_L_N, halfway, final, strict=True)
    ]


def draw(table: Table) -> Picture:
    """Open circles where it converged, crosses where it did not, and the cap between them."""
    picture, (ax,) = panels()
    looks = {1.0: ("o", "#0072B2", "converged"), 0.0: ("x", "#D55E00", "did not converge")}
    for converged, (marker, color, label) in looks.items():
        rows = table.select(converged=converged)
        ax.plot(rows["N"], rows["alpha_L_N"], marker=marker, color=color, label=label, markeredgewidth=0.7, **MEASURED)
    N = np.arange(1.0, INNER_STEPS[-1] + 1)
    ax.plot(N, N * stepsize_cap(Constants(L=1.0), N), **BOUND, linestyle="-", label=r"$N L\,\alpha_{\rm cap}(N)$")
    ax.axhline(np.log(2) / 2, **BOUND, linestyle=":", linewidth=0.8, label=r"$(\ln 2)/2$")
    ax.set_xscale("log")
    ax.set_xticks([1, 2, 5, 10, 20, 50], ["1", "2", "5", "10", "20", "50"])
    ax.minorticks_off()
    ax.set_xlabel("inner steps N")
    ax.set_ylabel(r"$\alpha L N$")
    picture.legend(*ax.get_legend_handles_labels(), ncol=2, loc="outside upper center")
    return picture


def caption(table: Table) -> str:
    """Say what was run."""
    return prose(f"""
        Exact MAML with the fixed meta stepsize β = 1/L on {PROBLEM} (one task, d = 1), {K} meta steps from one start,
        at each point of a grid of N and αLN. Converged: the meta-gradient shrank at least by {1 - SHRINK:.0%} in the
        last half of the run, or vanished. The boundary follows the paper's cap α_cap(N) = (2^{{1/(2N)}} − 1)/L, which
        tends to ln 2/(2LN). Deterministic: no seed.
    """)


FIGURE = Figure(
    name="phase",
    question="For which inner stepsizes does exact MAML converge?",
    parts=[{"N": N} for N in INNER_STEPS],
    compute=compute,
    draw=draw,
    caption=caption,
)
