"""The own results: never weaker than the paper's, and right on instances in closed form."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from theory.constants import Constants, Schedule
from theory.convergence import theorem_exact
from theory.extended import plain
from theory.growth import recommended_stepsize, stepsize_cap
from theory.paper import Paper
from theory.sharper import larger_cap, least_real_part, theorem_exact_sharper
from theory.validation import PremiseError

c = Constants(L=2.3, rho=1.7, sigma=0.6, sigma_g=1.9, sigma_H=0.8, b=0.0, b_sq=0.0)
ROUNDING = 1 + 1e-12


def mu(s: Schedule) -> float:
    """Least stretch, also past the larger cap."""
    return float(least_real_part(s.alpha * 2.3, 2 * s.N))


def share_of_cap(N: int, share: float, **fields: float) -> Schedule:
    return Schedule(N=N, alpha=share * stepsize_cap(c, max(N, 1)), **fields)


@given(N=st.integers(0, 60), share=st.floats(0, 3), S=st.integers(1, 10**6), gradient=st.floats(0, 1e6))
def test_sharper_bounds_are_never_above_the_paper_s(N: int, share: float, S: int, gradient: float) -> None:
    s = share_of_cap(N, share, S=S, D=3, T=5)
    p = Paper(c, s)
    assert p.delta(N) <= p.deviation(N) * ROUNDING
    assert p.task_bias_sharper(gradient) <= p.task_bias(gradient) * ROUNDING
    assert p.task_second_moment_sharper(gradient) <= p.task_second_moment(gradient) * ROUNDING
    assert p.kappa_sharper <= p.kappa * ROUNDING
    assert p.inverse_moment_sharper(1.0) <= np.sqrt(p.kappa) * ROUNDING


@pytest.mark.parametrize("N", [0, 1, 2, 9])
def test_deviation_sum_adds_the_deviations(N: int) -> None:
    s = share_of_cap(N, 0.9, S=7)
    deviation, expected = 0.0, 0.0
    for _ in range(N):
        expected += deviation**0.5
        deviation = (1 + s.alpha * 2.3) ** 2 * deviation + (s.alpha * 1.9) ** 2 / 7
    assert Paper(c, s).delta_sum == pytest.approx(expected, rel=1e-13, abs=0)


@pytest.mark.parametrize("alpha_L_N", [1e-15, 0.3, 30.0])
def test_deviation_sum_of_many_steps_is_bounded_by_its_integral(alpha_L_N: float) -> None:
    # 10 001 steps take the integral; the sum itself is 10 000 steps and one more term.
    N = 10_001
    s = Schedule(N=N, alpha=alpha_L_N / N / 2.3, S=7)
    p = Paper(c, s)
    exact = Paper(c, Schedule(N=N - 1, alpha=s.alpha, S=7)).delta_sum + p.delta(N - 1)
    assert exact <= p.delta_sum <= exact * (1 + 2e-2)
    assert p.delta_sum <= N * p.delta(N)


def test_second_moment_is_attained_at_the_top_of_a_concave_quadratic() -> None:
    # l = −(L/2)x² at x = 0: w_N has variance Σ q^{2i} α²σ_g²/S, so E Ĝ² = V (L² E w_N² + σ_g²/T).
    s = share_of_cap(3, 0.7, S=7, D=3, T=5)
    q = 1 + s.alpha * 2.3
    spread = sum(q ** (2 * i) for i in range(3)) * s.alpha**2 * 1.9**2 / 7
    exact = (q**2 + s.alpha**2 * 0.8**2 / 3) ** 3 * (2.3**2 * spread + 1.9**2 / 5)
    assert Paper(c, s).task_second_moment_sharper(0.0) == pytest.approx(exact, rel=1e-13, abs=0)


def test_one_step_bias_falls_like_the_batch_and_bounds_a_cubic() -> None:
    # l'(x) = Lx + (ρ/2)x² near 0 and noise ±σ_g/√S: E l'(w_1) − l'(w̃_1) = (ρ/2) α²σ_g²/S exactly, times 1 − αl''(w).
    S = np.array([1.0, 4, 100])
    s = Schedule(N=1, alpha=0.1, S=S)
    noise = 0.1 * 1.9 / np.sqrt(S)
    w = 0.3

    def slope(x: Any) -> Any:
        return 2.0 * x + 0.85 * x**2

    end = w - 0.1 * slope(w)
    factor = 1 - 0.1 * (2.0 + 1.7 * w)
    bias = factor * ((slope(end + noise) + slope(end - noise)) / 2 - slope(end))
    bound = plain(Paper(c, s).task_bias_one_step)
    np.testing.assert_allclose(bias / bound, factor / 1.23, rtol=1e-10)
    np.testing.assert_allclose(bound * S, bound[0], rtol=1e-14)
    with pytest.raises(PremiseError, match=r"^N = 2 is not allowed: N must be 1$"):
        Paper(c, Schedule(N=2, alpha=0.1)).task_bias_one_step  # noqa: B018


@pytest.mark.parametrize("N", [1, 2, 3, 7, 20])
@pytest.mark.parametrize("alpha_L", [0.0, 0.01, 0.1, 0.4, 0.9, 1.0, 1.7])
def test_mu_is_the_minimum_over_the_circle(N: int, alpha_L: float) -> None:
    phi = np.linspace(0, np.pi, 400_001)
    on_circle = ((1 + alpha_L * np.exp(1j * phi)) ** (2 * N)).real
    value = mu(Schedule(N=N, alpha=alpha_L / 2.3))
    # The grid misses the minimiser by h/2 at most, where the second derivative is below (2N αL)² q^{2N}.
    gap = (2 * N * (1 + alpha_L)) ** 2 * (1 + alpha_L) ** (2 * N) * (np.pi / 400_000) ** 2
    assert on_circle.min() - gap <= value <= on_circle.min() + 1e-12 * (1 + alpha_L) ** (2 * N)


@given(N=st.integers(0, 10**4), share=st.floats(0, 4))
def test_mu_is_at_least_C_1_and_positive_below_the_larger_cap(N: int, share: float) -> None:
    s = share_of_cap(N, share)
    p = Paper(c, s)
    assert mu(s) >= 1 - p.C_2 - float(1e-13 * p.q(2 * N))
    ratio_to_cap = s.alpha / larger_cap(c, N)
    if ratio_to_cap < 1 - 1e-9:
        assert mu(s) > 0
    elif ratio_to_cap > 1 + 1e-9:
        assert mu(s) < 0


def reflection(angle: np.ndarray) -> np.ndarray:
    """Symmetric reflections of the plane about the lines at `angle`."""
    return np.moveaxis(
        np.array([[np.cos(2 * angle), np.sin(2 * angle)], [np.sin(2 * angle), -np.cos(2 * angle)]]), -1, 0
    )


@pytest.mark.parametrize("N", [1, 2, 4])
def test_mu_bounds_and_is_attained_by_products_of_symmetric_factors(N: int) -> None:
    alpha_L = 0.9 * np.sin(np.pi / (4 * N))
    value = mu(Schedule(N=N, alpha=alpha_L / 2.3))
    # Attained: each factor turns v, a complex number, by 1 + αLe^{iφ}, since a reflection maps it onto v e^{iφ}.
    phi = np.linspace(0, np.pi, 400_001)
    worst = phi[((1 + alpha_L * np.exp(1j * phi)) ** (2 * N)).real.argmin()]
    turned = np.angle(1 + alpha_L * np.exp(1j * worst)) * np.arange(2 * N)
    v = np.array([1.0, 0.0])
    for factor in np.eye(2) + alpha_L * reflection(turned + worst / 2):
        v = factor @ v
    assert v[0] == pytest.approx(value, abs=1e-9)
    # Bounded: random factors never go below.
    rng = np.random.default_rng(5)
    random = np.eye(2) + alpha_L * reflection(rng.uniform(0, np.pi, size=20_000 * 2 * N))
    product = np.eye(2)
    for factors in random.reshape(2 * N, 20_000, 2, 2):
        product = factors @ product
    assert value - 1e-12 <= product[:, 0, 0].min() < 1 - alpha_L


def test_larger_cap_is_wider_by_pi_over_two_ln_two() -> None:
    N = np.array([1.0, 5, 1e6])
    wider = larger_cap(c, N) / stepsize_cap(c, N)
    assert (wider > 1.7).all()
    assert wider[-1] == pytest.approx(np.pi / (2 * np.log(2)), rel=1e-6, abs=0)
    assert larger_cap(c, 0) == np.inf
    assert mu(Schedule(N=1e6, alpha=stepsize_cap(c, 1e6))) == pytest.approx(0.5, abs=0.05)


@given(N=st.integers(0, 200), share=st.floats(0, 0.99))
def test_sharper_link_and_theorem_are_never_above_the_paper_s(N: int, share: float) -> None:
    s = share_of_cap(N, share, C_beta=1.3, K=100, Delta=3.7)
    p = Paper(c, s)
    assert p.link_sharper(0.9) <= p.link(0.9) * ROUNDING
    assert theorem_exact_sharper(c, s).bound <= theorem_exact(c, s).bound * ROUNDING


def test_sharper_theorem_goes_on_to_the_larger_cap_and_no_further() -> None:
    beyond = Schedule(N=4, alpha=0.99 * larger_cap(c, 4), C_beta=1.3, K=100, Delta=3.7)
    with pytest.raises(PremiseError, match="cap at N = 4"):
        theorem_exact(c, beyond)
    assert np.isfinite(theorem_exact_sharper(c, beyond).bound)
    for sharper in (theorem_exact_sharper, lambda c, s: Paper(c, s).link_sharper(1.0)):
        with pytest.raises(PremiseError, match="the larger cap at N = 4"):
            sharper(c, Schedule(N=4, alpha=larger_cap(c, 4), C_beta=1.3))
        with pytest.raises(PremiseError, match=r"^b = 0\.4 is not allowed: b must be 0"):
            sharper(Constants(L=2.3, rho=1.7, sigma=0.6, b=0.4, b_sq=0.31), Schedule(N=4, alpha=0.01, C_beta=1.3))


def test_sharper_values_at_the_recommended_stepsize() -> None:
    s = Schedule(N=5, alpha=recommended_stepsize(c, 5), C_beta=1.3, K=100, Delta=3.7)
    p = Paper(c, s)
    assert p.mu > p.C_1 + 0.04
    assert p.exact_sharper.bound < p.exact.bound


@pytest.mark.parametrize("norm", [0.0, 0.7, 40.0])
def test_the_sharper_theorem_bounds_the_smoothness_through_the_sharper_link(norm: float) -> None:
    s = Schedule(N=3, alpha=1.2 * float(stepsize_cap(c, 3)), C_beta=2.0, Delta=1.0)
    p = Paper(c, s)
    guarantee = theorem_exact_sharper(c, s)
    linked = p.L_w(p.link_sharper(norm) + c.sigma)
    assert guarantee.A + guarantee.G * norm == pytest.approx(float(linked), rel=1e-12, abs=0)
