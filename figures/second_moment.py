"""Second moment of Algorithm 1's meta-gradient, against the inner steps and the Hessian batch size."""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING

import numpy as np

from figures.drawing import BESIDE, LOOKS, STEPSIZES, beside, in_prose, in_words, panels, prose
from figures.figure import Figure, Part
from figures.numbers import setting
from figures.table import Row, Table
from theory.paper import Paper
from verify.cell import alpha_L
from verify.evidence.tree import enumerate_paths, second_moment

if TYPE_CHECKING:
    from matplotlib.figure import Figure as Picture

ATTAINED, SMOOTH = PROBLEMS = ("saddle-hessian-noise", "rotated-cosine-finite-noise")
N_MAX, N_FIXED, D_VALUES = 5, 2, (1, 2, 4, 8, 16, 32, 64)


def parts() -> list[Part]:
    """Inner steps at D = 1, and Hessian batch sizes at one N, on two problems for both stepsize rules."""
    against_N = [{"panel": "N", "N": N, "D": 1} for N in range(1, N_MAX + 1)]
    against_D = [{"panel": "D", "N": N_FIXED, "D": D} for D in D_VALUES]
    chosen = [{"problem": problem, "rule": rule} for problem in PROBLEMS for rule in STEPSIZES]
    return [{**where, **sizes} for where in chosen for sizes in (*against_N, *against_D)]


def compute(part: Part, seed: int) -> list[Row]:
    """`E‖Ĝ_i‖²` over σ_g², of the worst task at the start, exact by enumeration; nothing is drawn."""
    N, D = part["N"], part["D"]
    problem, alpha, s = setting(part["problem"], N, alpha_L(part["rule"], N), D=D)
    c, w = problem.constants, problem.start[None]
    moments = second_moment(problem, enumerate_paths(problem, w, alpha, N, 1), alpha, D, 1)[0]
    gradient_norm = np.linalg.norm(problem.inner.gradient(w[:, None]), axis=-1)[0]
    bound = Paper(c, s).task_second_moment(gradient_norm)
    worst = int(np.argmax(moments / bound))
    unit = c.sigma_g**2
    return [{**part, "measured": float(moments[worst]) / unit, "bound": float(np.atleast_1d(bound)[worst]) / unit}]


def draw(table: Table) -> Picture:
    """Left where the bound is attained, right where it is not; above against N, below against D."""
    picture, axes = panels(2, 2, height=1.9)
    for ax, (panel, problem) in zip(axes, product(("N", "D"), PROBLEMS), strict=True):
        handles = []
        for rule, look in zip(STEPSIZES, LOOKS, strict=False):
            rows = table.select(panel=panel, rule=rule, problem=problem)
            handles.append(beside(ax, rows[panel], rows["measured"], rows["bound"], look))
        ax.set_yscale("log")
        shown = table.select(panel=panel, problem=problem)
        low, high = np.log10([shown["measured"].min(), shown["bound"].max()])
        ax.set_ylim(10.0 ** np.floor(low), 10.0 ** np.ceil(high))
        if panel == "N":
            ax.set_title(problem, loc="left")
            ax.set_xlabel("inner steps N (D = 1)")
            ax.set_xticks(np.arange(1, N_MAX + 1))
        else:
            ax.set_xlabel(f"data per Hessian D (N = {N_FIXED})")
            ax.set_xscale("log")
            ax.set_xticks(D_VALUES, [str(D) for D in D_VALUES])
            ax.minorticks_off()
        if problem == ATTAINED:
            ax.set_ylabel(r"$\mathrm{E}\,\|\hat G_i\|^2 / \sigma_g^2$")
    picture.legend(handles, STEPSIZES.values(), title=BESIDE, ncol=2, loc="outside lower center")
    return picture


def caption(table: Table) -> str:
    """Say what was measured."""
    ratio, attained = (
        rows["measured"] / rows["bound"]
        for rows in (table.select(problem=SMOOTH, panel="N", rule="fixed"), table.select(problem=ATTAINED))
    )
    return prose(f"""
        Mean square of Algorithm 1's meta-gradient of one task, the one nearest to its bound, over σ_g², at the start,
        with S = T = 1, {" and ".join(map(in_words, STEPSIZES))}: paths enumerated, Hessian batches propagated as
        second-moment matrices, no sampling error. Lines: V[(q^N ‖∇l_i‖ + (q^N − 1)σ_g/√S)² + σ_g²/T] with V = (q² +
        α²σ_H²/D)^N. Left: on {ATTAINED} (d = 1) all come within {1 - attained.min():.0%} of the bound. Right: on
        {SMOOTH} (d = 2) they do not: at the fixed stepsize measured over bound falls from {ratio[0]:.2f} at N = 1 to
        {ratio[-1]:.3f} at N = {N_MAX}.
        {in_prose(*PROBLEMS)}
    """)


FIGURE = Figure(
    name="second_moment",
    question="How large is Algorithm 1's meta-gradient in mean square?",
    parts=parts(),
    compute=compute,
    draw=draw,
    caption=caption,
)
