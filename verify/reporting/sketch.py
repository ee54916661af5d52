"""A sketch of a problem in plain text: its second derivative with an inner path on it, or gradients along a path."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from problems.problem import Problem
from theory.maml import adapt

Points = npt.NDArray[np.float64]
WIDTH, HEIGHT = 65, 9
"""Columns and rows of a curve; an odd height has a row for zero."""
STEPS, PROBES = 2, 8
BARS = " ▏▎▍▌▋▊▉█"


def sketch(problem: Problem, alpha: float) -> list[str]:
    """Lines of text for the first task of a problem.

    On the line: `l''/L` against w, with an inner path. In more dimensions: the gradient norm and the curvature in the
    direction of the step, along an inner path.
    """
    path = _path(problem, alpha)
    return _curve(problem, path[:, 0]) if problem.dim == 1 else _along(problem, path)


def _path(problem: Problem, alpha: float) -> Points:
    """Inner path (steps + 1, d) of the first task from the first probe that it moves away from."""
    starts = np.concatenate([problem.probes(PROBES, np.random.default_rng(0)), problem.start[None]])
    tasks = np.repeat(starts[:, None], problem.number_of_tasks, axis=1)
    paths = np.stack(adapt(tasks, alpha, [problem.inner] * STEPS))[:, :, 0]
    moved = np.linalg.norm(paths[-1] - paths[0], axis=-1) > 1e-3 * problem.scale
    return paths[:, int(np.argmax(moved))]


def _curve(problem: Problem, path: Points) -> list[str]:
    reach = max(np.ptp(path), 3.0 * problem.scale)
    x = np.linspace(path.min() - reach, path.max() + reach, WIDTH)
    rows = [[" "] * WIDTH for _ in range(HEIGHT)]
    for column in range(WIDTH):
        rows[HEIGHT // 2][column] = "─"
    for column, value in enumerate(_second_derivative(problem, x)):
        rows[_row(value)][column] = "•"
    for j, (w, value) in enumerate(zip(path, _second_derivative(problem, path), strict=True)):
        column = round((w - x[0]) / (x[-1] - x[0]) * (WIDTH - 1))
        rows[_row(value)][column] = str(j)
    labels = {0: "L", HEIGHT // 2: "0", HEIGHT - 1: "−L"}
    lines = [f"{labels.get(at, ''):>3} │{''.join(row).rstrip()}" for at, row in enumerate(rows)]
    low, high = f"w = {x[0]:.4g}", f"{x[-1]:.4g}"
    title = "l'' of the first task; the digits are points of an inner path, w̃_0, w̃_1, …"
    return [title, *lines, f"{'':5}{low}{high:>{WIDTH - len(low)}}"]


def _second_derivative(problem: Problem, x: Points) -> Points:
    """`l''/L` of the first task, cut to what L allows."""
    w = x[:, None, None]
    value: Points = problem.inner.hvp(w, np.ones_like(w))[:, 0, 0] / problem.constants.L
    return np.clip(value, -1.0, 1.0)


def _row(value: float) -> int:
    return round((1 - value) / 2 * (HEIGHT - 1))


def _along(problem: Problem, points: Points) -> list[str]:
    w = points[:, None]
    gradient = problem.inner.gradient(w)[:, :1]
    norm = np.linalg.norm(gradient, axis=-1)[:, 0]
    unit = np.divide(gradient, norm[:, None, None], out=np.zeros_like(gradient), where=norm[:, None, None] > 0)
    curvature = (problem.inner.hvp(w, unit)[:, :1] * unit).sum(axis=-1)[:, 0] / problem.constants.L
    largest = max(float(norm.max()), np.finfo(np.float64).tiny)
    title = "Along an inner path of the first task: gradient norm, curvature over L along it"
    lines = [
        f"  j = {j}  {_bar(size / largest):<30} {size:<10.4g} {bend:+.3f}"
        for j, (size, bend) in enumerate(zip(norm, curvature, strict=True))
    ]
    return [title, *lines]


def _bar(share: float, width: int = 30) -> str:
    """A bar of up to `width` characters.

    >>> _bar(0.5, 5)
    '██▌'
    """
    whole, part = divmod(round(share * width * 8), 8)
    return "█" * whole + BARS[part].strip()
