"""Rotated cosine tasks: nonconvex everywhere, every constant in closed form, and the noise is a cosine too."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from problems.cases import resampling
from problems.losses import half_angle
from problems.losses.cosine_loss import RotatedCosine
from problems.losses.half_angle import TURN, sine_cosine
from problems.noise import DataNoise, FiniteNoise
from problems.probes import gaussian_probes
from problems.problem import Problem
from problems.registry import register
from theory.constants import Constants
from theory.loss import TaskIndex


class CosineNoise(DataNoise):
    """One datum adds `s cos(k q_mᵀw + θ)`, direction m uniform over the columns q_m of Q, phase θ uniform.

    A minibatch is a sum of cosines of one frequency in each direction: one phasor a direction at any batch size.
    """

    def __init__(self, population: RotatedCosine, s: float, k: float) -> None:
        self.population, self.s, self.k = population, s, k
        self.gradient_sup, self.hessian_sup = s * k, s * k**2

    def minibatch(self, tasks: TaskIndex, size: int, rng: np.random.Generator) -> RotatedCosine:
        """Mean loss of `size` fresh data each."""
        phasor = uniform_phasors(tasks.shape, size, len(self.population.rotation), rng)
        return add_phasor(self.population.take(tasks), self.k, self.s * phasor)

    def quadrature(self) -> FiniteCosineNoise:
        """Three phases: the mean of the squared sine and cosine over them is that over the circle."""
        return FiniteCosineNoise(self.population, self.s, self.k, phases=3)


class FiniteCosineNoise(FiniteNoise):
    """The same noise with θ uniform on `phases` ≥ 3 equally spaced angles: the same first and second moments.

    An atom is a direction and an angle: atom `m · phases + j` is `s cos(k q_mᵀw + 2πj/phases)`.
    """

    def __init__(self, population: RotatedCosine, s: float, k: float, phases: int) -> None:
        self.population, self.s, self.k, self.phases = population, s, k, phases
        self.gradient_sup, self.hessian_sup = s * k, s * k**2
        atoms = len(population.rotation) * phases
        self.probabilities = np.full(atoms, 1 / atoms)

    def weighted(self, tasks: TaskIndex, weights: npt.NDArray[np.float64]) -> RotatedCosine:
        """Mean loss over data with these weights on the atoms."""
        circle = np.exp(2j * np.pi * np.arange(self.phases) / self.phases)
        phasor = weights.reshape(*weights.shape[:-1], -1, self.phases) @ circle
        return add_phasor(self.population.take(tasks), self.k, self.s * phasor)


def add_phasor(loss: RotatedCosine, k: float, phasor: npt.NDArray[np.complex128]) -> RotatedCosine:
    """`loss + Σ_m Re(Z_m e^{ikx_m})`, `phasor` Z of shape (*batch, d)."""
    amplitude = np.broadcast_to(loss.amplitude, loss.phase.shape)
    return RotatedCosine(
        loss.rotation,
        np.concatenate([loss.frequency, np.full((1, phasor.shape[-1]), k)]),
        np.concatenate([amplitude, np.abs(phasor)[..., None, :]], axis=-2),
        np.concatenate([loss.phase, np.angle(phasor)[..., None, :]], axis=-2),
    )


def uniform_phasors(
    shape: tuple[int, ...], size: int, directions: int, rng: np.random.Generator
) -> npt.NDArray[np.complex128]:
    """`Z_m = (1/size) Σ_{t: m_t = m} e^{iθ_t}` for each entry of `shape`: (*shape, directions)."""
    cells = math.prod(shape)
    cell = np.repeat(np.arange(cells) * directions, size) + rng.integers(directions, size=cells * size)
    sine, cosine = sine_cosine(rng.uniform(0, TURN / half_angle.KERNEL.unit, size=cells * size))
    real, imaginary = (np.bincount(cell, part, minlength=cells * directions) for part in (cosine, sine))
    return np.asarray((real + 1j * imaginary).reshape(*shape, directions) / size)


def cosine_tasks(
    frequency: npt.NDArray[np.float64], amplitude: npt.NDArray[np.float64], tasks: int, rng: np.random.Generator
) -> RotatedCosine:
    """Tasks with a common first term of phase 0 and a second term of phases `2πi/tasks`; Q is random.

    `frequency` and `amplitude` are (2, d): W and ω, A and a. Task i has phase `2π i_m/tasks` in coordinate m, `i_m` a
    random shuffle of the tasks in every coordinate but the first.
    """
    d = frequency.shape[1]
    rotation, _ = np.linalg.qr(rng.normal(size=(d, d)))
    order = np.column_stack([np.arange(tasks), *(rng.permutation(tasks) for _ in range(d - 1))])
    phase = np.stack([np.zeros((tasks, d)), 2 * np.pi * order / tasks], axis=1)
    return RotatedCosine(rotation, frequency, amplitude, phase)


def steepest_points(population: RotatedCosine, turns: int = 200) -> npt.NDArray[np.float64]:
    """One point (tasks, d) a task where both its sines are nearly 1, or −1, in every coordinate: ρ and the gradients.

    The first is ±1 at `x = (k + ½)π/W`; of `2 turns` such k that one is taken at which the second is nearest to it.
    """
    W, omega = population.frequency
    x = (np.arange(-turns, turns)[:, None, None] + 0.5) * np.pi / W
    agreement = np.sin(W * x) * np.sin(omega * x + population.phase[:, 1])
    best = agreement.argmax(axis=0)[None]
    return np.asarray(np.take_along_axis(x, best, axis=0)[0] @ population.rotation.T)


def cosine_problem(population: RotatedCosine, noise: CosineNoise | FiniteCosineNoise, start: list[float]) -> Problem:
    """Problem of `cosine_tasks` with its proved constants (see `rotated_cosine`)."""
    frequency, amplitude = population.frequency, population.amplitude
    return resampling(
        population,
        Constants(
            L=float((amplitude * frequency**2).sum(axis=0).max()),
            rho=float((amplitude * frequency**3).sum(axis=0).max()),
            sigma=math.sqrt(0.5 * ((amplitude[1] * frequency[1]) ** 2).sum()),
            sigma_g=math.sqrt(0.5) * noise.s * noise.k,
            sigma_H=math.sqrt(0.5) * noise.s * noise.k**2,
            lower_bound=-float(amplitude.sum()),
        ),
        noise=noise,
        probes=gaussian_probes(len(start), 2.0),
        start=start,
        extremes=[np.zeros(len(start)), *steepest_points(population)],
        gradient_bound=float(np.linalg.norm((amplitude * frequency).sum(axis=0))),
        analytic=True,
    )


@register("rotated-cosine", case="resampling")
def rotated_cosine() -> Problem:
    """Rotated cosine tasks in 4 dimensions with continuous cosine noise.

    `l_i(w) = Σ_m A_m cos(W_m x_m) + a_m cos(ω_m x_m + φ_{i,m})`, `x = Qᵀw`, phases equally spaced over the tasks (at
    least 3). The Hessian is diagonal in x, and Q changes no norm. So

    - `L = max_m (A_m W_m² + a_m ω_m²)`, attained at w = 0 by the task whose phase is 0 there;
    - `ρ = max_m (A_m W_m³ + a_m ω_m³)`: both sines reach 1 together in some task, or come as near as one likes;
    - `∇l_i − ∇l = −a_m ω_m sin(ω_m x_m + φ_{i,m})` in coordinate m, since the mean over ≥ 2 equally spaced phases is 0;
      over ≥ 3 the mean of sin² is ½, so `E_i‖∇l_i − ∇l‖² = ½ Σ_m a_m² ω_m² = σ²` at every w;
    - one datum adds `s cos(k q_mᵀw + θ)`, with gradient `−sk sin(·) q_m` and Hessian `−sk² cos(·) q_m q_mᵀ`: mean 0,
      `σ_g² = ½ s²k²`, `σ_H² = ½ s²k⁴` at every w;
    - `l_i ≥ −Σ_m (A_m + a_m)`, and `‖∇l_i‖² ≤ Σ_m (A_m W_m + a_m ω_m)²`.
    """
    frequency = np.array([[1.0, 1.3, 0.8, 1.7], [1.9, 0.7, 1.4, 1.1]])
    amplitude = np.array([[0.9, 0.5, 0.7, 0.3], [0.3, 0.4, 0.2, 0.25]])
    population = cosine_tasks(frequency, amplitude, 6, np.random.default_rng(19))
    noise = CosineNoise(population, s=0.35, k=1.3)
    return cosine_problem(population, noise, [0.9, -1.4, 0.6, 1.1])


@register("rotated-cosine-finite-noise", case="resampling")
def rotated_cosine_finite_noise() -> Problem:
    """Rotated cosine tasks in 2 dimensions whose noise has 6 atoms, so that expectations can be enumerated.

    As `rotated_cosine`, with θ uniform on 3 equally spaced angles: the means of sin, cos (0) and of sin², cos² (½) over
    them are those of the circle, so every constant stays.
    """
    frequency = np.array([[1.2, 0.9], [1.6, 1.1]])
    amplitude = np.array([[0.8, 0.5], [0.35, 0.45]])
    population = cosine_tasks(frequency, amplitude, 4, np.random.default_rng(20))
    noise = FiniteCosineNoise(population, s=0.4, k=1.5, phases=3)
    return cosine_problem(population, noise, [1.3, -0.7])
