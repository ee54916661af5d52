"""Derivatives that a user left out, by numerical differentiation (scipy.differentiate), many points at once."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt

from theory.loss import Array

AtRows: TypeAlias = Callable[[Array, npt.NDArray[np.intp]], Array]
"""A function of points (m, d) and of the numbers (m,) of the rows that they belong to."""

EPS = float(np.finfo(np.float64).eps)
RELATIVE_TOLERANCE = 1e-11
STENCIL_NOISE = 16.0
"""Error of a central difference of order 8 in units of (error of the function)/step: about the sum of |weights|."""


OFFSETS = np.array([-4, -3, -2, -1, 1, 2, 3, 4])
ORDER_8 = np.array([-1 / 560, 8 / 315, -1 / 5, 8 / 5, 8 / 5, -1 / 5, 8 / 315, -1 / 560])
ORDER_6 = np.array([0, 1 / 90, -3 / 20, 3 / 2, 3 / 2, -3 / 20, 1 / 90, 0])
"""Second derivatives, in units of 1/step², of differences from the value in the middle."""
HALVINGS = 6
AGREEMENT_OF_ORDERS = 1e-8
"""Where orders 6 and 8 agree to this, relatively, order 8 is right to about 1e-10."""
FINER = 64.0
"""Ratio of the steps whose derivatives are compared where a first step is looked for."""
SAME = 1e-6


class Derivative(NamedTuple):
    """A numerical derivative and the estimate of its absolute error, of the same shape."""

    value: Array
    error: Array


def reliable_step(value: AtRows, w: Array, u: Array, step: float) -> float:
    """First step of differences for a function like `value`: `step`, or less where that is far too long.

    Differences over steps that are far longer than a function's waves look as sure as others, but change when the step
    does: the derivatives along `u` (d,) at `w` (n, d) must be those of a step 64 times finer. Differences halve their
    step six times at most, so the first step that passes may be 64 times too long: a sixteenth of it comes back, unless
    it is `step`, or no two steps agree, as at kinks.
    """
    tried, coarse = step, _slopes(value, w, u, step)
    while tried / FINER > np.sqrt(EPS) * step:
        fine = _slopes(value, w, u, tried / FINER)
        if np.abs(coarse - fine).max() <= SAME * np.abs(fine).max():
            return tried if tried == step else tried / 16
        tried, coarse = tried / FINER, fine
    return step


def _slopes(value: AtRows, w: Array, u: Array, step: float) -> Array:
    """Derivatives of `value` along `u` (d,) at the rows of `w` (n, d): shape (n,)."""
    rows = np.arange(len(w))

    def along(t: Array, row: Array) -> Array:
        t, row = np.broadcast_arrays(t, row)
        return value(w[row.ravel()] + t.ravel()[:, None] * u, row.ravel()).reshape(t.shape)

    return _derivative(along, np.zeros(len(w)), EPS * np.abs(value(w, rows)), step, args=(rows,)).value


def numerical_gradient(value: AtRows, w: Array, step: float) -> Derivative:
    """Gradient of `value` (m, d) -> (m,) at the rows of `w` (n, d): shape (n, d).

    `step` is the first step of central differences of order 8; it is halved until the error estimate is small.
    """
    rows, axes = np.arange(len(w))[:, None], np.arange(w.shape[1])

    def along(t: Array, row: Array, axis: Array) -> Array:
        t, row, axis = np.broadcast_arrays(t, row, axis)
        points = w[row.ravel()]
        points[np.arange(len(points)), axis.ravel()] += t.ravel()
        return value(points, row.ravel()).reshape(t.shape)

    error = EPS * np.abs(value(w, rows[:, 0]))
    return _derivative(along, np.zeros(w.shape), error, step, args=(rows, axes))


def numerical_hvp(gradient: AtRows, w: Array, v: Array, step: float) -> Derivative:
    """Derivative of `gradient` (m, d) -> (m, d) at the rows of `w` (n, d) along those of `v` (n, d): shape (n, d)."""
    length, unit = _split(v)
    rows = np.arange(len(w))

    def along(t: Array) -> Array:
        # All components of a row are asked for at the same abscissae: one gradient serves them all.
        abscissae = t[:, 0].reshape(len(w), -1)
        points = w[:, None] + abscissae[..., None] * unit[:, None]
        gradients = gradient(points.reshape(-1, w.shape[1]), rows.repeat(abscissae.shape[1]))
        return np.moveaxis(gradients.reshape(points.shape), 1, 2).reshape(t.shape)

    error = EPS * np.abs(gradient(w, rows)).max(axis=1)
    found = _derivative(along, np.zeros(w.shape), error, step, preserve=True)
    return Derivative(length * found.value, length * found.error)


def numerical_hvp_of_value(value: AtRows, w: Array, v: Array, step: float) -> Array:
    """Hessian of `value` (m, d) -> (m,) at the rows of `w` (n, d) times those of `v` (n, d): shape (n, d)."""
    length, unit = _split(v)
    axes = np.broadcast_to(np.eye(w.shape[1]), (*w.shape, w.shape[1]))
    return length * _mixed_derivatives(value, w, axes, unit[:, None], step)


def _split(v: Array) -> tuple[Array, Array]:
    """Lengths (n, 1) and unit vectors (n, d), zero where `v` is."""
    length = np.linalg.norm(v, axis=1, keepdims=True)
    return length, np.divide(v, length, out=np.zeros(v.shape), where=length > 0)


def _mixed_derivatives(value: AtRows, w: Array, a: Array, b: Array, step: float) -> Array:
    """Second derivatives `aᵀ ∇² b` at the rows of `w` (n, d) for `a` (n, m, d) and `b` (broadcast): shape (n, m)."""
    plus, minus = (_second_derivatives(value, w, a + sign * b, step) for sign in (1, -1))
    return (plus - minus) / 4


def _second_derivatives(value: AtRows, w: Array, u: Array, step: float) -> Array:
    """Second derivatives of `t ↦ value(w + tu)` at 0, for directions `u` (n, m, d) at each row of `w`: shape (n, m).

    Central differences of order 8, whose steps are halved, row by row, until those of order 6 agree with them. (scipy
    has first derivatives only; the Hessian that nests them takes ten times as many values.)
    """
    centre = value(w, np.arange(len(w)))
    best, least = np.full(u.shape[:2], np.nan), np.full(u.shape[:2], np.inf)
    active, h = np.arange(len(w)), step / 4
    with np.errstate(all="ignore"):
        for _ in range(HALVINGS + 1):
            points = w[active, None, None] + h * OFFSETS[:, None] * u[active, :, None]  # (active, m, 8, d)
            rows = active.repeat(points[0].size // w.shape[1])
            values = value(points.reshape(-1, w.shape[1]), rows).reshape(points.shape[:-1]) - centre[active, None, None]
            found, rough = values @ ORDER_8 / h**2, values @ ORDER_6 / h**2
            noise = STENCIL_NOISE * EPS * np.abs(centre[active, None]) / h**2
            error = np.abs(found - rough) + noise
            better = ~(error >= least[active])
            best[active], least[active] = np.where(better, found, best[active]), np.where(better, error, least[active])
            improvable = (error > AGREEMENT_OF_ORDERS * np.abs(found).max(axis=1, keepdims=True)) & (error > 2 * noise)
            active, h = active[improvable.any(axis=1)], h / 2
            if not active.size:
                break
    return best


def _derivative(
    f: Callable[..., Array], at: Array, error: Array, step: float, args: tuple[Array, ...] = (), preserve: bool = False
) -> Derivative:
    """Call scipy with an absolute tolerance that a typical `error` (n,) of the function allows."""
    from scipy import differentiate

    if at.size == 0:
        return Derivative(at, at)
    finite = error[np.isfinite(error)]
    noise = STENCIL_NOISE * (float(np.median(finite)) if finite.size else 0.0) / step
    tolerances = {"rtol": RELATIVE_TOLERANCE, "atol": noise}
    derivative: Callable[..., Any] = differentiate.derivative  # its stubs cannot tell scalar from elementwise
    with np.errstate(all="ignore"):
        found = derivative(
            f, at, args=args, initial_step=step, maxiter=6, tolerances=tolerances, preserve_shape=preserve
        )
    return Derivative(np.asarray(found.df), np.asarray(found.error) + noise)
