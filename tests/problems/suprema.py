"""The constants of a problem as maximisation finds them, by means that share nothing with the suite's own audit."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from problems.losses.curvature_spline import CurvatureSpline
from problems.problem import Problem
from theory.loss import Array, Loss

POLISHED, MOST_POLISHED_DIMENSIONS = 3, 4
POINTS, FEW_POINTS, MANY = 1500, 12, 1000
"""Random points of either kind, and on problems whose Hessians take room (their entries)."""
H = 1e-4
"""Step of differences of Hessians, in units of the problem's scale: eps·L/(H·scale·ρ) is their rounding."""


def on_splines(problem: Problem) -> bool:
    """Whether all losses are drawn by their knots, so that all extrema lie on known segments."""
    return isinstance(problem.inner, CurvatureSpline) and isinstance(problem.outer, CurvatureSpline)


def knot_points(problem: Problem) -> Array:
    """Sorted points (P, 1): all knots, seven points on each segment between them, and far out on both sides."""
    assert isinstance(problem.inner, CurvatureSpline)
    assert isinstance(problem.outer, CurvatureSpline)
    knots = np.unique(np.concatenate([problem.inner.knots, problem.outer.knots], axis=None))
    span = max(np.ptp(knots), problem.scale)
    knots = np.concatenate([knots[:1] - span * np.array([9.0, 3.0]), knots, knots[-1:] + span * np.array([3.0, 9.0])])
    inside = knots[:-1, None] + np.diff(knots)[:, None] * np.linspace(0, 1, 8, endpoint=False)
    return np.append(inside, knots[-1])[:, None]


def points(problem: Problem) -> Array:
    """Points (P, d): of the knots, or the problem's own probes, where it says to look, and others at several scales."""
    if on_splines(problem):
        return knot_points(problem)
    rng = np.random.default_rng(31)
    count = FEW_POINTS if problem.dim**2 * problem.number_of_tasks > MANY else POINTS
    scale = problem.scale * rng.choice([0.4, 1.0, 2.5, 6.0], size=(count, 1))
    return np.concatenate([problem.audited().probes(count, rng), scale * rng.normal(size=(count, problem.dim))])


def losses(problem: Problem) -> list[Loss]:
    return [problem.inner] if problem.inner is problem.outer else [problem.inner, problem.outer]


def hessian(loss: Loss, w: Array) -> Array:
    """(..., d, d) at `w` (..., d)."""
    return np.stack([loss.hvp(w, e) for e in np.eye(w.shape[-1])], axis=-1)


def spectral_norm(matrix: Array) -> Array:
    if matrix.shape[-1] == 1:
        return np.abs(matrix[..., 0, 0])
    return np.asarray(np.abs(np.linalg.eigvalsh(matrix)).max(axis=-1))


def curvature(problem: Problem, w: Array) -> Array:
    return np.max([spectral_norm(hessian(loss, w[:, None])).max(axis=1) for loss in losses(problem)], axis=0)


def hessian_slope(problem: Problem, wu: Array) -> Array:
    """Of the inner losses, at `w` along `u`: both from (P, 2d)."""
    w, u = np.split(wu, 2, axis=1)
    step = H * problem.scale * u / np.linalg.norm(u, axis=1, keepdims=True)
    change = hessian(problem.inner, (w + step)[:, None]) - hessian(problem.inner, (w - step)[:, None])
    return np.asarray(spectral_norm(change).max(axis=1) / (2 * H * problem.scale))


def directed(at: Array, extremes: Array) -> Array:
    """Points (P, 2d) and directions: random ones, and at the extremes along an axis and away from 0."""
    directions = np.random.default_rng(32).normal(size=at.shape)
    everywhere = np.concatenate([at, directions], axis=1)
    if not len(extremes):
        return everywhere
    extremes = extremes[np.linspace(0, len(extremes) - 1, min(len(extremes), FEW_POINTS)).astype(int)]
    axis = np.broadcast_to(np.eye(at.shape[1])[0], extremes.shape)
    outwards = np.where(np.any(extremes, axis=1, keepdims=True), extremes, axis)
    sharp = [np.concatenate([extremes, direction], axis=1) for direction in (axis, outwards)]
    return np.concatenate([everywhere, *sharp])


def spread(problem: Problem, w: Array) -> Array:
    gradient = problem.outer.gradient(w[:, None])
    return np.asarray(np.sqrt(((gradient - gradient.mean(axis=1, keepdims=True)) ** 2).sum(axis=2).mean(axis=1)))


def mismatch(problem: Problem, w: Array) -> Array:
    """(P, tasks)."""
    return np.asarray(np.linalg.norm(problem.inner.gradient(w[:, None]) - problem.outer.gradient(w[:, None]), axis=2))


def steepness(problem: Problem, w: Array) -> Array:
    """Largest gradient norm of any task, where the problem bounds it."""
    size = np.linalg.norm(w, axis=1, keepdims=True)
    w = w * np.minimum(1, problem.gradient_radius / np.maximum(size, np.finfo(float).tiny))
    return np.max([np.linalg.norm(loss.gradient(w[:, None]), axis=2).max(axis=1) for loss in losses(problem)], axis=0)


def data(problem: Problem) -> tuple[Loss, Array]:
    """Losses of every datum, batch shape (atoms, tasks), and the probabilities of the atoms."""
    exact = problem.noise.quadrature()
    assert exact is not None
    atoms, tasks = len(exact.probabilities), problem.number_of_tasks
    one_each = np.broadcast_to(np.eye(atoms)[:, None], (atoms, tasks, atoms))
    return exact.weighted(np.tile(np.arange(tasks), (atoms, 1)), one_each), exact.probabilities


def gradient_noise(problem: Problem, w: Array) -> tuple[Array, Array]:
    """Noise (P, atoms, tasks, d) at `w` (P, d), and the probabilities of the atoms."""
    single, probabilities = data(problem)
    return single.gradient(w[:, None, None]) - problem.inner.gradient(w[:, None])[:, None], probabilities


def hessian_noise(problem: Problem, w: Array) -> tuple[Array, Array]:
    """Noise (P, atoms, tasks, d, d) at `w` (P, d), and the probabilities of the atoms."""
    single, probabilities = data(problem)
    return hessian(single, w[:, None, None]) - hessian(problem.inner, w[:, None])[:, None], probabilities


def root_mean_square(noise: tuple[Array, Array], norm: Callable[[Array], Array]) -> Array:
    """Of the worst task, at every point: (P,)."""
    return np.asarray(np.sqrt(np.einsum("pat,a->pt", norm(noise[0]) ** 2, noise[1]).max(axis=1)))


def supremum(function: Callable[[Array], Array], at: Array, polished: int = POLISHED) -> float:
    """Largest value at the points, and in simplex searches from the best of them where there are few dimensions."""
    from scipy import optimize

    values = function(at)
    best = float(values.max())
    for start in at[np.argsort(-values)[:polished]]:
        found = optimize.minimize(  # type: ignore[call-overload]  # the stubs do not know `maxfev`
            lambda x: -function(x[None])[0], start, method="Nelder-Mead", options={"maxfev": 600}
        )
        best = max(best, -found.fun)
    return best


def suprema(problem: Problem) -> dict[str, float]:
    """Each constant that the problem declares as finite, as large as it was found."""
    at, splines = points(problem), on_splines(problem)
    polished = POLISHED if not splines and problem.dim <= MOST_POLISHED_DIMENSIONS else 0

    def largest(function: Callable[[Problem, Array], Array], where: Array = at, polished: int = polished) -> float:
        return supremum(lambda w: function(problem, w), where, polished)

    found = {"L": largest(curvature), "sigma": largest(spread), "gradient_bound": largest(steepness)}
    if splines:
        second = problem.inner.hvp(at[:, None], np.ones(1))[..., 0]
        found["rho"] = float((np.abs(np.diff(second, axis=0)) / np.diff(at, axis=0)).max())
    else:
        found["rho"] = largest(hessian_slope, directed(at, problem.extremes))
    if problem.case == "finite-sum":

        def of_task(task: int) -> float:
            return largest(lambda p, w: mismatch(p, w)[:, task], polished=min(polished, 1))

        everywhere = mismatch(problem, at).max(axis=0)
        worst = [of_task(task) for task in range(problem.number_of_tasks)] if polished else everywhere
        found |= {"b": float(np.mean(worst)), "b_sq": float(np.mean(np.square(worst)))}
    else:

        def noise(p: Problem, w: Array) -> Array:
            return root_mean_square(gradient_noise(p, w), lambda x: np.linalg.norm(x, axis=-1))

        def second_noise(p: Problem, w: Array) -> Array:
            return root_mean_square(hessian_noise(p, w), spectral_norm)

        few = np.concatenate([at if splines else at[:400], problem.extremes.reshape(-1, problem.dim)])
        found |= {"sigma_g": largest(noise, few, 0), "sigma_H": largest(second_noise, few, 0)}
    return {name: value for name, value in found.items() if np.isfinite(declared(problem, name))}


def declared(problem: Problem, name: str) -> float:
    """The constant, or `gradient_bound`, of that name."""
    return problem.gradient_bound if name == "gradient_bound" else float(getattr(problem.constants, name))
