"""What is maximised to find a constant, as functions of points, with directions of ascent from Hessian-vector products.

Third and fourth derivatives along a direction are differences of Hessian-vector products, `h` apart to either side: for
`|vᵀ∇²l(w)v|` the direction of ascent is `D³l[v, v, ·]`, for `|D³l[v, v, v]|` it is `D⁴l[v, v, v, ·]`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

import numpy as np

from problems.user.climbing import Objective, State, normalised
from theory.loss import Array, Loss

Product: TypeAlias = Callable[[Array, Array], Array]
"""Points and directions ↦ products with a symmetric matrix that depends on the point."""

POWER_ITERATIONS = 4
CLIMBS = 2


def curvature(product: Product, h: float) -> Objective:
    """Spectral norm of the matrix; the state is a unit vector (n, d)."""

    def value(w: Array, v: State) -> tuple[Array, State]:
        size = np.zeros(len(w))
        for _ in range(POWER_ITERATIONS):
            image = product(w, v)
            size, v = _length(image), _unless_zero(image, v)
        return size, v

    def slope(w: Array, v: State) -> Array:
        ahead, behind = product(w + h * v, v), product(w - h * v, v)
        return (ahead - behind) * np.sign(((ahead + behind) * v).sum(axis=-1, keepdims=True))

    return Objective(value, slope)


def third_derivative(product: Product, h: float) -> Objective:
    """Norm of the third derivative of which `product` is the second; the state is two unit vectors (n, 2, d).

    Alternating maximisation of `D³l[x, y, z]`, which only climbs; its maximum over three unit vectors is that over
    equal ones (Banach).
    """

    def form(w: Array, x: Array, y: Array) -> Array:
        return (product(w + h * x, y) - product(w - h * x, y)) / (2 * h)

    def value(w: Array, xy: State) -> tuple[Array, State]:
        x, y, size = xy[:, 0], xy[:, 1], np.zeros(len(w))
        for _ in range(CLIMBS):
            image = form(w, x, y)
            size, x, y = _length(image), y, _unless_zero(image, x)
        return size, np.stack([x, y], axis=1)

    def slope(w: Array, xy: State) -> Array:
        v = xy[:, 1]
        ahead, here, behind = product(w + h * v, v), product(w, v), product(w - h * v, v)
        return (ahead - 2 * here + behind) * np.sign(((ahead - behind) * v).sum(axis=-1, keepdims=True))

    return Objective(value, slope)


def steepness(gradient: Callable[[Array], Array], product: Product) -> Objective:
    """Length of a gradient field, whose derivative is `product`."""

    def slope(w: Array, state: State) -> Array:
        return product(w, gradient(w))

    return Objective(lambda w, state: (_length(gradient(w)), state), slope)


def spread(losses: Loss) -> Objective:
    """Root-mean-square distance of the gradients of all tasks from their mean."""

    def centred(w: Array) -> Array:
        gradients = losses.gradient(w[:, None])
        return gradients - gradients.mean(axis=1, keepdims=True)

    def value(w: Array, state: State) -> tuple[Array, State]:
        return np.sqrt((centred(w) ** 2).sum(axis=2).mean(axis=1)), state

    return Objective(value, lambda w, state: losses.hvp(w[:, None], centred(w)).mean(axis=1))


def depth(losses: Loss) -> Objective:
    """Minus the loss."""
    return Objective(lambda w, state: (-losses.value(w), state), lambda w, state: -losses.gradient(w))


def _length(v: Array) -> Array:
    return np.linalg.norm(v, axis=-1)


def _unless_zero(v: Array, otherwise: Array) -> Array:
    """Unit vectors along `v` (n, d), or those given where `v` is zero."""
    unit = normalised(v)
    return np.where(unit.any(axis=-1, keepdims=True), unit, otherwise)
