"""The region where the constants of a user's problem are meant to hold: a ball around the start, or a box.

Claims are examined in its core, so that nothing that a search visits lies outside: a search widens the cube of its
probes to twice its size, and goes `4 · scale` at most from one point of a pair to the other.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol, TypeAlias

import numpy as np
import numpy.typing as npt

from theory.loss import Array

Vector: TypeAlias = npt.NDArray[np.float64]


class Region(Protocol):
    """A set of points (d,), which says in words which it is.

    Attributes
    ----------
    centre : (d,) its middle.
    core : (d,) half widths of the box around the centre from which probes are drawn.
    reach : distance from the centre to the nearest point outside.
    """

    @property
    def centre(self) -> Vector: ...  # noqa: D102
    @property
    def core(self) -> Vector: ...  # noqa: D102
    @property
    def reach(self) -> float: ...  # noqa: D102

    def points(self, count: int, rng: np.random.Generator) -> Vector:
        """`count` random points (count, d) from everywhere in it."""

    def nearest(self, w: Array) -> Array:
        """Nearest points of the region to `w` (..., d)."""


@dataclass(frozen=True)
class Ball:
    """Points within `radius` of the centre, which is `around` in words."""

    centre: Vector
    radius: float
    around: str

    @property
    def core(self) -> Vector:
        """Of a cube whose double lies within half the radius."""
        return np.full(len(self.centre), self.radius / (4 * np.sqrt(len(self.centre))))

    @property
    def reach(self) -> float:
        """The radius."""
        return self.radius

    def points(self, count: int, rng: np.random.Generator) -> Vector:
        """Uniform in distance from the centre: in many dimensions nearly all of a ball is close to its surface."""
        direction = rng.normal(size=(count, len(self.centre)))
        direction /= np.linalg.norm(direction, axis=1, keepdims=True)
        return np.asarray(self.centre + self.radius * rng.uniform(size=(count, 1)) * direction)

    def nearest(self, w: Array) -> Array:
        """Points outside move to the surface, towards the centre."""
        away = w - self.centre
        distance = np.linalg.norm(away, axis=-1, keepdims=True)
        outside = distance > self.radius
        shrunk = self.centre + away * (self.radius / np.where(outside, distance, self.radius))
        return np.where(outside, shrunk, w)

    def __str__(self) -> str:
        return f"the ball of radius {self.radius:g} around {self.around}"


@dataclass(frozen=True)
class Box:
    """Points with `low ≤ w ≤ high`."""

    low: Vector
    high: Vector

    @property
    def centre(self) -> Vector:
        """The middle of each side."""
        return (self.low + self.high) / 2

    @property
    def core(self) -> Vector:
        """An eighth of each side."""
        return (self.high - self.low) / 8

    @property
    def reach(self) -> float:
        """Half of the shortest side."""
        return float((self.high - self.low).min()) / 2

    def points(self, count: int, rng: np.random.Generator) -> Vector:
        """Uniform."""
        return rng.uniform(self.low, self.high, size=(count, len(self.low)))

    def nearest(self, w: Array) -> Array:
        """Each coordinate for itself."""
        return np.clip(w, self.low, self.high)

    def __str__(self) -> str:
        return f"the box [{self.low.min():g}, {self.high.max():g}]^{len(self.low)}"


def read_region(region: Any, start: npt.ArrayLike | None, dim: int) -> tuple[Region, Vector]:
    """Return the region that a user means, and where the algorithms start.

    The region is a radius > 0 for a ball around the start (around the origin where there is none), or the corners
    `(low, high)` of a box. Without a start, that is the upper corner of the core.
    Raises ValueError where the region is none, or the start does not lie in it.
    """
    at = None if start is None else _point(start, dim)
    found = _box(region, dim) if isinstance(region, tuple | list) else _ball(region, at, dim)
    if found is None:
        raise ValueError(
            f"region = {region!r} is not allowed: region must be a radius > 0, or (low, high) with low < high, "
            f"each a number or of shape ({dim},)"
        )
    if at is None:
        return found, found.centre + found.core
    if not np.array_equal(found.nearest(at), at):
        raise ValueError(f"start = {at.tolist()} is not allowed: start must lie in the region, {found}")
    return found, at


def _ball(radius: Any, start: Vector | None, dim: int) -> Ball | None:
    try:
        value = float(radius)
    except (TypeError, ValueError):
        return None
    if not 0 < value < np.inf:
        return None
    return Ball(np.zeros(dim), value, "the origin") if start is None else Ball(start, value, "the start")


def _box(corners: Any, dim: int) -> Box | None:
    try:
        low, high = (np.broadcast_to(np.asarray(corner, dtype=np.float64), (dim,)) for corner in corners)
    except (TypeError, ValueError):
        return None
    return Box(low, high) if np.isfinite([low, high]).all() and (low < high).all() else None


def _point(given: npt.ArrayLike, dim: int) -> Vector:
    try:
        start = np.array(given, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise ValueError(f"start is no array of numbers, must be finite, of shape ({dim},)") from error
    if start.shape != (dim,) or not np.isfinite(start).all():
        raise ValueError(f"start of shape {start.shape} is not allowed: start must be finite, of shape ({dim},)")
    return start
