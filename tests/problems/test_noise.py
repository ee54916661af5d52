"""Data noise of the resampling problems: mean zero, and the moments that the constants promise, without sampling.

Finite noise is summed over its atoms, continuous noise by quadrature over the circle, which is exact for cosines.
"""

import numpy as np
import numpy.typing as npt
import pytest

from problems.noise import FiniteNoise, batch_support
from problems.problem import Problem
from problems.registry import families
from problems.rotated_cosine import CosineNoise, add_phasor
from theory.loss import Array, Loss

ATTAINED = {
    "quadratic": 1.0,
    "rotated-cosine": 1.0,
    "rotated-cosine-finite-noise": 1.0,
    "softmax-bandit": 0.999,
}
"""Fraction of σ_g² and σ_H² that some point reaches."""
ROUNDING = 1e-12


def datum_losses(problem: Problem) -> tuple[Loss, npt.NDArray[np.float64]]:
    """Loss of every datum for every task, batch shape (atoms, tasks), and the probabilities (atoms,)."""
    tasks = np.arange(problem.number_of_tasks)
    if isinstance(problem.noise, FiniteNoise):
        atoms = len(problem.noise.probabilities)
        chosen = np.tile(tasks, (atoms, 1))
        weights = np.broadcast_to(np.eye(atoms)[:, None], (atoms, len(tasks), atoms))
        return problem.noise.weighted(chosen, weights), problem.noise.probabilities
    assert isinstance(problem.noise, CosineNoise)
    d, nodes = problem.dim, 8
    circle = np.exp(2j * np.pi * (np.arange(nodes) + 0.3) / nodes)
    phasor = (circle[:, None, None] * np.eye(d)).reshape(-1, 1, d)
    chosen = np.tile(tasks, (len(phasor), 1))
    population = problem.noise.population.take(chosen)
    phasor = np.broadcast_to(problem.noise.s * phasor, (*chosen.shape, d))
    return add_phasor(population, problem.noise.k, phasor), np.full(len(phasor), 1 / len(phasor))


def points(problem: Problem) -> Array:
    """Points (P, 1, 1, d): probes, and lines along one coordinate with another far down (edges of a simplex)."""
    probes = problem.probes(300, np.random.default_rng(41))
    axes = np.eye(problem.dim)
    along, down = (axes[pairs] for pairs in np.nonzero(1 - axes))
    lines = np.linspace(-3, 3, 61)[:, None, None] * along - 40 * down
    return np.concatenate([probes, lines.reshape(-1, problem.dim)])[:, None, None]


def gradient_noise(problem: Problem) -> tuple[Array, npt.NDArray[np.float64]]:
    """Noise (P, atoms, tasks, d) and the probabilities of the atoms."""
    w = points(problem)
    data, probabilities = datum_losses(problem)
    return data.gradient(w) - problem.inner.gradient(w), probabilities


def hessian_noise(problem: Problem) -> tuple[Array, npt.NDArray[np.float64]]:
    """Noise (P, atoms, tasks, d, d) and the probabilities of the atoms."""
    w = points(problem)
    data, probabilities = datum_losses(problem)
    columns = [data.hvp(w, e) - problem.inner.hvp(w, e) for e in np.eye(problem.dim)]
    return np.stack(columns, axis=-1), probabilities


@pytest.fixture(params=list(ATTAINED), scope="module")
def problem(request: pytest.FixtureRequest) -> Problem:
    return families()[request.param].build(1, 0.1)


def test_every_resampling_problem_is_tested() -> None:
    ordinary = [name for name, f in families().items() if f.role == "ordinary" and f.case == "resampling"]
    assert sorted(ordinary) == sorted(ATTAINED)


def test_gradient_noise_has_the_promised_moments(problem: Problem) -> None:
    noise, probabilities = gradient_noise(problem)
    assert problem.noise is not None
    np.testing.assert_allclose(np.einsum("patd,a->ptd", noise, probabilities), 0, atol=1e-14)
    size = np.linalg.norm(noise, axis=-1)
    assert size.max() <= problem.noise.gradient_sup * (1 + ROUNDING)
    second_moment = np.einsum("pat,a->pt", size**2, probabilities)
    assert second_moment.max() <= problem.constants.sigma_g**2 * (1 + ROUNDING)
    assert second_moment.max() >= ATTAINED[problem.name] * problem.constants.sigma_g**2 * (1 - ROUNDING)


def test_hessian_noise_has_the_promised_moments(problem: Problem) -> None:
    noise, probabilities = hessian_noise(problem)
    assert problem.noise is not None
    np.testing.assert_allclose(np.einsum("patde,a->ptde", noise, probabilities), 0, atol=1e-14)
    size = np.abs(np.linalg.eigvalsh(noise)).max(axis=-1)
    assert size.max() <= problem.noise.hessian_sup * (1 + ROUNDING)
    second_moment = np.einsum("pat,a->pt", size**2, probabilities)
    assert second_moment.max() <= problem.constants.sigma_H**2 * (1 + ROUNDING)
    assert second_moment.max() >= ATTAINED[problem.name] * problem.constants.sigma_H**2 * (1 - ROUNDING)


def test_the_noise_of_a_batch_falls_like_one_over_its_size(problem: Problem) -> None:
    """All minibatches of three data, enumerated: the second moment is a third of that of one datum."""
    if not isinstance(problem.noise, FiniteNoise):
        pytest.skip("continuous noise cannot be enumerated")
    support = batch_support(problem.noise, 3)
    batches = problem.noise.weighted(np.zeros(len(support.probabilities), dtype=np.intp), support.weights)
    w = points(problem)[:50, 0]
    noise = batches.gradient(w) - problem.inner.gradient(w)[:, :1]
    one, probabilities = gradient_noise(problem)
    expected = np.einsum("patd,a->pt", one[:50] ** 2, probabilities)[:, 0] / 3
    np.testing.assert_allclose(np.einsum("pmd,m->p", noise**2, support.probabilities), expected, rtol=1e-11, atol=1e-16)


@pytest.mark.parametrize("size", [1, 4, 900])
def test_drawn_minibatches_have_the_moments_of_the_noise(problem: Problem, size: int) -> None:
    """Mean and mean square of drawn gradient noise, within six standard errors (fixed seed)."""
    draws = 4000
    w = problem.start + 0.1
    chosen = np.full(draws, problem.number_of_tasks - 1)
    minibatch = problem.minibatch(chosen, size, np.random.default_rng(42))
    noise = minibatch.gradient(w[None]) - problem.inner.gradient(w[None])[-1]
    data, probabilities = datum_losses(problem)
    one = (data.gradient(w) - problem.inner.gradient(w))[:, -1]
    expected = probabilities @ (one**2).sum(axis=-1) / size
    np.testing.assert_allclose(noise.mean(axis=0), 0, atol=6 * np.sqrt(expected / draws))
    square = (noise**2).sum(axis=-1)
    assert abs(square.mean() - expected) <= 6 * max(square.std() / np.sqrt(draws), 1e-12)


def test_a_cosine_minibatch_costs_the_same_at_every_size() -> None:
    """One cosine a direction is added, however many data are averaged."""
    problem = families()["rotated-cosine"].build(1, 0.1)
    for size in (1, 50):
        minibatch = problem.minibatch(np.array([2, 0]), size, np.random.default_rng(43))
        assert minibatch.frequency.shape == (3, problem.dim)  # type: ignore[attr-defined]


def test_finite_sum_problems_have_no_data_noise() -> None:
    problem = families()["geman-mcclure"].build(1, 0.1)
    with pytest.raises(ValueError, match="geman-mcclure has no data noise: Algorithm 1 needs the resampling case"):
        problem.minibatch(np.array([0]), 1, np.random.default_rng(0))
