"""A starting file for a problem: copy it into `problems/`, and put your own losses, constants and proofs in the place
of these cosines. Nothing lists it: the registry finds it by looking.

    python -m verify run --problem my-problem --claim constants      attacks the constants
    python -m pytest tests/problems -k my-problem                    derivatives, constants, 1 % less is refuted
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Self

import numpy as np
import numpy.typing as npt

from problems import Problem, gaussian_probes, register, resampling
from problems.losses.linear_noise import LinearNoise
from theory.constants import Constants
from theory.loss import Array, Loss, TaskIndex


@dataclass(frozen=True)
class Waves(Loss):
    """`l_i(w) = a Σ_m cos(w_m + φ_i)`: amplitude a, and one `phase` φ a task, whose shape is the batch.

    `w` has shape (..., d), and its leading axes broadcast against the batch. Values have shape (...).
    """

    amplitude: float
    phase: npt.NDArray[np.float64]

    def value(self, w: Array) -> Array:
        """Loss at `w`."""
        return np.asarray(self.amplitude * np.cos(w + self.phase[..., None]).sum(axis=-1))

    def gradient(self, w: Array) -> Array:
        """Gradient at `w`."""
        return np.asarray(-self.amplitude * np.sin(w + self.phase[..., None]))

    def hvp(self, w: Array, v: Array) -> Array:
        """Hessian at `w` times `v`."""
        return np.asarray(-self.amplitude * np.cos(w + self.phase[..., None]) * v)

    def take(self, tasks: TaskIndex) -> Self:
        """Losses of the tasks in `tasks`."""
        return replace(self, phase=self.phase[tasks])


# Training and test losses: case="finite-sum" here, and `return finite_sum(train, test, ...)` below.
# An instance that attains a bound: role="sharp", perhaps built around `(N, alpha_L)`, its first probe where it does.
@register("my-problem", case="resampling")
def my_problem(*, amplitude: float = 0.8, sigma_g: float = 0.3) -> Problem:
    """Cosine tasks with equally spaced phases, and data that tilt them. This first line is shown in lists.

    Prove each constant; leave out what does not hold. What the case settles is filled in (here `b = b_sq = 0`).

    - `L = ρ = a`: the Hessian is diagonal with entries `−a cos`, and the derivatives of these are `a sin`. Attained.
    - `σ² = ½ d a²`: over n ≥ 3 equally spaced phases the mean of sin is 0, and that of sin² is ½, at every w.
    - One datum adds `±σ_g w_1`: `σ_g` is attained everywhere, and `σ_H = 0`.
    - `l_i ≥ −d a`, and `‖∇l_i‖ ≤ √d a`, attained where all sines are one.
    """
    d, tasks = 2, 4
    population = Waves(amplitude, 2 * np.pi * np.arange(tasks) / tasks)
    return resampling(
        population,
        Constants(
            L=amplitude,
            rho=amplitude,
            sigma=math.sqrt(d / 2) * amplitude,
            sigma_g=sigma_g,
            sigma_H=0.0,
            lower_bound=-d * amplitude,
        ),
        noise=LinearNoise(population, [[sigma_g, 0.0], [-sigma_g, 0.0]], [0.5, 0.5]),
        probes=gaussian_probes(d, 2.0),
        start=[0.5, -1.2],
        gradient_bound=math.sqrt(d) * amplitude,
        analytic=True,  # the formulas accept complex w
    )
