"""The neighbours of MAML: directions in closed form, and the tools of their floors, attacked by random products."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
import pytest

from problems.convex_quadratic import IsotropicQuadratic
from problems.registry import family
from theory.constants import Constants, Schedule
from theory.loss import Array
from theory.maml import Direction, adapt, meta_gradient
from theory.neighbours.anil import anil
from theory.neighbours.first_order import first_order
from theory.neighbours.hessian_free import Mode, hessian_free
from theory.neighbours.imaml import imaml
from theory.neighbours.reptile import reptile
from theory.paper import Paper
from theory.validation import PremiseError

L = 1.9
c = Constants(L=L, rho=1.3, sigma=0.7, sigma_g=0.6, b=0.0, b_sq=0.0)
SETTINGS = [(1, 0.9), (2, 0.4), (3, 0.31), (5, 0.2), (10, 0.03)]


def paper(N: int, alpha_L: float, **fields: Any) -> Paper:
    return Paper(c, Schedule(N=N, alpha=alpha_L / L, **fields))


def random_products(n: int, alpha_L: float, count: int = 4000, dim: int = 2) -> Array:
    """Products of n factors `I + E`, E symmetric with eigenvalues ±αL or anything between, (count, dim, dim)."""
    rng = np.random.default_rng([n, round(1000 * alpha_L)])
    product = np.broadcast_to(np.eye(dim), (count, dim, dim))
    for _ in range(n):
        directions, _ = np.linalg.qr(rng.normal(size=(count, dim, dim)))
        eigenvalues = rng.choice([-1.0, 1.0, rng.uniform(-1, 1)], size=(count, 1, dim)) * alpha_L
        product = product @ (np.eye(dim) + (directions * eigenvalues) @ directions.transpose(0, 2, 1))
    return product


@pytest.mark.parametrize(("N", "alpha_L"), SETTINGS)
def test_r_N_is_the_least_radius_round_a_real_number(N: int, alpha_L: float) -> None:
    p, curve = paper(N, alpha_L), (1 + alpha_L * np.exp(1j * np.linspace(0, np.pi, 20_001))) ** N
    centers = np.linspace(float(p.c_N) - 0.1, float(p.c_N) + 0.1, 401)
    radii = np.abs(curve - centers[:, None]).max(axis=1)
    assert radii.min() == pytest.approx(float(p.r_N), rel=1e-6, abs=0)
    assert centers[radii.argmin()] == pytest.approx(float(p.c_N), abs=1e-3)
    assert float(p.half_range) * (1 - 1e-12) <= float(p.r_N) <= float(p.e(N)) * (1 + 1e-12)


@pytest.mark.parametrize(("N", "alpha_L"), SETTINGS)
def test_no_product_is_farther_from_a_multiple_of_the_identity(N: int, alpha_L: float) -> None:
    p = paper(N, alpha_L)
    distance = np.linalg.norm(random_products(N, alpha_L) - float(p.c_N) * np.eye(2), ord=2, axis=(1, 2))
    assert distance.max() <= float(p.r_N) * (1 + 1e-12)
    if N <= 2:
        assert distance.max() > 0.97 * float(p.r_N)  # random ones come near it
    if N == 2:
        assert distance.max() > float(p.half_range) * 1.02  # which is enough on the line only


@pytest.mark.parametrize(("N", "alpha_L"), SETTINGS)
def test_directions_are_cocoercive(N: int, alpha_L: float) -> None:
    products, rng = random_products(N, alpha_L), np.random.default_rng(N)
    g = rng.normal(size=(len(products), 2))
    G = (products @ g[..., None])[..., 0]
    ratio = (G * G).sum(axis=1) / float(paper(N, alpha_L).q(N)) / (g * G).sum(axis=1)
    assert 0.8 < ratio.max() <= 1 + 1e-12


def test_r_N_is_silent_where_its_proof_is() -> None:
    with pytest.raises(PremiseError, match="must be <= 1"):
        _ = paper(5, 0.21).r_N
    with pytest.raises(PremiseError, match="must be < 1"):
        _ = paper(1, 1.2).half_range
    with pytest.raises(PremiseError, match="must be less than 1"):
        paper(5, 0.2).hessian_free_floor(0.1, 0.0)


def test_fixed_points_solve_the_inequalities_that_they_come_from() -> None:
    p, growth, residual, gradient, x = paper(3, 0.1), 1.7, 0.23, 0.9, 0.6
    X = p.directions(growth, residual, gradient)
    assert pytest.approx(c.sigma * X + residual * gradient) == X**2 / growth
    assert p.directions(growth, 0.0, gradient) == pytest.approx(growth * c.sigma)
    y = p.mean_gradient(x, residual)
    assert y == pytest.approx(x * np.hypot(y, c.sigma) + residual)
    assert p.gradients(x, residual) == pytest.approx(np.hypot(y, c.sigma))
    assert p.gradients(x, 0.0) == pytest.approx(c.sigma / np.sqrt(1 - x**2))


@pytest.mark.parametrize(("N", "alpha_L"), SETTINGS)
def test_floors_are_as_on_paper_where_nothing_is_left(N: int, alpha_L: float) -> None:
    p, q, shrink = paper(N, alpha_L), 1 + alpha_L, 1 - alpha_L
    mean_q, mean_p = (sum(z**j for j in range(N)) / N for z in (q, shrink))
    assert p.first_order_floor_line(0.0, 5.0) == pytest.approx(q**N * (q**N - shrink**N) / 2 * c.sigma)
    line = (q ** (2 * N) - shrink ** (2 * N) * mean_q / mean_p) / 2
    assert p.reptile_floor_line(0.0, 5.0) == pytest.approx(line * c.sigma)
    assert p.more_steps_floor_line(3.0, 0.0, 5.0) == pytest.approx((q**6 - shrink**6) / 2 * q ** (2 * N) * c.sigma)
    assert float(p.phi_reptile) == pytest.approx(q ** (2 * N) - mean_q)
    if mean_q < 2:
        general = (q ** (2 * N) - mean_q) / np.sqrt(1 - (mean_q - 1) ** 2)
        assert p.reptile_floor(0.0) == pytest.approx(general * c.sigma)


@pytest.mark.parametrize(("N", "alpha_L"), [(1, 1e-9), (5, 1e-9)])
def test_floors_are_of_the_stated_first_order(N: int, alpha_L: float) -> None:
    p = paper(N, alpha_L)
    assert p.first_order_floor(0.0, 0.0) == pytest.approx(alpha_L * N * c.sigma, rel=1e-6)
    assert p.reptile_floor(0.0) == pytest.approx(alpha_L * (3 * N + 1) / 2 * c.sigma, rel=1e-6)
    assert p.more_steps_floor(4.0, 0.0) == pytest.approx(8 * alpha_L * c.sigma, rel=1e-6)
    assert p.hessian_free_floor(0.3, 0.0) == pytest.approx(N / 2 * alpha_L / L * c.rho * 0.3 * c.sigma, rel=1e-6)
    smooth = alpha_L / L * N * (2 / 3) ** 1.5 * c.sigma * np.sqrt(c.rho * c.sigma)
    assert p.first_order_floor_smooth(0.0) == pytest.approx(smooth, rel=1e-6)


def test_psi_is_the_maximum_that_it_stands_for() -> None:
    for rho in (0.3, 1.3, 5.0, 40.0):
        s = np.linspace(0, c.sigma, 100_001)
        most = (s * np.minimum(L, np.sqrt(2 * rho * (c.sigma - s)))).max()
        p = Paper(Constants(L=L, rho=rho, sigma=c.sigma), Schedule(N=1, alpha=0.1))
        assert float(p.psi) == pytest.approx(most, rel=1e-4)


QUADRATIC = IsotropicQuadratic(np.array([-L, 0.4]), np.array([[0.3, -0.8], [1.1, 0.2]]))
POINT = np.array([[0.7, -1.9]])


@pytest.mark.parametrize("N", [1, 2, 5])
def test_directions_on_quadratics(N: int) -> None:
    alpha = 0.13
    stretch = 1 - alpha * QUADRATIC.curvature[:, None]
    gradient = QUADRATIC.gradient(POINT)
    np.testing.assert_allclose(first_order(POINT, alpha, N, QUADRATIC, QUADRATIC), stretch**N * gradient)
    mean = sum(stretch**j for j in range(N)) / N
    np.testing.assert_allclose(reptile(POINT, alpha, N, QUADRATIC, QUADRATIC), mean * gradient)
    for mode in ("forward", "central", "raw"):
        found = hessian_free(POINT, alpha, N, QUADRATIC, QUADRATIC, step=0.37, mode=mode)
        np.testing.assert_allclose(found, meta_gradient(POINT, alpha, N, QUADRATIC, QUADRATIC), rtol=1e-12)


@pytest.mark.parametrize(("mode", "order"), [("forward", 1), ("central", 2), ("raw", 1)])
def test_differences_of_smooth_losses_converge(mode: Mode, order: int) -> None:
    problem, w = family("rotated-cosine-finite-noise").build(3, 0.1), np.array([[0.4, -0.7]])
    exact = meta_gradient(w, 0.1, 3, problem.inner, problem.outer)
    errors = [
        np.abs(hessian_free(w, 0.1, 3, problem.inner, problem.outer, step=h, mode=mode) - exact).max()
        for h in (1e-2, 1e-3)
    ]
    assert errors[0] / errors[1] == pytest.approx(10**order, rel=0.05)


def test_reptile_is_the_way_to_the_end_of_the_path() -> None:
    problem = family("softmax-bandit").build(3, 0.1)
    w = np.broadcast_to(problem.start + 0.3, (1, 1, problem.dim))
    end = adapt(w, 0.2, [problem.inner] * 4)[-1]
    np.testing.assert_allclose(reptile(w, 0.2, 4, problem.inner, problem.outer), (w - end) / 0.8, rtol=1e-10)


def test_a_vanishing_vector_is_pulled_back_to_itself() -> None:
    at_rest = np.array([[0.3, -0.8]])
    one = QUADRATIC.take(np.array([0]))
    np.testing.assert_array_equal(hessian_free(at_rest, 0.1, 3, one, one, step=0.1), np.zeros((1, 2)))


@pytest.mark.parametrize(
    ("direction", "message"),
    [
        (partial(hessian_free, step=0.0), "step = 0 is not allowed"),
        (partial(hessian_free, step=0.1, mode="sideways"), "mode = 'sideways' is not allowed"),
        (partial(reptile), "N = 0 is not allowed"),
    ],
)
def test_bad_input_is_one_line(direction: Direction, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        direction(POINT, 0.1, 0, QUADRATIC, QUADRATIC)


def test_anil_is_the_gradient_of_its_objective_and_maml_where_all_is_head() -> None:
    problem, head = family("rotated-cosine-finite-noise").build(3, 0.1), np.array([0.0, 1.0])
    w, h = np.array([[0.4, -0.7]]), 1e-6

    def objective(w: Array) -> Array:
        return problem.outer.value(adapt(w, 0.3 * head, [problem.inner] * 3)[-1])

    found = anil(w, 0.3, 3, problem.inner, problem.outer, head=head)
    for k, e in enumerate(np.eye(2)):
        np.testing.assert_allclose(found[..., k], (objective(w + h * e) - objective(w - h * e)) / (2 * h), rtol=1e-6)
    everything = anil(w, 0.3, 3, problem.inner, problem.outer, head=np.ones(2))
    np.testing.assert_allclose(everything, meta_gradient(w, 0.3, 3, problem.inner, problem.outer), rtol=1e-12)


@pytest.mark.parametrize(("mu", "n"), [(0.2, 1), (0.2, 7), (1.1, 3), (L, 4)])
def test_no_product_with_a_convex_head_stretches_farther(mu: float, n: int) -> None:
    """Hessians with a head of curvature μ to L, and norm L at most, made by scaling random ones."""
    rng, alpha = np.random.default_rng(n), 0.9 / L
    head = rng.uniform(mu, L, size=(n, 3000))
    sign = rng.choice([-1.0, 1.0], size=head.shape)
    head[:, 0], sign[:, 0] = mu, 1.0  # the worst, which attains the bound
    mixed = sign * np.sqrt(L**2 - head**2)
    top, left = np.ones(3000), np.zeros(3000)
    for v, c in zip(head, mixed, strict=True):  # the blocks X and Y of the product
        left, top = -alpha * c + left * (1 - alpha * v), top * (1 - alpha * v)
    ones, zeros = np.ones(3000), np.zeros(3000)
    norms = np.linalg.norm(np.array([[ones, left], [zeros, top]]).transpose(2, 0, 1), ord=2, axis=(1, 2))
    bound = float(paper(3, 0.9).anil_stretch(mu, float(n)))
    assert norms.max() == pytest.approx(bound)
    assert bound <= L / mu * (1 + 1e-12)


@pytest.mark.parametrize("alpha_L", [0.1, 0.29, 0.5])
def test_imaml_is_the_gradient_of_its_objective(alpha_L: float) -> None:
    problem, h = family("rotated-cosine-finite-noise").build(3, 0.1), 1e-6
    w, alpha = np.array([[0.4, -0.7]]), alpha_L / problem.constants.L

    def objective(w: Array) -> Array:
        phi = w
        for _ in range(100):
            phi = w - alpha * problem.inner.gradient(phi)
        return problem.outer.value(phi)

    found = imaml(w, alpha, 100, problem.inner, problem.outer)
    for k, e in enumerate(np.eye(2)):
        np.testing.assert_allclose(found[..., k], (objective(w + h * e) - objective(w - h * e)) / (2 * h), rtol=1e-6)


def test_imaml_with_one_step_and_no_solve_is_first_order_maml() -> None:
    one = imaml(POINT, 0.2, 1, QUADRATIC, QUADRATIC, solves=0)
    np.testing.assert_array_equal(one, first_order(POINT, 0.2, 1, QUADRATIC, QUADRATIC))


def test_the_inexact_theorem_is_the_exact_one_without_error_and_tends_to_the_floor() -> None:
    p = paper(2, 0.05, K=10, Delta=0.4, C_beta=3.0)
    assert p.inexact(0.0).bound == pytest.approx(p.exact.bound)
    far = paper(2, 0.05, K=10**12, Delta=0.4, C_beta=3.0)
    phi = float(far.phi_first_order)
    assert far.inexact(phi).bound == pytest.approx(phi * c.sigma / (float(far.C_1) - phi), rel=1e-4)
    with pytest.raises(PremiseError, match="must be < C_1"):
        p.inexact(0.9)
    with pytest.raises(PremiseError, match="must be >= 1"):
        paper(2, 0.05, C_beta=0.9, Delta=1.0).inexact(0.0)


def test_the_constant_of_the_paper_is_never_above_the_one_printed_for_one_step() -> None:
    for alpha_L in (0.0, 0.3, 1.0):
        p = paper(1, alpha_L)
        assert p.L_w(2.3) <= p.L_w_one_step(2.3) * (1 + 1e-12)
    assert paper(1, 1.0).L_w(2.3) == pytest.approx(paper(1, 1.0).L_w_one_step(2.3))
