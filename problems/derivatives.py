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
NUMERICAL_PRECISION = 1e-12
"""Relative precision of a numerical gradient, for the numerical Hessian that is built on it."""
STENCIL_NOISE = 16.0
"""Error of a central difference of order 8 in units of (error of the function)/step: about the sum of |weights|."""


class Derivative(NamedTuple):
    """A numerical derivative and the estimate of its absolute error, of the same shape."""

    value: Array
    error: Array


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


def numerical_hvp(gradient: AtRows, w: Array, v: Array, step: float, precision: float = EPS) -> Derivative:
    """Derivative of `gradient` (m, d) -> (m, d) at the rows of `w` (n, d) along those of `v` (n, d): shape (n, d).

    `precision` is the relative precision of `gradient`: steps so small that they amplify its error are not taken.
    """
    length = np.linalg.norm(v, axis=1, keepdims=True)
    unit = np.divide(v, length, out=np.zeros(v.shape), where=length > 0)
    rows = np.arange(len(w))

    def along(t: Array) -> Array:
        # All components of a row are asked for at the same abscissae: one gradient serves them all.
        abscissae = t[:, 0].reshape(len(w), -1)
        points = w[:, None] + abscissae[..., None] * unit[:, None]
        gradients = gradient(points.reshape(-1, w.shape[1]), rows.repeat(abscissae.shape[1]))
        return np.moveaxis(gradients.reshape(points.shape), 1, 2).reshape(t.shape)

    error = precision * np.abs(gradient(w, rows)).max(axis=1)
    found = _derivative(along, np.zeros(w.shape), error, step, preserve=True)
    return Derivative(length * found.value, length * found.error)


def numerical_hessian(value: AtRows, w: Array, step: float) -> Array:
    """Hessian of `value` (m, d) -> (m,) at the rows of `w` (n, d): shape (n, d, d).

    Cheap and without an estimate of its error: one fixed central difference of order 8 along the sum and the difference
    of each pair of axes, `4 H_ij = φ''_{e_i + e_j} − φ''_{e_i − e_j}`.
    """
    h = step / 8
    offsets = h * np.array([-4, -3, -2, -1, 0, 1, 2, 3, 4])
    half = [-1 / 560, 8 / 315, -1 / 5, 8 / 5]
    weights = np.array([*half, -205 / 72, *reversed(half)]) / h**2
    i, j = np.triu_indices(w.shape[1])
    axes = np.eye(w.shape[1])
    directions = np.stack([axes[i] + axes[j], axes[i] - axes[j]])  # (2, pairs, d)
    points = w[:, None, None, None] + offsets[:, None] * directions[:, :, None]  # (n, 2, pairs, 9, d)
    rows = np.arange(len(w)).repeat(points[0].size // w.shape[1])
    plus, minus = np.moveaxis(value(points.reshape(-1, w.shape[1]), rows).reshape(points.shape[:-1]) @ weights, 1, 0)
    hessian = np.empty((*w.shape, w.shape[1]))
    hessian[:, i, j] = hessian[:, j, i] = (plus - minus) / 4
    return hessian


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
