"""Trajectories: the meta-gradient along exact MAML, below and above the stepsize cap."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from figures.drawing import in_prose, panels, prose
from figures.figure import Figure, Part
from figures.table import Row, Table
from problems.registry import family
from theory.algorithms import run
from theory.constants import Schedule
from theory.growth import stepsize_cap

if TYPE_CHECKING:
    from matplotlib.figure import Figure as Picture

PROBLEM, N, K, C_BETA = "opposed-curvature", 5, 100, 1.0
FRACTIONS = (0.5, 0.9, 1.1, 2.0)
STEPSIZES = ("fixed", "theorem")


def compute(part: Part, seed: int) -> list[Row]:
    """One trajectory: `‖∇L(w_k)‖` at each meta step. Deterministic, so the seed plays no part."""
    problem = family(PROBLEM).build(N, 0.0)
    alpha = part["fraction"] * float(stepsize_cap(problem.constants, N))
    schedule = Schedule(N=N, alpha=alpha, K=K, C_beta=C_BETA)
    beta = 1 / problem.constants.L if part["stepsize"] == "fixed" else None
    trajectory = run(
        "exact", problem, problem.constants, schedule, problem.start, np.random.default_rng(seed), meta_stepsize=beta
    )
    return [{**part, "k": k, "gradient_norm": float(y)} for k, y in enumerate(trajectory.gradient_norm[0])]


def draw(table: Table) -> Picture:
    """Draw one panel per meta stepsize, one curve per α."""
    picture, axes = panels(2, sharex=True, height=1.9)
    titles = {
        "fixed": r"fixed $\beta = 1/L$",
        "theorem": r"the theorem's $\beta_k = 1/(C_\beta L_{w_k})$, $C_\beta = " + f"{C_BETA:g}$",
    }
    for ax, stepsize in zip(axes, STEPSIZES, strict=True):
        for fraction in FRACTIONS:
            rows = table.select(stepsize=stepsize, fraction=fraction)
            y = np.maximum(rows["gradient_norm"], 1e-16)
            ax.semilogy(rows["k"], y, markevery=(0.05, 0.2), label=rf"{fraction:g} $\alpha_{{\rm cap}}$")
        ax.set_title(titles[stepsize], loc="left")
        ax.set_ylabel(r"$\|\nabla \mathcal{L}(w_k)\|$")
    axes[-1].set_xlabel("meta step k")
    axes[-1].legend(ncol=4, loc="upper center", bbox_to_anchor=(0.5, -0.28))
    return picture


def caption(table: Table) -> str:
    """Say what was run."""
    multiples = ", ".join(f"{fraction:g}" for fraction in FRACTIONS)
    return prose(f"""
        Norm of the meta-gradient along exact MAML on {PROBLEM} (one task, d = 1), N = {N} inner steps, at the multiples
        {multiples} of the cap α_cap(N) = (2^{{1/(2N)}} − 1)/L. Above: fixed meta stepsize β = 1/L, which loses
        convergence at the cap. Below: the theorem's own stepsize β_k = 1/(C_β L_{{w_k}}) with C_β = {C_BETA:g}
        decreases the objective at every α. Norms are drawn down to 1e-16. Deterministic: no seed.
        {in_prose(PROBLEM)}
    """)


FIGURE = Figure(
    name="trajectories",
    question="What does exact MAML do below and above the stepsize cap?",
    parts=[{"stepsize": stepsize, "fraction": fraction} for stepsize in STEPSIZES for fraction in FRACTIONS],
    compute=compute,
    draw=draw,
    caption=caption,
)
