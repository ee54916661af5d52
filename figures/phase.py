"""Phase: where exact MAML with a fixed meta stepsize converges, over inner steps and inner stepsize."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
import numpy.typing as npt

from figures.drawing import BOUND, in_prose, panels, prose
from figures.figure import Figure, Part
from figures.table import Row, Table
from problems.registry import family
from theory.constants import Constants
from theory.growth import stepsize_cap
from theory.maml import mean_over_tasks, meta_gradient

if TYPE_CHECKING:
    from matplotlib.figure import Figure as Picture

Values: TypeAlias = npt.NDArray[np.float64]
PROBLEM, K = "opposed-curvature", 300
TICKS = (1, 2, 4, 8, 16, 32, 50)
INSIDE, OUTSIDE = "#9ECAE1", "#FDD0A2"
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
    """Two regions, where it converged and where it did not, and the cap between them."""
    from matplotlib.colors import ListedColormap
    from matplotlib.patches import Patch

    picture, (ax,) = panels()
    N, y = (np.unique(table[name]) for name in ("N", "alpha_L_N"))
    converged = np.array([table.select(N=n)["converged"] for n in N]).T
    ax.pcolormesh(edges(np.log(N), np.exp), edges(y), converged, cmap=ListedColormap([OUTSIDE, INSIDE]), vmin=0, vmax=1)
    line = np.arange(N[0], N[-1] + 1)
    ax.plot(
        line, line * stepsize_cap(Constants(L=1.0), line), **BOUND, linestyle="-", label=r"$N L\,\alpha_{\rm cap}(N)$"
    )
    ax.axhline(np.log(2) / 2, **BOUND, linestyle=":", linewidth=0.8, label=r"$(\ln 2)/2$")
    ax.set_xscale("log")
    shown = [n for n in TICKS if n in N]
    ax.set_xticks(shown, [str(n) for n in shown])
    ax.minorticks_off()
    ax.grid(False)
    ax.set_xlabel("inner steps N")
    ax.set_ylabel(r"$\alpha L N$")
    regions = [Patch(color=INSIDE, label="converged"), Patch(color=OUTSIDE, label="did not converge")]
    picture.legend(handles=[*regions, *ax.get_legend_handles_labels()[0]], ncol=2, loc="outside upper center")
    return picture


def edges(centres: Values, to: Callable[[Values], Values] = lambda x: x) -> Values:
    """Edges of the cells around some points, one more than these; `to` is applied to the edges."""
    middle = (centres[1:] + centres[:-1]) / 2
    return to(np.concatenate([[2 * centres[0] - middle[0]], middle, [2 * centres[-1] - middle[-1]]]))


def caption(table: Table) -> str:
    """Say what was run."""
    return prose(f"""
        Exact MAML with the fixed meta stepsize β = 1/L on {PROBLEM} (one task, d = 1), {K} meta steps from one start,
        at each point of a grid of N and αLN. Converged: the meta-gradient shrank at least by {1 - SHRINK:.0%} in the
        last half of the run, or vanished. The boundary follows the paper's cap α_cap(N) = (2^{{1/(2N)}} − 1)/L, which
        tends to ln 2/(2LN). Each cell is one run. Deterministic: no seed.
        {in_prose(PROBLEM)}
    """)


FIGURE = Figure(
    name="phase",
    question="For which inner stepsizes does exact MAML converge?",
    parts=[{"N": N} for N in INNER_STEPS],
    compute=compute,
    draw=draw,
    caption=caption,
)
