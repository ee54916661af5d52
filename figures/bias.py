"""Bias: how far Algorithm 1's meta-gradient is from the meta-gradient in mean, against batch size and inner steps."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from figures.drawing import ABOVE, BESIDE, LOOKS, STEPSIZES, beside, in_words, panels, prose
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
    """Above against S on two problems, below against N for two stepsize rules."""
    picture, (above, below) = panels(2, height=2.3)
    tent, cosine = (table.select(problem=problem, rule="fixed") for problem in AGAINST_S)
    (tent_look, cosine_look), names = LOOKS[:2], list(AGAINST_S)
    handles = [
        beside(above, tent["S"], tent["measured"], tent["bound"], tent_look),
        beside(above, cosine["S"], cosine["measured"], cosine["one_step"], cosine_look),
    ]
    above.loglog()
    above.set_xticks(tent["S"], [f"{S:.0f}" for S in tent["S"]])
    above.minorticks_off()
    above.set_xlabel("data per inner gradient S (N = 1)")
    labels = [rf"{names[0]}, and the paper's $1/\sqrt{{S}}$", f"{names[1]}, and the own 1/S"]
    above.legend(handles, labels, title=BESIDE, **ABOVE)
    handles = []
    for rule, look in zip(STEPSIZES, LOOKS, strict=False):
        rows = table.select(problem=AGAINST_N, rule=rule)
        handles.append(beside(below, rows["N"], rows["measured"], rows["bound"], look))
        (own,) = below.plot(rows["N"], rows["sharper"], marker="none", color="black", linestyle=":", linewidth=0.8)
    below.set_yscale("log")
    below.set_xlabel(f"inner steps N (S = 1, {AGAINST_N})")
    below.legend([*handles, own], [*STEPSIZES.values(), "own bounds"], ncol=3, **ABOVE)
    for ax in (above, below):
        ax.set_ylabel(r"bias over $\sigma_g$")
    return picture


def caption(table: Table) -> str:
    """Say what was measured."""
    root, smooth = AGAINST_S
    return prose(f"""
        Norm of E Ĝ_i − ∇L_i for the worst task at the start, over σ_g, exact by enumeration of all inner paths. Above:
        against the batch size S at N = 1, {in_words("fixed")}. On {root} (d = 1) the paper's 1/√S is the true rate, and
        the bound is attained at S = 1; on {smooth} (d = 2) the bias falls like 1/S, as the own one-step bound says.
        Below: against N on {AGAINST_N} (d = 1), where the recommended stepsize keeps it bounded. No sampling.
    """)


FIGURE = Figure(
    name="bias",
    question="How biased is Algorithm 1's meta-gradient?",
    parts=parts(),
    compute=compute,
    draw=draw,
    caption=caption,
)
