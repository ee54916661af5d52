"""Bias: how far Algorithm 1's meta-gradient is from the meta-gradient in mean, against batch size and inner steps."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from figures.drawing import ABOVE, BOUND, LOOKS, MEASURED, STEPSIZES, in_prose, in_words, panels, prose
from figures.figure import Figure, Part
from figures.numbers import setting
from figures.table import Row, Table
from theory.maml import meta_gradient
from theory.paper import Paper
from verify.cell import alpha_L
from verify.evidence.tree import enumerate_paths, mean_estimator

if TYPE_CHECKING:
    from matplotlib.figure import Figure as Picture

AGAINST_S = {"tent": (1, 2, 4, 8, 16, 32, 64), "rotated-cosine-finite-noise": (1, 2, 4, 8, 16)}
AGAINST_N, N_MAX = "tent-kink", 12
OWN = {"tent": "sharper", "rotated-cosine-finite-noise": "one_step"}
"""The own bound that is drawn beside the paper's at N = 1: on a tent, whose `l''` jumps, the one-step bound is none."""


def parts() -> list[Part]:
    """Batch sizes at N = 1 on two problems; inner steps at S = 1 on one, for both stepsize rules."""
    against_S: list[Part] = [
        {"problem": problem, "rule": "fixed", "N": 1, "S": S} for problem, sizes in AGAINST_S.items() for S in sizes
    ]
    against_N: list[Part] = [
        {"problem": AGAINST_N, "rule": rule, "N": N, "S": 1} for rule in STEPSIZES for N in range(2, N_MAX + 1)
    ]
    return against_S + against_N


def compute(part: Part, seed: int) -> list[Row]:
    """Bias of the worst task at the start over σ_g, exact by enumeration of all inner paths; nothing is drawn."""
    N = part["N"]
    problem, alpha, s = setting(part["problem"], N, alpha_L(part["rule"], N), S=part["S"])
    c, w = problem.constants, problem.start[None]
    p = Paper(c, s)
    paths = enumerate_paths(problem, w, alpha, N, part["S"])
    exact = meta_gradient(w[:, None], alpha, N, problem.inner, problem.inner)
    bias = np.linalg.norm(mean_estimator(problem, paths, alpha) - exact, axis=-1)[0]
    gradient_norm = np.linalg.norm(problem.inner.gradient(w[:, None]), axis=-1)[0]
    curves = {
        "measured": bias,
        "bound": p.task_bias(gradient_norm),
        "sharper": p.task_bias_sharper(gradient_norm),
        "one_step": p.task_bias_one_step if N == 1 else np.inf,
    }
    worst = int(np.argmax(bias / curves["bound"]))
    return [{**part, **{name: float(np.broadcast_to(y, bias.shape)[worst]) / c.sigma_g for name, y in curves.items()}}]


def draw(table: Table) -> Picture:
    """Above against S on two problems, below against N for two stepsize rules; each has a colour of its own."""
    picture, (above, below) = panels(2, height=2.3)
    looks = [(*LOOKS[at][:2], width) for at, width in ((3, 2.2), (2, 1.1), (0, 1.1), (1, 1.1))]
    shown = [
        *((above, "S", problem, own, {"problem": problem, "rule": "fixed"}) for problem, own in OWN.items()),
        *((below, "N", name, "sharper", {"problem": AGAINST_N, "rule": rule}) for rule, name in STEPSIZES.items()),
    ]
    for (ax, x, label, own, where), (marker, color, width) in zip(shown, looks, strict=True):
        rows = table.select(**where)
        ax.plot(rows[x], rows["bound"], color=color, marker="none", linestyle="-", linewidth=width)
        ax.plot(rows[x], rows[own], color=color, marker="none", linestyle=":")
        ax.plot(rows[x], rows["measured"], color=color, marker=marker, label=label, **MEASURED)
    for ax in (above, below):
        ax.plot([], [], **BOUND, linestyle="-", label="bound of the paper")
        ax.plot([], [], **BOUND, linestyle=":", label="own bound")
        ax.set_yscale("log")
        ax.set_ylabel(r"bias over $\sigma_g$")
        ax.legend(ncol=2, **ABOVE)
    sizes = table.select(problem=next(iter(OWN)))["S"]
    above.set_xscale("log")
    above.set_xticks(sizes, [f"{S:.0f}" for S in sizes])
    above.minorticks_off()
    above.set_xlabel("data per inner gradient S (N = 1)")
    below.set_xlabel(f"inner steps N (S = 1, {AGAINST_N})")
    return picture


def caption(table: Table) -> str:
    """Say what was measured."""
    root, smooth = AGAINST_S
    return prose(f"""
        Norm of E Ĝ_i − ∇L_i for the worst task at the start, over σ_g, exact by enumeration of all inner paths (open
        markers), with the paper's bound (solid) and an own, smaller one (dotted) in the colour of each series. Above:
        against the batch size S at N = 1, {in_words("fixed")}. On {root} (d = 1) the paper's 1/√S is the true rate, and
        the bound is attained at S = 1; on {smooth} (d = 2) the bias falls like 1/S, as the own one-step bound says; the
        paper's bound over σ_g is nearly the same on both. Below: against N on {AGAINST_N} (d = 1), where the
        recommended stepsize keeps it bounded. No sampling.
        {in_prose(*AGAINST_S, AGAINST_N)}
    """)


FIGURE = Figure(
    name="bias",
    question="How biased is Algorithm 1's meta-gradient?",
    parts=parts(),
    compute=compute,
    draw=draw,
    caption=caption,
)
