"""Smoothness constants against the sums of their proofs."""

import numpy as np
import pytest

from theory.constants import Constants, Schedule
from theory.paper import Paper

c = Constants(L=2.3, rho=1.7, sigma=0.6, sigma_g=0.0, sigma_H=0.0, b=0.4, b_sq=0.31)
CASES = [(0, 0.1), (1, 0.0), (1, 0.1), (2, 0.3), (5, 0.02), (12, 0.2)]


def factor_lipschitz(N: int, alpha: float) -> float:
    """Lipschitz constant of the product of the factors I − αH_j, summed over the factor that differs."""
    q = 1 + alpha * 2.3
    return sum(q ** (N - 1) * alpha * 1.7 * q**j for j in range(N))


@pytest.mark.parametrize(("N", "alpha"), CASES)
def test_C_L_is_the_sum_of_the_proof_and_the_printed_form(N: int, alpha: float) -> None:
    s = Schedule(N=N, alpha=alpha)
    p = Paper(c, s)
    q = 1 + alpha * 2.3
    printed = (q ** (N - 1) * alpha * 1.7 + 1.7 / 2.3 * q**N * (q ** (N - 1) - 1)) * q**N
    assert pytest.approx(factor_lipschitz(N, alpha) * q**N, rel=1e-13, abs=0) == p.C_L
    assert pytest.approx(printed, rel=1e-12, abs=1e-15) == p.C_L


@pytest.mark.parametrize(("N", "alpha"), CASES)
def test_C_b_is_the_growth_of_the_mismatch_in_the_sum(N: int, alpha: float) -> None:
    # ‖∇l_T(w̃_N)‖ grows by αL Σ_j ‖∇l_S(w̃_j)‖, and of that the mismatch is αL Σ_j q^j b.
    q = 1 + alpha * 2.3
    grown = sum(alpha * 2.3 * q**j for j in range(N))
    assert Paper(c, Schedule(N=N, alpha=alpha)).C_b == pytest.approx(
        factor_lipschitz(N, alpha) * grown, rel=1e-13, abs=0
    )


@pytest.mark.parametrize(("N", "alpha"), CASES)
def test_task_form_averages_to_the_meta_form_where_the_mismatch_is_largest(N: int, alpha: float) -> None:
    s = Schedule(N=N, alpha=alpha)
    p = Paper(c, s)
    outer, b_i = np.array([0.2, 1.1, 3.0]), np.array([0.0, 0.3, 0.9])  # mean of b_i = b
    attained = p.task_smoothness(outer, outer + b_i).mean()
    assert attained == pytest.approx(p.L_w(outer.mean()), rel=1e-13, abs=0)
    assert p.task_smoothness(outer, outer + b_i / 2).mean() <= attained


def test_no_adaptation_leaves_the_smoothness_of_the_tasks() -> None:
    for s in (Schedule(N=0, alpha=0.7), Schedule(N=6, alpha=0.0)):
        assert Paper(c, s).L_w(9.0) == 2.3
        assert Paper(Constants(L=2.3), s).L_w(9.0) == 2.3  # an unknown ρ costs nothing here
    assert Paper(Constants(L=2.3), Schedule(N=2, alpha=0.1)).L_w(9.0) == np.inf


def test_resampling_is_the_case_without_mismatch() -> None:
    resampling = Constants(L=2.3, rho=1.7, sigma=0.6, sigma_g=0.5, sigma_H=0.5, b=0.0, b_sq=0.0)
    s = Schedule(N=3, alpha=0.1)
    assert Paper(resampling, s).a == pytest.approx(1.23**6 * 2.3, rel=1e-14, abs=0)
    assert Paper(c, s).a > Paper(resampling, s).a


def test_smoothness_grows_like_q_to_the_3N_past_the_cap() -> None:
    s = Schedule(N=np.array([100.0, 101, 1e4]), alpha=0.2)
    values = Paper(c, s).L_w(2.0)
    assert values[1] / values[0] == pytest.approx(1.46**3, rel=1e-9, abs=0)
    assert values[2] == np.inf
