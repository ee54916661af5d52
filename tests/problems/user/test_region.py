"""The region of a user's problem: nothing that a search visits lies outside."""

from __future__ import annotations

import numpy as np
import pytest

from problems.user.region import Ball, Box, Region, read_region

REGIONS: list[Region] = [
    Ball(np.array([1.0, -2.0]), 0.5, "the start"),
    Ball(np.linspace(-1, 1, 40), 3.0, "the start"),
    Box(np.array([-1.0, 2.0, 0.0]), np.array([1.0, 2.5, 7.0])),
]


@pytest.mark.parametrize("region", REGIONS, ids=str)
def test_points_lie_inside_and_reach_the_border(region: Region) -> None:
    w = region.points(2000, np.random.default_rng(0))
    assert np.allclose(region.nearest(w), w, atol=1e-12)
    assert np.linalg.norm(w - region.centre, axis=1).max() >= 0.99 * region.reach


@pytest.mark.parametrize("region", REGIONS, ids=str)
def test_the_nearest_point_is_inside_and_no_point_is_nearer(region: Region) -> None:
    rng = np.random.default_rng(1)
    w = region.centre + 3 * region.reach * rng.normal(size=(50, len(region.centre)))
    nearest, others = region.nearest(w), region.points(500, rng)
    assert np.allclose(region.nearest(nearest), nearest, atol=1e-12)
    distance = np.linalg.norm(w[:, None] - others, axis=2).min(axis=1)
    assert (np.linalg.norm(w - nearest, axis=1) <= distance + 1e-12).all()


@pytest.mark.parametrize("region", REGIONS, ids=str)
def test_a_search_from_the_core_and_its_pairs_stay_inside(region: Region) -> None:
    """A search doubles the core, and goes 10^½ eighths of the reach from one point of a pair to the other."""
    rng = np.random.default_rng(2)
    corner = region.centre + 2 * region.core * rng.choice([-1, 1], size=(200, len(region.centre)))
    step = rng.normal(size=corner.shape)
    u = corner + 10**0.5 * region.reach / 8 * step / np.linalg.norm(step, axis=1, keepdims=True)
    assert np.allclose(region.nearest(u), u, atol=1e-12)


def test_a_ball_lies_around_the_start_or_the_origin_and_a_start_in_the_core() -> None:
    around, start = read_region(2.0, [3.0, 4.0], 2)
    assert (str(around), start.tolist()) == ("the ball of radius 2 around the start", [3.0, 4.0])
    assert np.array_equal(around.centre, start)
    origin, start = read_region(2, None, 4)
    assert (str(origin), start.tolist()) == ("the ball of radius 2 around the origin", [0.25] * 4)


def test_a_start_outside_is_one_line() -> None:
    with pytest.raises(ValueError, match=r"start = \[3.0\] is not allowed: start must lie in the region, the box"):
        read_region((0.0, 1.0), [3.0], 1)
