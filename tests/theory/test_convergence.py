"""The theorems, against one meta step of their proofs and the root of their quadratic."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from theory.constants import Constants, Schedule
from theory.convergence import (
    FiniteSum,
    Resampling,
    root_bound,
    theorem_exact,
    theorem_finite_sum,
    theorem_resampling,
)
from theory.growth import recommended_stepsize
from theory.paper import Paper
from theory.validation import PremiseError

RESAMPLING = Constants(L=2.3, rho=1.7, sigma=0.6, sigma_g=1.9, sigma_H=0.8, b=0.0, b_sq=0.0)
FINITE_SUM = Constants(L=2.3, rho=1.7, sigma=0.6, sigma_g=0.0, sigma_H=0.0, b=0.4, b_sq=0.31)


def schedule(c: Constants, N: int = 4, **fields: float) -> Schedule:
    batches = {"B": 40, "S": 300, "D": 3, "T": 5, "B_prime": 2, "D_L": 6, "K": 500, "Delta": 3.7, "C_beta": 60.0}
    return Schedule(N=N, alpha=recommended_stepsize(c, N), **{**batches, **fields})


@given(R=st.floats(0, 1e100), A=st.floats(1e-100, 1e100), G=st.floats(0, 1e100))
def test_root_solves_its_quadratic(R: float, A: float, G: float) -> None:
    root = float(root_bound(R, A, G))
    assert root == 0 if R == 0 else root > 0
    if 1e-100 < root < 1e100 and R > 1e-200:
        assert root / R * root == pytest.approx(A + G * root, rel=1e-12, abs=0)


def test_root_at_the_ends() -> None:
    assert root_bound(0.0, 3.0, 2.0) == 0
    assert root_bound(2.0, 8.0, 0.0) == pytest.approx(4, rel=1e-15, abs=0)
    assert root_bound(1e200, 1.0, 1e100) == pytest.approx(1e300, rel=1e-14, abs=0)  # R²G² would overflow
    assert root_bound(np.inf, 1.0, 0.0) == np.inf


@pytest.mark.parametrize("c", [RESAMPLING, FINITE_SUM])
@pytest.mark.parametrize("N", [0, 1, 4, 30])
def test_A_and_G_bound_the_smoothness_through_the_link(c: Constants, N: int) -> None:
    s = schedule(c, N)
    p = Paper(c, s)
    x = np.array([0.0, 0.3, 8.0])
    expected = p.L_w(p.link_tasks(x))
    np.testing.assert_allclose(p.A + p.G * x, expected, rtol=1e-13)


def test_descent_is_the_descent_lemma_at_its_stepsize() -> None:
    L_w, x = 5.3, 0.9
    for C_beta in (0.4, 0.5, 1.0, 7.0):
        s = schedule(RESAMPLING, C_beta=C_beta)
        beta = 1 / (C_beta * L_w)
        assert Paper(RESAMPLING, s).descent(x, L_w) == pytest.approx(beta * x**2 - L_w / 2 * (beta * x) ** 2, abs=1e-15)
    best = Paper(RESAMPLING, schedule(RESAMPLING, C_beta=1.0)).descent(x, L_w)
    assert best == pytest.approx(x**2 / (2 * L_w), rel=1e-15, abs=0)


@pytest.mark.parametrize("c", [RESAMPLING, FINITE_SUM])
def test_exact_theorem_telescopes_the_descent(c: Constants) -> None:
    # At ḡ = bound, K equal steps at L_w = A + Gḡ use up Δ exactly.
    s = schedule(c)
    guarantee = theorem_exact(c, s)
    L_w = guarantee.A + guarantee.G * guarantee.bound
    assert 500 * Paper(c, s).descent(guarantee.bound, L_w) == pytest.approx(3.7, rel=1e-12, abs=0)
    assert guarantee.noise == 0


@pytest.mark.parametrize("x", [0.0, 0.2, 5.0])
@pytest.mark.parametrize("N", [0, 1, 4, 30])
def test_finite_sum_constants_are_those_of_one_step(x: float, N: int) -> None:
    # C_β L_w × (E decrease) ≥ x² − (κ/(2C_β))(x² + E_i‖∇L_i‖²/B), the noise part at L_w = a.
    p = FiniteSum(FINITE_SUM, schedule(FINITE_SUM, N))
    second_moment = x**2 + p.finite_sum_second_moment(x) / 40
    step = x**2 - p.kappa / 120 * second_moment
    assert p.c_1 * x**2 - float(p.noise * 60 * p.a) == pytest.approx(step, rel=1e-12, abs=0)


@pytest.mark.parametrize("N", [0, 1, 4, 30])
@pytest.mark.parametrize("x", [0.0, 0.2, 5.0])
def test_resampling_constants_are_those_of_one_step(x: float, N: int) -> None:
    p = Resampling(RESAMPLING, schedule(RESAMPLING, N))
    kappa, lam = float(p.kappa), float(p.lam)
    # ‖e‖ = (e_0 + e_1 x)/√S, and ‖e‖² ≤ 2(e_0² + e_1²x²)/S.
    e_0 = p.bias(0.0)
    e_1 = p.bias(1.0) - e_0
    bias_square = 2 * (e_0**2 + (e_1 * x) ** 2)
    second_moment = 2 * x**2 + 2 * bias_square + p.second_moment(x) / 40
    step = lam / 2 * x**2 - np.sqrt(kappa) / 2 * bias_square - kappa / 120 * second_moment
    assert p.c_1 * x**2 - float(p.noise * p.a) == pytest.approx(step, rel=1e-11, abs=1e-14)


@pytest.mark.parametrize(
    ("theorem", "c"),
    [(theorem_exact, FINITE_SUM), (theorem_finite_sum, FINITE_SUM), (theorem_resampling, RESAMPLING)],
)
def test_guarantee_is_consistent_and_falls_like_the_root_of_K(theorem: Callable[..., Any], c: Constants) -> None:
    few, many = (theorem(c, schedule(c, K=K, B=10**9, S=10**9)) for K in (10**4, 10**6))
    for guarantee in (few, many):
        L_w = guarantee.A + guarantee.G * guarantee.bound
        assert guarantee.bound**2 == pytest.approx(guarantee.R * L_w, rel=1e-12, abs=0)
    assert few.bound / many.bound == pytest.approx(10, rel=0.05, abs=0)


def test_R_of_the_theorems_is_what_is_left_of_the_gap_and_the_noise() -> None:
    s = schedule(FINITE_SUM)
    guarantee = theorem_finite_sum(FINITE_SUM, s)
    assert guarantee.R * guarantee.c_1 / 60 - guarantee.noise == pytest.approx(3.7 / 500, rel=1e-12, abs=0)
    s = schedule(RESAMPLING)
    guarantee = theorem_resampling(RESAMPLING, s)
    assert guarantee.R * guarantee.c_1 - guarantee.noise == pytest.approx(60 * 3.7 / 500, rel=1e-12, abs=0)


def test_bounds_move_the_right_way() -> None:
    more = np.array([1.0, 2, 8]) * 50
    for name in ("B", "S", "D", "T", "B_prime", "D_L", "K"):
        s = replace(schedule(RESAMPLING, B=2000, S=50_000), **{name: more if name not in "BS" else 2000 * more})
        by_batch = np.broadcast_to(theorem_resampling(RESAMPLING, s).bound, (3,))
        assert (np.diff(by_batch) <= 0).all()
        if name in ("B", "S", "D", "T", "K", "D_L"):
            assert (np.diff(by_batch) < 0).all()
    for name in ("rho", "sigma", "sigma_g", "sigma_H"):
        raised = replace(RESAMPLING, **{name: 1.1 * getattr(RESAMPLING, name)})
        s = schedule(RESAMPLING, B=2000, S=50_000)
        assert theorem_resampling(raised, s).bound > theorem_resampling(RESAMPLING, s).bound
    for name in ("rho", "sigma", "b", "b_sq"):
        raised = replace(FINITE_SUM, **{name: 1.1 * getattr(FINITE_SUM, name)})
        s = schedule(FINITE_SUM)
        assert theorem_finite_sum(raised, s).bound > theorem_finite_sum(FINITE_SUM, s).bound


@pytest.mark.parametrize(
    ("theorem", "c"), [(theorem_exact, FINITE_SUM), (theorem_finite_sum, FINITE_SUM), (theorem_resampling, RESAMPLING)]
)
def test_constants_stay_bounded_in_N_at_the_recommended_stepsize(theorem: Callable[..., Any], c: Constants) -> None:
    N = np.array([1.0, 10, 1e3, 1e6])
    s = Schedule(N=N, alpha=recommended_stepsize(c, N), C_beta=100.0, B=500, S=5000, K=1000, Delta=3.7, D_L=9)
    bound = theorem(c, s).bound
    assert bound[-1] < 1.3 * bound[0]
    assert bound[-1] == pytest.approx(bound[-2], rel=1e-3, abs=0)


def test_no_adaptation_is_gradient_descent_on_the_mean_loss() -> None:
    quiet = Constants(L=2.3, rho=1.7, sigma=0.0, sigma_g=0.0, sigma_H=0.0, b=0.0, b_sq=0.0)
    for s in (
        Schedule(N=0, alpha=5.0, K=50, Delta=3.7, C_beta=1.0),
        Schedule(N=3, alpha=0.0, K=50, Delta=3.7, C_beta=1.0),
    ):
        assert theorem_exact(quiet, s).bound == pytest.approx(np.sqrt(2 * 2.3 * 3.7 / 50), rel=1e-14, abs=0)


def test_unknown_gap_gives_an_infinite_bound() -> None:
    assert theorem_exact(RESAMPLING, schedule(RESAMPLING, Delta=np.inf)).bound == np.inf


def test_theorems_do_not_speak_without_their_premise() -> None:
    past = Schedule(N=4, alpha=0.1, Delta=1.0)
    for theorem in (theorem_exact, theorem_finite_sum, theorem_resampling):
        with pytest.raises(PremiseError, match=r"^alpha = 0\.1"):
            theorem(RESAMPLING, past)
    with pytest.raises(PremiseError, match=r"^C_beta = 0\.5 is not allowed: C_beta must be > 0\.5$"):
        theorem_exact(RESAMPLING, schedule(RESAMPLING, C_beta=0.5))
    with pytest.raises(PremiseError, match=r"^c_1 = -.* is not allowed: c_1 must be > 0"):
        theorem_finite_sum(FINITE_SUM, schedule(FINITE_SUM, C_beta=0.9))
    with pytest.raises(PremiseError, match=r"^c_1 = -.* is not allowed: c_1 must be > 0"):
        theorem_resampling(RESAMPLING, schedule(RESAMPLING, C_beta=2.0))
    flat = replace(FINITE_SUM, rho=0.0)  # κ = 2 and A_sq1 = 4 at α = 0, so c_1 = 1 − 5/C_β at B = 1
    with pytest.raises(PremiseError, match=r"^c_1 = 0 is not allowed: c_1 must be > 0"):
        theorem_finite_sum(flat, Schedule(N=3, alpha=0.0, C_beta=5.0, Delta=1.0))
    assert FiniteSum(FINITE_SUM, schedule(FINITE_SUM, C_beta=0.9)).c_1 < 0
    assert Resampling(RESAMPLING, schedule(RESAMPLING, C_beta=2.0)).c_1 < 0
