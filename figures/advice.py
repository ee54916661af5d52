"""A picture of advice on one problem: certified and measured inner stepsizes against the number of inner steps."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING

from figures.drawing import ABOVE, LOOKS, MEASURED, STYLE, panels

if TYPE_CHECKING:
    from matplotlib.figure import Figure as Picture

    from verify.advice import Advice

FORMATS = ("png", "pdf", "svg")


def draw(advice: Advice) -> Picture:
    """Lines: what is certified. Markers: the first stepsize at which a run diverged, open; arrows where none did."""
    picture, (ax,) = panels(height=3.2)
    N = [known.N for known in advice.advised]
    ax.plot(N, [known.cap for known in advice.advised], color="black", label="paper's cap (certified below)")
    ax.plot(N, [known.recommended for known in advice.advised], color="black", linestyle=":", label="$1/(8NL)$")
    if advice.case == "resampling":
        ax.plot(
            N,
            [float(known.larger_cap or math.inf) for known in advice.advised],
            color="black",
            linestyle="--",
            label="larger cap",
        )
    ax.plot(N, [known.cap_on_paths for known in advice.advised], color="0.6", label="cap with the $L$ of the paths")
    for rule, (marker, color, _) in zip(advice.rules, LOOKS, strict=False):
        found = [known.critical[rule] for known in advice.advised]
        first = [(n, c.unstable) for n, c in zip(N, found, strict=True) if math.isfinite(c.unstable)]
        never = [(n, c.stable) for n, c in zip(N, found, strict=True) if math.isinf(c.unstable)]
        label = f"diverges, {rule}"
        if first:
            ax.plot(*zip(*first, strict=True), marker=marker, color=color, label=label, **MEASURED)
        if never:
            ax.plot(*zip(*never, strict=True), marker=r"$\uparrow$", color=color, linestyle="none", markersize=8,
                    label=f"no run diverged, {rule}")  # fmt: skip
    ax.set(xscale="log", yscale="log", xlabel="inner steps $N$", ylabel=r"inner stepsize $\alpha$")
    ax.set_xticks(N, labels=[str(n) for n in N])
    ax.minorticks_off()
    ax.legend(**ABOVE, ncols=1, title=f"{advice.problem}, {advice.steps} meta steps")
    return picture


def save(advice: Advice, path: Path) -> None:
    """Draw into a file of one of the `FORMATS`, by its ending."""
    import matplotlib

    with matplotlib.rc_context(fname=str(STYLE)):
        draw(advice).savefig(path, bbox_inches="tight")
