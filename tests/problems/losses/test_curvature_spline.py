"""Losses drawn by their curvature, against exact integration of the same piecewise linear curvature by scipy."""

import numpy as np
import pytest
from scipy.interpolate import PPoly

from problems.losses.curvature_spline import CurvatureSpline
from theory.maml import meta_gradient

TASKS, M, ANCHOR = 3, 7, 4
FAR = 50.0


def random_spline(seed: int) -> tuple[CurvatureSpline, np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    knots = np.sort(rng.normal(scale=2.0, size=(TASKS, M)), axis=1)
    curvature = rng.normal(size=(TASKS, M))
    gradient = rng.normal(size=TASKS)
    return CurvatureSpline.draw(knots, curvature, anchor=ANCHOR, gradient=gradient), knots, curvature, gradient


def reference(knots: np.ndarray, curvature: np.ndarray, gradient: float) -> list[PPoly]:
    """Value, slope and curvature of one task as piecewise polynomials on [−FAR, FAR]."""
    breaks = np.concatenate([[-FAR], knots, [FAR]])
    start = np.concatenate([curvature[:1], curvature])
    slope = np.concatenate([[0], np.diff(curvature) / np.diff(knots), [0]])
    second = PPoly(np.stack([slope, start]), breaks)
    first = second.antiderivative()
    first.c[-1] += gradient - first(knots[ANCHOR])
    value = first.antiderivative()
    value.c[-1] -= value(knots[ANCHOR])
    return [value, first, second]


@pytest.mark.parametrize("seed", range(3))
def test_value_gradient_and_curvature_are_the_integrals_of_the_drawing(seed: int) -> None:
    loss, knots, curvature, gradient = random_spline(seed)
    x = np.concatenate([np.random.default_rng(seed + 10).uniform(-9, 9, size=200), knots.ravel()])
    w = x[:, None, None]
    got = [loss.value(w), loss.gradient(w)[..., 0], loss.hvp(w, np.full(1, 1.7))[..., 0] / 1.7]
    for task in range(TASKS):
        for measured, polynomial in zip(got, reference(knots[task], curvature[task], gradient[task]), strict=True):
            expected = polynomial(x)
            np.testing.assert_allclose(measured[:, task], expected, rtol=0, atol=1e-12 * np.abs(polynomial.c).max())


def test_value_gradient_and_curvature_are_continuous_at_the_knots() -> None:
    loss, knots, _, _ = random_spline(5)
    for k in range(M):
        w = knots[:, k, None]
        below = np.nextafter(w, -np.inf)
        np.testing.assert_allclose(loss.value(below), loss.value(w), rtol=0, atol=1e-13)
        np.testing.assert_allclose(loss.gradient(below), loss.gradient(w), rtol=0, atol=1e-13)
        np.testing.assert_allclose(loss.hvp(below, np.ones(1)), loss.hvp(w, np.ones(1)), rtol=0, atol=1e-13)


def test_anchor_is_exact_and_rounding_grows_only_with_the_distance_from_it() -> None:
    """Far knots carry large slopes; near the anchor they must not be felt: this rests on nearer bases."""
    loss = CurvatureSpline.draw([-1e8, -1.0, 0.0, 1.0, 1e8], [3.0, -2.0, -2.0, -2.0, 5.0], anchor=2, gradient=0.25)
    x = np.array([0.0, 0.3, -0.3, 1e-9, -1e-9])
    np.testing.assert_allclose(loss.gradient(x[:, None, None])[:, 0, 0], 0.25 - 2 * x, rtol=4e-16)
    assert loss.value(np.zeros((1, 1))) == 0.0


def test_linearize_gives_gradient_and_hessian() -> None:
    loss, *_ = random_spline(6)
    w = np.linspace(-5, 5, 31)[:, None, None]
    gradient, hessian = loss.linearize(w)
    np.testing.assert_array_equal(gradient, loss.gradient(w))
    np.testing.assert_array_equal(hessian(np.full(1, 0.3)), loss.hvp(w, np.full(1, 0.3)))


def test_take_gives_the_batch_shape_of_the_index() -> None:
    loss, *_ = random_spline(7)
    chosen = np.array([[2, 0], [1, 1], [0, 2], [2, 2]])
    w = np.linspace(-3, 3, 4)[:, None, None]
    taken = loss.take(chosen)
    assert taken.value(w).shape == (4, 2)
    alone = loss.value(w)[np.arange(4)[:, None], chosen]
    np.testing.assert_array_equal(taken.value(w), alone)
    np.testing.assert_array_equal(taken.gradient(w)[..., 0], loss.gradient(w)[np.arange(4)[:, None], chosen, 0])


@pytest.mark.parametrize("seed", range(8, 12))
def test_infimum_is_the_least_value(seed: int) -> None:
    rng = np.random.default_rng(seed)
    knots = np.sort(rng.normal(scale=2.0, size=(TASKS, M)), axis=1)
    curvature = rng.normal(size=(TASKS, M))
    curvature[:, [0, -1]] = rng.uniform(0.3, 1.0, size=(TASKS, 2))
    loss = CurvatureSpline.draw(knots, curvature, anchor=0, gradient=rng.normal(size=TASKS))
    grid = np.linspace(-60, 60, 240_001)
    least = loss.value(grid[:, None, None]).min(axis=0)
    infimum = loss.infimum()
    assert (infimum <= least).all()
    np.testing.assert_allclose(infimum, least, rtol=0, atol=1e-6)
    assert loss.lower_bound() == pytest.approx(infimum.mean(), rel=1e-15)


@pytest.mark.parametrize(
    ("curvature", "gradient", "infimum"),
    [
        ([1.0, 1.0], 0.0, 0.0),
        ([0.0, 0.0], 0.0, 0.0),
        ([0.0, 0.0], 0.5, -np.inf),
        ([0.0, 0.0], -0.5, -np.inf),
        ([-1.0, 1.0], 0.0, -np.inf),
        ([1.0, -1.0], 0.0, -np.inf),
    ],
)
def test_infimum_of_losses_with_a_flat_or_falling_end(curvature: list[float], gradient: float, infimum: float) -> None:
    assert CurvatureSpline.draw([-1.0, 1.0], curvature, anchor=0, gradient=gradient).infimum()[0] <= infimum + 1e-15
    assert np.isinf(CurvatureSpline.draw([-1.0, 1.0], curvature, anchor=0, gradient=gradient).infimum()[0]) == np.isinf(
        infimum
    )


@pytest.mark.parametrize(
    ("knots", "anchor", "message"),
    [
        ([0.0, 0.0], 0, "knots are not allowed: they must increase strictly"),
        ([1.0, 0.0], 0, "knots are not allowed: they must increase strictly"),
        ([0.0, 1.0], 2, "anchor = 2 is not allowed: anchor must be >= 0 and < 2, the number of knots"),
        ([0.0, 1.0], -1, "anchor = -1 is not allowed"),
    ],
)
def test_bad_drawings_are_one_clear_line(knots: list[float], anchor: int, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        CurvatureSpline.draw(knots, [1.0, 2.0], anchor=anchor)


@pytest.mark.parametrize("N", [0, 1, 4])
def test_one_point_meets_one_loss_with_the_digits_of_many(N: int) -> None:
    """Python's floats take the place of arrays there: the same operations in the same order."""
    train, test = (random_spline(seed)[0].take(np.array([1])) for seed in (1, 2))
    w = np.concatenate([np.random.default_rng(3).uniform(-9, 9, size=200), train.knots[1]])[:, None]
    together, hessian = train.linearize(w)
    meta = meta_gradient(w[:, None], 0.3, N, train, test)
    assert meta.shape == (len(w), 1, 1)
    for k, point in enumerate(w):
        gradient, alone = train.linearize(point[None])
        np.testing.assert_array_equal(gradient, together[k, None])
        for shape in ((1,), (1, 1), (3, 1, 1)):  # the product takes the shape of both, as with many
            product = alone(np.full(shape, 0.7))
            assert product.shape == np.broadcast_shapes(shape, (1, 1))
            np.testing.assert_array_equal(product, np.broadcast_to(hessian(np.full(1, 0.7))[k, None], product.shape))
        np.testing.assert_array_equal(meta_gradient(point[None], 0.3, N, train, test), meta[k])
        assert meta_gradient(point[None, None], 0.3, N, train, test).shape == (1, 1, 1)


def test_a_batch_of_any_size_shares_the_table_of_its_tasks() -> None:
    """Half a million samples of a loss with thousands of knots would not fit into memory otherwise."""
    x = np.linspace(-1, 1, 4001)
    loss = CurvatureSpline.draw(x, np.sin(40 * x), anchor=2000, gradient=[0.5, -0.25])
    chosen = np.random.default_rng(0).integers(2, size=(4000, 64, 2))
    taken = loss.take(chosen)
    assert taken.knots is loss.knots
    assert taken.pieces is loss.pieces
    at = np.array([[0.3]])
    np.testing.assert_array_equal(taken.gradient(at)[..., 0], loss.gradient(at)[chosen, 0])


def test_infimum_of_the_tasks_that_were_taken() -> None:
    loss = CurvatureSpline.draw([-1.0, 1.0], [[1.0, 2.0], [2.0, 1.0], [-1.0, 1.0]], anchor=0, gradient=[0.5, -2.0, 0.0])
    every = loss.infimum()
    assert len(set(every)) == 3
    np.testing.assert_array_equal(loss.take(np.array([[2, 0], [1, 1]])).infimum(), every[[[2, 0], [1, 1]]])
