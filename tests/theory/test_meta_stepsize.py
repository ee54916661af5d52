"""Moments of the meta stepsize against exact two-point laws of the sampled mean norm."""

import numpy as np
import pytest

from theory.constants import Constants, Schedule
from theory.extended import plain
from theory.growth import recommended_stepsize
from theory.paper import Paper

ALPHA = 0.14
c = Constants(L=2.3, rho=1.7, sigma=4.0, sigma_g=1.9, sigma_H=0.8, b=0.0, b_sq=0.0)
s = Schedule(N=3, alpha=ALPHA, B_prime=2, D_L=5, C_beta=7.0)


def two_point_laws() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Laws on {low, high} with mean `m` and variance at most `v`, over a grid; returns (p of high, low, high)."""
    v = float(Paper(c, s).v)
    m, p, share, filled = np.meshgrid(
        np.geomspace(1e-2, 1e2, 60) * v**0.5, np.linspace(0.01, 0.99, 49), [0.0, 0.3, 0.9], [0.5, 1.0], indexing="ij"
    )
    low = m * share
    high = low + (m - low) / p
    deviation = np.sqrt(p * (1 - p)) * (high - low)
    allowed = deviation <= v**0.5 * filled * (1 + 1e-12)
    return p[allowed], low[allowed], high[allowed]


def test_moments_of_every_two_point_law_obey_both_bounds() -> None:
    p, low, high = two_point_laws()
    assert p.size > 2000
    paper = Paper(c, s)
    a, slope = float(paper.a), float(paper.C_L)
    smoothness = a + slope * (low + p * (high - low))
    inverse = (1 - p) / (a + slope * low) + p / (a + slope * high)
    inverse_square = (1 - p) / (a + slope * low) ** 2 + p / (a + slope * high) ** 2
    assert (inverse_square <= paper.inverse_square_moment(smoothness)).all()
    assert (inverse_square <= paper.kappa_sharper / smoothness**2).all()
    assert (inverse <= paper.inverse_moment_sharper(smoothness)).all()
    assert (inverse >= paper.inverse_moment(smoothness)).all()
    # The bounds are not idle: some law is within a factor 2 of κ, and above κ = 1.
    assert (inverse_square * smoothness**2).max() > max(1.2, float(paper.kappa) / 2)


@pytest.mark.parametrize("spread", [0.0, 0.01, 0.3, 1.0, 2.0, 30.0])
def test_kappa_dominates_the_extremal_over_all_means(spread: float) -> None:
    # κ ≥ [v(1 + C_L m/a)² + m²]/(v + m²) = [(1 + xt)² + t²]/(1 + t²), t = m/√v, x = C_L√v/a.
    # The sharper κ is its maximum over t.
    x_per_sigma = float(Paper(c, s).C_L / Paper(c, s).a)
    spread_c = Constants(L=2.3, rho=1.7, sigma=spread / x_per_sigma, sigma_g=0.0, sigma_H=0.8, b=0.0, b_sq=0.0)
    one = Schedule(N=3, alpha=ALPHA)
    p = Paper(spread_c, one)
    t = np.geomspace(1e-4, 1e4, 200_001)
    extremal = ((1 + spread * t) ** 2 + t**2) / (1 + t**2)
    first_moment = 1 + spread * t / (1 + t**2)
    assert extremal.max() == pytest.approx(p.kappa_sharper, rel=1e-7, abs=0)
    assert first_moment.max() == pytest.approx(p.inverse_moment_sharper(1.0), rel=1e-7, abs=0)
    assert p.kappa_sharper <= p.kappa


def test_the_variance_of_the_mean_norm_is_that_of_independent_tasks_and_data() -> None:
    """An equality where no gradient changes sign: all draws of two tasks of three, with two two-point data each."""
    slopes, noise = np.array([9.0, 11.0, 16.0]), np.array([-1.9, 1.9])
    one_task = (slopes[:, None, None] + (noise[:, None] + noise) / 2).ravel()
    means = (one_task[:, None] + one_task) / 2
    drawn = Constants(L=2.3, rho=1.7, sigma=float(slopes.std()), sigma_g=1.9, sigma_H=0.8, b=0.0, b_sq=0.0)
    variance = Paper(drawn, Schedule(N=3, alpha=ALPHA, D_L=2, B_prime=2)).v
    assert variance == pytest.approx(means.var(), rel=1e-14, abs=0)


def test_lambda_is_attained_where_the_gradient_vanishes() -> None:
    # ∇l_i = 0 and two-point noise ±σ_g, D_L = 1: L̂ = a + C_L σ_g surely, while L_w = a.
    one = Schedule(N=3, alpha=ALPHA, D_L=1)
    p = Paper(c, one)
    surely = 1 / p.L_w(1.9)
    assert p.inverse_moment(p.a) == pytest.approx(surely, rel=1e-14, abs=0)


def test_no_noise_means_exact_moments() -> None:
    quiet = Constants(L=2.3, rho=1.7, sigma=0.0, sigma_g=0.0, sigma_H=0.8, b=0.0, b_sq=0.0)
    p = Paper(quiet, s)
    assert p.lam == 1
    assert p.kappa == 2
    assert p.kappa_sharper == 1
    assert p.beta(3.0) == pytest.approx(1 / 21, rel=1e-15, abs=0)


def test_batch_conditions_give_the_constants_of_the_paper_and_are_least() -> None:
    noisy = Constants(L=2.3, rho=1.7, sigma=40.0, sigma_g=19.0, sigma_H=0.8, b=0.0, b_sq=0.0)
    N = np.array([1.0, 3, 20])
    base = {"N": N, "alpha": 2 * recommended_stepsize(noisy, N)}
    p = Paper(noisy, Schedule(**base))
    B_prime, D_L = plain(p.least_B_prime), plain(p.least_D_L)
    met = Paper(noisy, Schedule(**base, B_prime=B_prime, D_L=D_L))
    assert (met.lam >= 8 / 9).all()
    assert (met.kappa <= 2.54).all()
    assert (Paper(noisy, Schedule(**base, D_L=D_L - 1)).lam < 8 / 9).all()
    needed = 4 * (40.0 * p.C_L / p.a) ** 2 / 3
    assert (B_prime - 1 < needed).all()
    assert (needed <= B_prime).all()
    assert (needed > 1).all()


def test_kappa_is_two_once_the_finite_sum_batch_is_large_enough() -> None:
    finite_sum = Constants(L=2.3, rho=1.7, sigma=4.0, sigma_g=0.0, sigma_H=0.0, b=0.4, b_sq=0.31)
    p = Paper(finite_sum, s)
    enough = np.ceil(float(2 * (p.C_L / p.a * 4.0) ** 2))
    assert enough > 1
    assert Paper(finite_sum, Schedule(N=3, alpha=ALPHA, B_prime=enough)).kappa == 2
    assert Paper(finite_sum, Schedule(N=3, alpha=ALPHA, B_prime=enough - 1)).kappa > 2
    assert p.lam == 1
