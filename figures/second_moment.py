"""Second moment of Algorithm 1's meta-gradient, against the inner steps and the Hessian batch size."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from figures.drawing import BESIDE, LOOKS, STEPSIZES, beside, in_words, panels, prose
from figures.figure import Figure, Part
from figures.numbers import setting
from figures.table import Row, Table
from theory.paper import Paper
from verify.cell import alpha_L
from verify.evidence.tree import enumerate_paths, second_moment

if TYPE_CHECKING:
    from matplotlib.figure import Figure as Picture

PROBLEM = "saddle-hessian-noise"
N_MAX, N_FIXED, D_VALUES = 6, 2, (1, 2, 4, 8, 16, 32, 64)


def parts() -> list[Part]:
    """Inner steps at D = 1, and Hessian batch sizes at one N, for both stepsize rules."""
    against_N: list[Part] = [
        {"panel": "N", "rule": rule, "N": N, "D": 1} for rule in STEPSIZES for N in range(1, N_MAX + 1)
    ]
    against_D: list[Part] = [{"panel": "D", "rule": rule, "N": N_FIXED, "D": D} for rule in STEPSIZES for D in D_VALUES]
    return against_N + against_D


def compute(part: Part, seed: int) -> list[Row]:
    """`E‖Ĝ_i‖²` over σ_g², of the worst task at the start, exact by enumeration; nothing is drawn."""
    N, D = part["N"], part["D"]
    problem, alpha, s = setting(PROBLEM, N, alpha_L(part["rule"], N), D=D)
    c, w = problem.constants, problem.start[None]
    moments = second_moment(problem, enumerate_paths(problem, w, alpha, N, 1), alpha, D, 1)[0]
    gradient_norm = np.linalg.norm(problem.inner.gradient(w[:, None]), axis=-1)[0]
    bound = Paper(c, s).task_second_moment(gradient_norm)
    worst = int(np.argmax(moments / bound))
    unit = c.sigma_g**2
    return [{**part, "measured": float(moments[worst]) / unit, "bound": float(np.atleast_1d(bound)[worst]) / unit}]


def draw(table: Table) -> Picture:
    """Above against N, below against D."""
    picture, axes = panels(2, height=1.9)
    for ax, panel in zip(axes, ("N", "D"), strict=True):
        handles = []
        for rule, look in zip(STEPSIZES, LOOKS, strict=False):
            rows = table.select(panel=panel, rule=rule)
            handles.append(beside(ax, rows[panel], rows["measured"], rows["bound"], look))
        ax.set_yscale("log")
        ax.set_ylabel(r"$\mathrm{E}\,\|\hat G_i\|^2 / \sigma_g^2$")
    axes[0].set_xlabel("inner steps N (D = 1)")
    axes[1].set_xlabel(f"data per Hessian D (N = {N_FIXED})")
    axes[1].set_xscale("log")
    axes[1].set_xticks(D_VALUES, [str(D) for D in D_VALUES])
    axes[1].minorticks_off()
    picture.legend(handles, STEPSIZES.values(), title=BESIDE, ncol=2, loc="outside lower center")
    return picture


def caption(table: Table) -> str:
    """Say what was measured."""
    return prose(f"""
        Mean square of Algorithm 1's meta-gradient of one task, over σ_g², on {PROBLEM} (d = 1) at its start, with S = T
        = 1, {" and ".join(map(in_words, STEPSIZES))}: paths enumerated, Hessian batches propagated as second-moment
        matrices, no sampling error. Lines: V[(q^N ‖∇l_i‖ + (q^N − 1)σ_g/√S)² + σ_g²/T] with V = (q² + α²σ_H²/D)^N.
    """)


FIGURE = Figure(
    name="second_moment",
    question="How large is Algorithm 1's meta-gradient in mean square?",
    parts=parts(),
    compute=compute,
    draw=draw,
    caption=caption,
)
