"""The tight own results: attacked by random laws, beside the same expressions written by hand, never above others."""

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from theory.constants import Constants, Schedule
from theory.growth import stepsize_cap
from theory.paper import Paper
from theory.tight import ExactTight, FiniteSumTight, ResamplingTight, TightOnLine, extremal_mean
from theory.validation import PremiseError

c = Constants(L=2.3, rho=1.7, sigma=0.6, sigma_g=1.9, sigma_H=0.8, b=0.4, b_sq=0.3)
resampling = Constants(L=2.3, rho=1.7, sigma=0.6, sigma_g=1.9, sigma_H=0.8, b=0.0, b_sq=0.0)
ROUNDING = 1 + 1e-12


def tight(constants: Constants, N: int, alpha_L: float, **fields: float) -> Paper:
    return Paper(constants, Schedule(N=N, alpha=alpha_L / 2.3, **fields))


def test_stretches_by_hand() -> None:
    q = 1.04
    alike, different = tight(resampling, 3, 0.04), tight(c, 3, 0.04)
    assert float(alike.Q) == pytest.approx(q**6)
    assert float(alike.low) == pytest.approx(q**6 * (1 - 0.24) / 1.24)
    assert float(alike.on_line.low) == pytest.approx(0.96**6)
    x = 0.12 + q**3 - 1
    assert float(different.low) == pytest.approx(q**6 * (1 - x) / (1 + x))
    assert float(different.on_line.low) == pytest.approx(0.96**3 * (2 - q**3))
    for p in (alike, different, alike.on_line, different.on_line):
        assert float(p.Q) - float(p.low) == pytest.approx(float(p.width))
        assert float(p.A_v) == pytest.approx((float(p.Q) + float(p.low)) / (2 * float(p.low)))


def random_law(rng: np.random.Generator, p: Any) -> tuple[Any, Any, float, float]:
    """Gradients (n, 2) and matrices with RANGE, n equal tasks; the norm of the mean of `M g`, and the spread."""
    Q, low, n = float(p.Q), float(p.low), int(rng.integers(2, 6))
    g = rng.normal(size=(n, 2)) * rng.exponential(size=(n, 1)) + rng.exponential(3.0) * rng.normal(size=2)
    direction = rng.normal(size=(n, 2))
    direction *= rng.uniform(size=(n, 1)) ** 0.1 / np.linalg.norm(direction, axis=1, keepdims=True)
    if rng.uniform() < 0.7:  # extreme stretches of g itself, as on the line
        direction = rng.choice([-1.0, 1.0], size=(n, 1)) * g / np.linalg.norm(g, axis=1, keepdims=True)
    u = (Q + low) / 2 * g + (Q - low) / 2 * np.linalg.norm(g, axis=1, keepdims=True) * direction
    spread = math.sqrt(np.square(g - g.mean(axis=0)).sum(axis=1).mean())
    return g, u, float(np.linalg.norm(u.mean(axis=0))), spread


@pytest.mark.parametrize("on_line", [False, True])
@pytest.mark.parametrize(("N", "alpha_L"), [(1, 0.125), (2, 0.17), (5, 0.06)])
def test_no_law_exceeds_link_and_the_second_moment(N: int, alpha_L: float, on_line: bool) -> None:
    rng, largest = np.random.default_rng(3), np.zeros(3)
    for _ in range(300):
        p: Any = tight(resampling, N, alpha_L)
        g, u, G, spread = random_law(rng, p.on_line if on_line else p)
        law: Any = Paper(resampling, p.schedule, sigma=spread)
        law = law.on_line if on_line else law
        mean_square = np.square(g).sum(axis=1).mean()
        ratios = [
            np.linalg.norm(g.mean(axis=0)) / law.link_mean(G),
            math.sqrt(mean_square) / law.link_mean_square(G),
            np.square(u).sum(axis=1).mean() / law.spread(G),
        ]
        assert law.spread(G) <= law.spread_plain(G) * ROUNDING
        largest = np.maximum(largest, ratios)
    assert np.all(largest <= ROUNDING)
    assert np.all(largest > 0.8)


@pytest.mark.parametrize("share", [0.85, 0.9, 0.99])
def test_two_groups_that_give_half_each_attain_the_exact_second_moment(share: float) -> None:
    p = tight(resampling, 2, 0.17)
    weights, stretch = np.array([share, 1 - share]), np.array([float(p.low), float(p.Q)])
    g = 1 / (weights * stretch)
    mean_square, spread = weights @ (stretch * g) ** 2, math.sqrt(weights @ (g - weights @ g) ** 2)
    assert Paper(resampling, p.schedule, sigma=spread).spread(2.0) == pytest.approx(float(mean_square))


def test_no_two_point_law_exceeds_the_stepsize_moments_and_some_attain_them() -> None:
    z = np.geomspace(1e-3, 1e3, 20_001)
    for square_root in (0.1, 0.7, 1.0, 4.0, 30.0):
        p = Paper(resampling, Schedule(N=3, alpha=0.05), c=square_root)
        # mean z, variance c², on {0, h}: h = (z² + c²)/z.
        square = square_root**2
        zero, h = square / (z**2 + square), (z**2 + square) / z
        first, second = ((1 + z) ** n * (zero + (1 - zero) / (1 + h) ** n) for n in (1, 2))
        assert first.max() <= float(p.kappa_1) * ROUNDING
        assert second.max() <= float(p.kappa_exact) * ROUNDING
        assert first.max() == pytest.approx(float(p.kappa_1), rel=1e-6)
        assert second.max() == pytest.approx(float(p.kappa_exact), rel=1e-6)


@given(c=st.floats(0, 1e100))
def test_extremal_mean_is_the_root(c: float) -> None:
    z = float(extremal_mean(c))
    if 1e-50 < c < 1e50:
        assert z**3 == pytest.approx(c**2 * (z**2 + 2 * z + c**2), rel=1e-9)
    assert math.isfinite(z)


@settings(max_examples=50)
@given(
    N=st.integers(0, 30),
    share=st.just(0.0) | st.floats(1e-12, 0.999),
    S=st.integers(1, 10**6),
    D=st.integers(1, 100),
    T=st.integers(1, 100),
    gradient=st.floats(0, 1e6),
    mismatch=st.booleans(),
)
def test_tight_bounds_are_never_above_the_paper_s(
    N: int, share: float, S: int, D: int, T: int, gradient: float, mismatch: bool
) -> None:
    constants = c if mismatch else resampling
    alpha = share * float(stepsize_cap(constants, max(N, 1)))
    p = Paper(constants, Schedule(N=N, alpha=alpha, S=S, D=D, T=T))
    assert p.link_mean(gradient) <= p.link(gradient) * ROUNDING
    assert p.finite_sum_spread(gradient) <= p.finite_sum_second_moment(gradient) * ROUNDING
    assert p.kappa_exact <= p.kappa_sharper * ROUNDING
    assert p.kappa_1 <= (1 + p.c / 2) * ROUNDING
    assert p.on_line.link_mean(gradient) <= p.link_mean(gradient) * ROUNDING
    assert p.on_line.spread(gradient) <= p.spread(gradient) * ROUNDING
    if not mismatch:
        assert p.task_spread(gradient) <= p.task_second_moment_sharper(gradient) * ROUNDING
        assert p.bias_tight(gradient) <= p.bias(gradient) * ROUNDING
        assert p.resampling_spread(gradient) <= p.second_moment(gradient) * ROUNDING


def test_noisy_gradient_by_hand() -> None:
    p = tight(resampling, 2, 0.1, S=4)
    r = 3.0
    for _ in range(2):
        r = r + 0.1 * math.sqrt(r**2 + 1.9**2 / 4)
    other = 1.1**2 * 3.0 + 2.3 * float(p.delta(2))
    assert p.noisy_gradient(3.0) == pytest.approx(min(r, other))


def test_last_gradient_is_the_root_of_its_quadratic() -> None:
    p = tight(resampling, 3, 0.04)
    x, e = 0.12, 1.12 * 2.0 / 1.04**6
    Y = float(p.last_gradient(2.0))
    assert pytest.approx(0.6**2 + (e + x * Y) ** 2 / (1 - x)) == Y**2
    assert p.bias_tight(2.0) == pytest.approx(float(p.beta_1) + float(p.beta_2) * Y)


@pytest.mark.parametrize("made", [ExactTight, FiniteSumTight, ResamplingTight])
def test_theorems_are_the_root_and_their_margin_vanishes_there(made: Any) -> None:
    s = Schedule(N=3, alpha=0.01, C_beta=40.0, B=100, S=2000, D=3, T=7, B_prime=5, D_L=300, K=2000, Delta=3.0)
    p = made(resampling if made is ResamplingTight else c, s)
    found = float(p.guarantee.bound)
    c_1, s_, r = float(p.c_1), float(p.s), float(p.spent)
    assert c_1 * found**2 == pytest.approx((float(p.A) + float(p.G) * found) * (r + s_ * found))
    assert float(p.margin(found)) == pytest.approx(0, abs=1e-12)


def test_theorems_are_below_the_paper_s() -> None:
    s = Schedule(N=3, alpha=0.01, C_beta=40.0, B=100, S=2000, D=3, T=7, B_prime=5, D_L=300, K=2000, Delta=3.0)
    mixed, alike = Paper(c, s), Paper(resampling, s)
    assert mixed.exact_tight.bound < mixed.exact.bound
    assert mixed.finite_sum_tight.bound < mixed.finite_sum.bound
    assert alike.resampling_tight.bound < alike.resampling.bound


def test_every_alpha_is_the_rate_without_curvature_and_by_hand() -> None:
    s = Schedule(N=2, alpha=0.5, C_beta=3.0, K=700, Delta=2.0)
    p = Paper(c, s)
    S_0, slope = 6.0 / (1 - 1 / 6), float(p.C_L) * 2.3 / 3.0
    Lambda = 5.0**1.5 + 0.375 * slope**2 * S_0 / float(p.a) ** 1.5
    by_hand = ((Lambda + 1.5 * slope * math.sqrt(700 * S_0)) ** (4 / 3) - Lambda ** (4 / 3)) / (2 * slope * 700)
    assert p.exact_every_alpha(5.0) == pytest.approx(by_hand)
    assert Paper(c, s, C_L=0.0).exact_every_alpha(5.0) == pytest.approx(math.sqrt(5.0 * S_0 / 700))
    with pytest.raises(PremiseError, match="C_beta"):
        Paper(c, Schedule(N=2, alpha=0.5, C_beta=0.5, K=7, Delta=2.0)).exact_every_alpha(5.0)


@pytest.mark.parametrize("on_line", [False, True])
@pytest.mark.parametrize("alpha_L", [0.0, 1e-300, 0.1])
def test_infinite_constants_and_no_steps_give_no_nan(alpha_L: float, on_line: bool) -> None:
    infinite = Constants(L=2.3)
    for N in (0, 1, 4):
        for b in (0.0, math.inf):
            p: Any = Paper(infinite, Schedule(N=N, alpha=alpha_L / 2.3), b=b, b_sq=b)
            p = p.on_line if on_line else p
            bounds = [p.link_mean, p.link_mean_square, p.spread_plain, p.spread, p.finite_sum_spread, p.task_spread]
            bounds += [p.resampling_spread, p.last_gradient, p.bias_tight, p.noisy_gradient]
            for bound in bounds:
                for gradient in (0.0, 1e200, math.inf):
                    assert not math.isnan(bound(gradient)), bound
            for number in (p.kappa_exact, p.kappa_1, p.low, p.width, p.x, p.A_v):
                assert not math.isnan(float(number))


def test_premises_name_the_field() -> None:
    with pytest.raises(PremiseError, match=r"^x = 1.2 is not allowed: x must be < 1"):
        tight(resampling, 2, 0.3).link_mean(1.0)
    with pytest.raises(PremiseError, match=r"^alpha L = 1.5 is not allowed: alpha L must be < 1$"):
        tight(resampling, 1, 1.5).on_line.link_mean(1.0)
    with pytest.raises(PremiseError, match=r"must be < 1"):
        TightOnLine(c, Schedule(N=2, alpha=0.5 / 2.3)).link_mean(1.0)
