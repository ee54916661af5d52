"""What can be wrong with a user's functions, found before any claim rests on them; each is one line."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial

import numpy as np
import numpy.typing as npt

from problems.user.derivatives import EPS, Derivative, numerical_gradient, numerical_hvp, reliable_step
from problems.user.loss import FunctionLoss, Functions, Vector
from theory.loss import Array

AGREEMENT = 1e-6
"""Relative error of a derivative that is called wrong. Numerical differentiation of smooth functions reaches 1e-10;
where it does not, its own error estimate is added, so that a kink is not mistaken for an error."""


def check_loss(loss: FunctionLoss, points: npt.NDArray[np.float64], rng: np.random.Generator) -> FunctionLoss:
    """Require of a batch (tasks,) that shapes, values and derivatives are right at `points` (P, d).

    Returns the batch with a first step of differences that is right for it; its own is the longest that is tried.

    Raises ValueError, in one line that names the loss, the function and what is allowed, where a function raises,
    returns the wrong shape, type, NaN or infinity, or another value for the same point, and where the gradient is not
    the derivative of the value, the Hessian (or `hvp`) not the derivative of the gradient, or not symmetric.
    """
    d = points.shape[1]
    u, v = _directions(rng, d)
    for functions in loss.functions:
        if functions.vectorised:
            _require_plain_results(functions, points, u)
            _require_rows_of_their_own(functions, points, u)
            continue
        for w in points:
            _require_plain_results(functions, w, u)
    given = loss.derivatives
    w = np.repeat(points, len(loss.functions), axis=0)
    owner = np.tile(np.arange(len(loss.functions)), len(points))
    rows = FunctionLoss(loss.functions[owner], loss.step)
    rows = replace(rows, step=reliable_step(lambda x, row: rows.take(row).value(x), w, u, loss.step))
    along = np.broadcast_to(u, w.shape)
    if "gradient" in given:
        found = numerical_gradient(lambda x, row: rows.take(row).value(x), w, rows.step)
        _require_derivative("gradient", "value", rows, w, rows.gradient(w), found)
    if given & {"hessian", "hvp"}:
        found = numerical_hvp(lambda x, row: rows.take(row).gradient(x), w, along, rows.step)
        for name in sorted(given & {"hessian", "hvp"}):
            only = _only(rows, name)
            _require_derivative(name, "gradient", rows, w, only.hvp(w, along), found)
            _require_symmetric(name, only, w, u, v)
    return replace(loss, step=rows.step)


def _directions(rng: np.random.Generator, d: int) -> tuple[Vector, Vector]:
    u, v = rng.normal(size=(2, d))
    return u / np.linalg.norm(u), v / np.linalg.norm(v)


def _calls(functions: Functions, w: Vector, u: Vector) -> Iterator[tuple[str, Callable[[], Array]]]:
    """Each function that is given, and a call of it at `w`, one point (d,) or many (n, d), along `u` (d,)."""
    *many, d = w.shape
    calls: list[tuple[str, tuple[int, ...], tuple[Vector, ...]]] = [("value", (), (w,)), ("gradient", (d,), (w,))]
    calls += [("hessian", (d, d), (w,)), ("hvp", (d,), (w, np.broadcast_to(u, w.shape)))]
    for name, shape, arguments in calls:
        if getattr(functions, name) is not None:
            yield name, partial(_called, functions, name, (*many, *shape), arguments)


def _called(functions: Functions, name: str, shape: tuple[int, ...], arguments: tuple[Vector, ...]) -> Array:
    with np.errstate(all="ignore"):  # what is not finite is told where it matters
        return functions.call(name, shape, *(x.copy() for x in arguments))


def _require_plain_results(functions: Functions, w: Vector, u: Vector) -> None:
    """Call each function twice, at one point (d,) or at many (n, d)."""
    for name, call in _calls(functions, w, u):
        where = f"{functions.label}: {name} at w = {show(w.reshape(-1, w.shape[-1])[0])}"
        result, again = call(), call()
        if not np.isfinite(result).all():
            raise ValueError(f"{where} is NaN or infinite, must be finite")
        if not np.array_equal(result, again):
            raise ValueError(f"{where} differs from call to call, must not be random")


def _require_rows_of_their_own(functions: Functions, points: Vector, u: Vector) -> None:
    """Require of vectorised functions that what they return for a point does not depend on the others."""
    alone = [dict(_calls(functions, w[None], u)) for w in points]
    for name, together in _calls(functions, points, u):
        rows, single = together(), np.concatenate([calls[name]() for calls in alone])
        if not np.allclose(rows, single, rtol=AGREEMENT, atol=AGREEMENT * float(np.abs(single).max())):
            raise ValueError(f"{functions.label}: {name} of many points (n, d) is not that of each, must be")


def _only(rows: FunctionLoss, name: str) -> FunctionLoss:
    """Return the same losses with one of `hessian` and `hvp`."""
    kept = np.empty(len(rows.functions), dtype=object)
    kept[:] = [
        Functions(f.label, f.value, f.gradient, vectorised=f.vectorised, **{name: getattr(f, name)})
        for f in rows.functions
    ]
    return FunctionLoss(kept, rows.step)


def _require_derivative(name: str, of: str, rows: FunctionLoss, w: Array, given: Array, found: Derivative) -> None:
    """Require `given` (n, d) to agree with the numerical derivative `found`, up to the latter's own error."""
    scale = np.maximum(np.linalg.norm(given, axis=1), np.linalg.norm(found.value, axis=1))
    excess = np.abs(given - found.value) - 10 * found.error - AGREEMENT * scale[:, None]
    row, component = np.unravel_index(np.nanargmax(np.where(np.isfinite(excess), excess, -np.inf)), excess.shape)
    if excess[row, component] > 0:
        what = f"{name}(w)[{component}]" if name == "gradient" else f"({name}(w)·u)[{component}]"
        raise ValueError(
            f"{rows.functions[row].label}: {name} is not the derivative of {of}: {what} = {given[row, component]:.6g}, "
            f"numerically {found.value[row, component]:.6g}, at w = {show(w[row])}"
        )


def _require_symmetric(name: str, rows: FunctionLoss, w: Array, u: Vector, v: Vector) -> None:
    """Require `⟨u, Hv⟩ = ⟨v, Hu⟩` up to the rounding of a product with `d` terms a component."""
    Hu, Hv = (rows.hvp(w, np.broadcast_to(x, w.shape)) for x in (u, v))
    size = np.linalg.norm(Hu, axis=1) + np.linalg.norm(Hv, axis=1)
    excess = np.abs(Hv @ u - Hu @ v) - 1e4 * len(u) * EPS * size
    row = int(np.argmax(excess))
    if excess[row] > 0:
        raise ValueError(
            f"{rows.functions[row].label}: {name} is not symmetric: ⟨u, Hv⟩ = {Hv[row] @ u:.6g} "
            f"but ⟨v, Hu⟩ = {Hu[row] @ v:.6g}, at w = {show(w[row])}"
        )


def require_finite(loss: FunctionLoss, points: npt.NDArray[np.float64]) -> None:
    """Require of a batch (tasks,) that what was given of it is finite at `points` (P, d), where a search may come.

    Raises ValueError in one line that names the loss, the function and the point.
    """
    w, given = points[:, None], loss.derivatives
    found = {"value": loss.value(w)[..., None]}
    if "gradient" in given:
        found["gradient"] = loss.gradient(w)
    if curvature := given & {"hessian", "hvp"}:
        found[max(curvature)] = loss.hvp(w, np.ones(points.shape[1]))
    for name, result in found.items():
        for p, task in np.argwhere(~np.isfinite(result).all(axis=-1)):
            where = f"{loss.functions[task].label}: {name} at w = {show(points[p])}"
            raise ValueError(f"{where} is NaN or infinite, must be finite in the region")


def require_reproducible(draw: Callable[[np.random.Generator], FunctionLoss], points: npt.NDArray[np.float64]) -> None:
    """Require that a batch (tasks,) of samples depends on the generator alone: a run is a function of its seed.

    Raises ValueError in one line that names the first sampler that draws from elsewhere, or keeps a state.
    """
    first, again = (draw(np.random.default_rng(0)) for _ in range(2))
    same = np.equal(first.value(points[:, None]), again.value(points[:, None])).all(axis=0)
    for task in np.flatnonzero(~same):
        raise ValueError(f"{first.functions[task].label}(rng) differs for equal rng, must draw from rng alone")


def bias_notice(loss: FunctionLoss, draw: Callable[[int], FunctionLoss], points: npt.NDArray[np.float64]) -> str:
    """One line where the mean gradient of samples is far from the gradient of their task, or "".

    A notice and not an error: no finite number of samples tells a bias from a rare, large datum.
    """
    for task, functions in enumerate(loss.functions):
        samples = draw(task)
        noise = samples.gradient(points[:, None]) - loss.take(np.array([task])).gradient(points[:, None])
        mean, spread = noise.mean(axis=1), noise.std(axis=1)
        draws, size = noise.shape[1], np.abs(noise).max(axis=1)
        excess = np.abs(mean) - 8 * spread / np.sqrt(draws) - AGREEMENT * size
        p, component = np.unravel_index(np.argmax(excess), excess.shape)
        if excess[p, component] > 0:
            return (
                f"{functions.label}: sample looks biased: the mean gradient of {draws} samples is off by "
                f"{mean[p, component]:.3g} in component {component} at w = {show(points[p])}"
            )
    return ""


def show(w: Array) -> str:
    """Return a point as short text: at most four of its components."""
    shown = ", ".join(f"{x:.4g}" for x in w[:4])
    return f"({shown}{', …' if len(w) > 4 else ''})"
