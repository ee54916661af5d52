"""Opposed floor: near 0 Algorithm 2 is a linear recursion, whose stationary ‖∇L‖ attains the own finite-sum theorem."""

import math
from functools import cache

import numpy as np
import pytest

from problems.opposed_floor import opposed_floor
from problems.problem import Problem
from theory.loss import Array
from theory.maml import meta_gradient

SETTINGS = [(1, 1 / 8, 0.99), (5, 1 / 40, 0.985), (1, 0.2, 0.983)]
"""(N, αL, ratio)."""


@cache
def large(N: int, alpha_L: float) -> Problem:
    """128 of 32 000 tasks are tilted, in 64 dimensions."""
    return opposed_floor(N, alpha_L, dim=64, ordinary=31_872)


def own_bound(problem: Problem, N: int, alpha_L: float) -> float:
    """The own finite-sum theorem at K, B' → ∞ (κ = 1)."""
    c, C_beta, B, q_N = problem.constants, problem.made_for["C_beta"], problem.made_for["B"], (1 + alpha_L) ** N
    Q, R, x = q_N**2, q_N * (q_N - 1), N * alpha_L + q_N - 1
    p, A_v, m, mismatch = Q * (1 - x) / (1 + x), 1 / (1 - x), R * c.b, R * math.sqrt(c.b_sq)
    C_L = c.rho / c.L * q_N**2 / (1 + alpha_L) * (q_N - 1)
    a = Q * c.L + c.rho / c.L * q_N / (1 + alpha_L) * (q_N - 1) ** 2 * c.b
    Gamma, A = C_L / p, a + C_L * ((Q + p) / (2 * math.sqrt(p * Q)) * c.sigma + m / p)
    n_v = A_v * m**2 + 2 * math.sqrt(A_v) * m * mismatch + (Q * c.sigma + mismatch) ** 2
    b_v = math.sqrt(A_v) * (math.sqrt(A_v) * m + mismatch)
    c_1, r, s = 1 - (1 + (A_v - 1) / B) / (2 * C_beta), n_v / (2 * C_beta * B * a), b_v / (C_beta * B * a)
    rest, square = Gamma * r + A * s, c_1 - Gamma * s
    return (rest + math.sqrt(rest**2 + 4 * square * A * r)) / (2 * square)


def stationary(problem: Problem, N: int, alpha_L: float, replicas: int = 40, steps: int = 900) -> Array:
    """‖∇L‖ (replicas, steps) of the recursion of the docstring, after a beginning."""
    c, C_beta, B = problem.constants, problem.made_for["C_beta"], int(problem.made_for["B"])
    d, tasks, rng = problem.dim, problem.number_of_tasks, np.random.default_rng(9)
    q_N, tilt, share = (1 + alpha_L) ** N, c.L**2 / (2 * c.rho), 2 * problem.dim / tasks
    Q, C_L = q_N**2, c.rho / c.L * q_N**2 / (1 + alpha_L) * (q_N - 1)
    a = Q * c.L + c.rho / c.L * q_N / (1 + alpha_L) * (q_N - 1) ** 2 * c.b
    law = np.array([*np.full(2 * d, 1 / tasks), 1 - share])
    w, norms = np.zeros((replicas, d)), []
    for k in range(steps + 200):
        size = np.linalg.norm(w, axis=1, keepdims=True)
        if k >= 200:
            norms.append((1 - 2 * share) * Q * c.L * size[:, 0])
        counts = rng.multinomial(B, law, size=replicas)
        noise = tilt * (counts[:, :d] - counts[:, d:-1])
        gradient = Q * ((2 * counts[:, -1:] - B) * c.L * w + noise) / B
        w = w - gradient / (C_beta * (a + C_L * ((1 - share) * c.L * size + share * tilt)))
    return np.array(norms).T


@pytest.mark.parametrize(("N", "alpha_L"), [(1, 1 / 8), (5, 1 / 40), (2, 0.2)])
def test_meta_gradients_near_the_origin_are_linear(N: int, alpha_L: float) -> None:
    """The reduction on which `stationary` rests, on the losses themselves: all tilts and some ordinary tasks."""
    problem = opposed_floor(N, alpha_L, L=0.6, rho=4.1, dim=5, ordinary=40)
    c, Q, tilt = problem.constants, (1 + alpha_L) ** (2 * N), 0.6**2 / (2 * 4.1)
    w = np.random.default_rng(3).normal(size=(20, 1, 5))
    reach = problem.scale / (1 + alpha_L) ** N
    w *= 0.999 * reach / np.linalg.norm(w, axis=-1).max()
    meta = meta_gradient(w, alpha_L / c.L, N, problem.inner, problem.outer)
    axes = tilt * np.concatenate([np.eye(5), -np.eye(5)])
    np.testing.assert_allclose(meta[:, :10], Q * (axes - c.L * w), rtol=1e-9, atol=1e-12 * tilt)
    np.testing.assert_allclose(meta[:, 10:], np.broadcast_to(Q * c.L * w, (20, 40, 5)), rtol=1e-9, atol=1e-12 * tilt)


@pytest.mark.parametrize(("N", "alpha_L", "ratio"), SETTINGS)
def test_the_variance_of_the_finite_sum_theorem_is_attained(N: int, alpha_L: float, ratio: float) -> None:
    problem = large(N, alpha_L)
    norms, bound = stationary(problem, N, alpha_L), own_bound(problem, N, alpha_L)
    error = 5 * norms.mean(axis=1).std() / math.sqrt(len(norms)) / bound
    assert ratio - error < norms.mean() / bound <= 1 + error
    assert error < 0.012
    # Inside the ball where the reduction holds.
    share = 2 * problem.dim / problem.number_of_tasks
    q_N = (1 + alpha_L) ** N
    assert norms.max() < (1 - 2 * share) * q_N**2 * problem.constants.L * problem.scale / q_N


def test_more_tasks_and_dimensions_come_nearer() -> None:
    small = opposed_floor(1, 1 / 8, dim=4, ordinary=392)
    assert 0.9 < stationary(small, 1, 1 / 8).mean() / own_bound(small, 1, 1 / 8) < 0.93
