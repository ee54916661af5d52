"""Pictures of the sharp instances on the line: second derivatives, and an inner path on them.

`python docs/tools/pictures.py` renews `docs/pictures/*.svg`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from matplotlib import rc_context
from matplotlib.figure import Figure

from problems import Problem, family
from theory import adapt

FOLDER = Path(__file__).parents[1] / "pictures"
GREY, COLOURS = "#808080", ("#d95f02", "#3a86c8", "#4c9f70")
POINTS = 601
STYLE = {"svg.hashsalt": "pictures", "svg.fonttype": "path", "font.size": 10, "mathtext.fontset": "cm"}


@dataclass(frozen=True)
class Picture:
    """How a problem is drawn: built for `N` and `alpha_L` with its `free` parameters, which may exaggerate.

    The path starts at `start`, in units of the problem's scale, or at its first probe where that is None; the window
    reaches beyond the path by `margin` of its length, or is `window`, in units of the scale, where that is given. The
    axis shows `l''/L` up to `top`. One or two `tasks` are drawn.
    """

    N: int = 3
    alpha_L: float = 0.3
    start: float | None = None
    margin: float = 0.5
    window: tuple[float, float] | None = None
    top: float = 1.25
    tasks: tuple[int, ...] = (0, 1)
    free: dict[str, float] = field(default_factory=dict)


PICTURES = {
    "saddle": Picture(start=0.5, window=(-4, 4)),
    "saddle-noise": Picture(start=0.5, window=(-4, 4)),
    "saddle-hessian-noise": Picture(start=0.5, window=(-4, 4)),
    "cusp": Picture(N=2, alpha_L=0.15, margin=0.4, free={"steepness": 8.0}),
    "kink": Picture(window=(-30, 30)),
    "teeth": Picture(N=2, top=-0.985, free={"steepness": 0.2}),
    "teeth-finite-sum": Picture(N=2, top=-0.985, free={"steepness": 0.1, "mismatch": 0.1}),
    "tent": Picture(N=1, margin=1.2, free={"loudness": 3.0}),
    "tent-kink": Picture(N=2, margin=0.5, free={"width": 0.6, "steepness": 2.0}),
    "well-edge": Picture(N=1, margin=2.0),
    "rare-mismatch": Picture(start=0.4, window=(-4, 4)),
    "twin-wells": Picture(N=2, start=0.0, window=(-24, 24)),
    "opposed-curvature": Picture(N=2, start=0.3, window=(-7, 7)),
    "ramp": Picture(N=2, start=-4.0, window=(-5, 4)),
    "two-point-tasks": Picture(window=(-3, 22), tasks=(0, -1)),
    "two-point-stepsize": Picture(window=(-3, 10), tasks=(0, -1), free={"steepness": 6.0}),
    "slow-slope": Picture(start=1.0, window=(-4, 6)),
    "bias-floor": Picture(N=1, margin=25.0),
    "gentle-ramp": Picture(N=2, start=-4.0, window=(-6, 6)),
    "gentle-ramp-finite-sum": Picture(N=2, start=-4.0, window=(-6, 6)),
    "ramp-finite-sum": Picture(N=2, start=-4.0, window=(-5, 4)),
    "kinks": Picture(N=2, margin=0.6, free={"width": 0.3, "steepness": 3.0}),
    "late-bend": Picture(N=2, alpha_L=0.15, margin=0.6, free={"steepness": 6.0}),
    "offset-cusp": Picture(N=2, alpha_L=0.15, margin=0.6, free={"steepness": 6.0}),
    "spikes": Picture(N=2, alpha_L=0.15, margin=0.6, free={"steepness": 6.0}),
    "martingale-tent": Picture(N=2, margin=0.8, free={"loudness": 4.0}),
    "rare": Picture(start=0.4, window=(-12, 16), tasks=(0, -1)),
    "rare-tuned": Picture(start=0.4, window=(-12, 16), tasks=(0, -1)),
    "rare-teeth": Picture(N=2, margin=0.6, tasks=(0, -1), free={"steepness": 6.0}),
    "runaway": Picture(N=1, alpha_L=1.1, window=(-3, 6)),
    "saddle-pair": Picture(start=0.5, window=(-8, 8)),
    "saddle-pair-finite-sum": Picture(start=0.5, window=(-8, 8)),
    "tooth-twins": Picture(N=2, margin=0.8, free={"width": 1.0}),
    "two-point-pair": Picture(window=(-3, 10)),
    "tooth": Picture(N=1, top=-0.9985, margin=0.6, free={"steepness": 0.02}),
    "valleys": Picture(N=2, margin=1.2),
    "vee": Picture(N=2, margin=0.6, free={"steepness": 6.0}),
    "weighted-cusp": Picture(N=2, alpha_L=0.15, margin=0.6, tasks=(0, -1), free={"steepness": 6.0}),
    "weighted-cusp-finite-sum": Picture(N=2, alpha_L=0.15, margin=0.6, tasks=(0, -1), free={"steepness": 6.0}),
    "parabola": Picture(N=2, alpha_L=0.15, margin=2.5),
}


def main() -> None:
    """Draw all pictures."""
    FOLDER.mkdir(exist_ok=True)
    for name, picture in PICTURES.items():
        with rc_context(STYLE):
            drawn(name, picture).savefig(FOLDER / f"{name}.svg", transparent=True, metadata={"Date": None})


def drawn(name: str, picture: Picture) -> Figure:
    """Draw the second derivatives of two tasks, training and test, over the path of each."""
    problem = family(name).build(picture.N, picture.alpha_L, **picture.free)
    paths = inner_paths(problem, picture)
    low, high = limits(problem, picture, paths)
    x = np.linspace(low, high, POINTS)
    figure = Figure(figsize=(5.4, 2.0), layout="constrained")
    axes = figure.add_subplot()
    axes.axhline(0, color=GREY, linewidth=0.5)
    for task, colour, path in zip(picture.tasks, COLOURS, paths, strict=False):
        axes.plot(x, second_derivative(problem, x, task), color=colour, linewidth=1.6)
        axes.plot(path, second_derivative(problem, path, task), "o", color=colour, markersize=5)
    if problem.case == "finite-sum":
        axes.plot(x, second_derivative(problem, x, 0, outer=True), "--", color=COLOURS[-1], linewidth=1.4)
    bottom = -1 - (picture.top + 1) / 9
    axes.set(xlim=(low, high), yticks=[-1, 0, 1], yticklabels=["$-L$", "0", "$L$"], ylim=(bottom, picture.top))
    axes.set_xticks([])
    axes.set_ylabel("$l''$", rotation=0, color=GREY)
    axes.tick_params(colors=GREY)
    axes.spines[["top", "right"]].set_visible(False)
    axes.spines[["left", "bottom"]].set_color(GREY)
    return figure


def inner_paths(problem: Problem, picture: Picture) -> np.ndarray:
    """Inner paths of the tasks that are drawn: (tasks, N + 1)."""
    first = problem.probes(2, np.random.default_rng(0))[0, 0]
    w = first if picture.start is None else picture.start * problem.scale
    alpha = picture.alpha_L / problem.constants.L
    start = np.full((problem.number_of_tasks, 1), w)
    points = np.stack(adapt(start, alpha, [problem.inner] * picture.N))[..., 0].T
    return points[list(picture.tasks[: problem.number_of_tasks])]


def limits(problem: Problem, picture: Picture, paths: np.ndarray) -> tuple[float, float]:
    """Ends of the window."""
    if picture.window is not None:
        low, high = picture.window
        return low * problem.scale, high * problem.scale
    beyond = picture.margin * np.ptp(paths)
    return float(paths.min() - beyond), float(paths.max() + beyond)


def second_derivative(problem: Problem, x: np.ndarray, task: int, *, outer: bool = False) -> np.ndarray:
    """`l''/L` of a task at the points `x`."""
    loss = problem.outer if outer else problem.inner
    w = x[:, None, None]
    return loss.hvp(w, np.ones_like(w))[:, task, 0] / problem.constants.L


if __name__ == "__main__":
    main()
