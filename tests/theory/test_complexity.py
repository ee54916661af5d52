"""Oracle calls counted one by one, and the meta steps that the theorems ask for."""

from dataclasses import replace

import numpy as np
import pytest

from theory.complexity import oracle_calls, step_oracle_calls, steps_to_accuracy, theorem
from theory.constants import Constants, Schedule
from theory.growth import recommended_stepsize, stepsize_cap

RESAMPLING = Constants(L=2.3, rho=1.7, sigma=0.6, sigma_g=1.9, sigma_H=0.8, b=0.0, b_sq=0.0)
FINITE_SUM = Constants(L=2.3, rho=1.7, sigma=0.6, sigma_g=0.0, sigma_H=0.0, b=0.4, b_sq=0.31)
CASES = [("exact", FINITE_SUM), ("finite-sum", FINITE_SUM), ("resampling", RESAMPLING)]


def schedule(c: Constants, N: int = 4, **fields: float) -> Schedule:
    batches = {"B": 4000, "S": 30_000, "D": 3, "T": 5, "B_prime": 2, "D_L": 6, "Delta": 3.7, "C_beta": 60.0}
    return Schedule(N=N, alpha=recommended_stepsize(c, N), **{**batches, **fields})


@pytest.mark.parametrize("case", ["exact", "finite-sum", "resampling"])
def test_oracle_calls_are_what_the_loops_of_the_algorithm_ask_for(case: str) -> None:
    s = Schedule(N=3, alpha=0.1, B=4, S=7, D=5, T=11, B_prime=2, D_L=13, K=6)
    gradients = hessians = 0
    for _ in range(6):
        for _ in range(4):
            for _ in range(3):
                gradients += 7 if case == "resampling" else 17
                hessians += 5 if case == "resampling" else 17
            gradients += 11 if case == "resampling" else 19
        for _ in range(4 if case == "exact" else 2):
            gradients += 13 if case == "resampling" else 19
    calls = oracle_calls(s, case, train_size=17, test_size=19)
    assert (calls.gradients, calls.hessians, calls.total) == (gradients, hessians, gradients + hessians)
    step = step_oracle_calls(s, case, train_size=17, test_size=19)
    assert (6 * step.gradients, 6 * step.hessians) == (gradients, hessians)


@pytest.mark.parametrize(("case", "c"), CASES)
@pytest.mark.parametrize("epsilon", [3e-2, 0.4, 50.0])
@pytest.mark.parametrize("N", [0, 1, 6])
def test_steps_to_accuracy_are_certified_and_least(case: str, c: Constants, epsilon: float, N: int) -> None:
    s = schedule(c, N, B=10**7, S=10**7, T=7)
    K = steps_to_accuracy(c, s, epsilon, case)
    assert theorem(c, replace(s, K=K), case).bound <= epsilon
    if K > 1:
        assert theorem(c, replace(s, K=K - 1), case).bound > epsilon
    else:
        assert epsilon == 50


def test_steps_are_least_also_where_a_whole_number_is_just_enough() -> None:
    """Gradient descent certifies ε after 2Δ/ε² steps, to rounding: no fewer may do, whatever the rounding."""
    flat = Constants(L=1.0, rho=0.0, sigma=0.0, sigma_g=0.0, sigma_H=0.0, b=0.0, b_sq=0.0)
    whole, epsilon = np.arange(2.0, 1000), np.array([[0.07], [0.1], [0.3]])
    s = Schedule(N=0, alpha=0.0, C_beta=1.0, Delta=whole * epsilon**2 / 2)
    K = steps_to_accuracy(flat, s, epsilon, "exact")
    assert (abs(K - whole) <= 1).all()
    assert (theorem(flat, replace(s, K=K), "exact").bound <= epsilon).all()
    assert (theorem(flat, replace(s, K=K - 1), "exact").bound > epsilon).all()


@pytest.mark.parametrize(("case", "c"), CASES)
def test_steps_grow_like_the_inverse_square_of_the_accuracy(case: str, c: Constants) -> None:
    epsilon = np.geomspace(1e-4, 1e-2, 9)
    K = steps_to_accuracy(c, schedule(c, B=10**14, S=10**14), epsilon, case)
    slope = np.polyfit(np.log(epsilon), np.log(K), 1)[0]
    assert slope == pytest.approx(-2, abs=0.01)


@pytest.mark.parametrize(("case", "c"), CASES)
def test_oracle_calls_to_accuracy_are_linear_in_N_at_the_recommended_stepsize(case: str, c: Constants) -> None:
    N = 2.0 ** np.arange(6, 14)
    s = Schedule(N=N, alpha=recommended_stepsize(c, N), B=4000, S=300_000, D_L=6, Delta=3.7)
    calls = oracle_calls(replace(s, K=steps_to_accuracy(c, s, 0.2, case)), case, 10, 10).total
    slope = np.polyfit(np.log(N), np.log(calls), 1)[0]
    assert slope == pytest.approx(1, abs=0.02)


def test_no_step_count_helps_where_no_theorem_speaks() -> None:
    cap = stepsize_cap(FINITE_SUM, 4)
    s = schedule(FINITE_SUM)
    assert steps_to_accuracy(FINITE_SUM, replace(s, alpha=cap), 0.2, "exact") == np.inf
    assert steps_to_accuracy(FINITE_SUM, replace(s, C_beta=0.5), 0.2, "exact") == np.inf
    assert steps_to_accuracy(FINITE_SUM, replace(s, C_beta=0.9), 0.2, "finite-sum") == np.inf
    assert steps_to_accuracy(FINITE_SUM, replace(s, B=1), 1e-3, "finite-sum") == np.inf  # noise alone is above ε
    assert steps_to_accuracy(RESAMPLING, replace(s, S=1), 0.2, "resampling") == np.inf
    assert steps_to_accuracy(FINITE_SUM, replace(s, Delta=np.inf), 0.2, "exact") == np.inf
    assert steps_to_accuracy(Constants(L=2.3), s, 0.2, "exact") == np.inf


def test_steps_are_elementwise_over_a_sweep_that_crosses_the_premises() -> None:
    alpha = stepsize_cap(FINITE_SUM, 4) * np.array([0.1, 0.9, 1.0, 2.0])
    s = replace(schedule(FINITE_SUM), alpha=alpha, C_beta=np.array([[60.0], [0.9]]))
    K = steps_to_accuracy(FINITE_SUM, s, 0.9, "finite-sum")
    assert K.shape == (2, 4)
    np.testing.assert_array_equal(np.isfinite(K), [[True, True, False, False], [False] * 4])
    single = steps_to_accuracy(FINITE_SUM, replace(s, alpha=alpha[1], C_beta=60.0), 0.9, "finite-sum")
    assert K[0, 1] == single


def test_zero_gap_takes_one_step() -> None:
    assert steps_to_accuracy(FINITE_SUM, schedule(FINITE_SUM, Delta=0.0), 0.2, "exact") == 1
