"""Sums of ridges: cosines of one linear function each, along directions that are not orthogonal."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Self

import numpy as np
import numpy.typing as npt

from problems.cases import finite_sum
from problems.probes import gaussian_probes
from problems.problem import Problem
from problems.registry import register
from theory.constants import Constants
from theory.loss import Array, Loss, TaskIndex
from theory.norm import inner_product


@dataclass(frozen=True)
class RidgeLoss(Loss):
    """`l_i(w) = Σ_m a_m cos(ω_m r_mᵀw + φ_{i,m})`; accepts complex `w`.

    Attributes
    ----------
    amplitude, frequency : (M,) a and ω.
    directions : (M, d) unit vectors r.
    phase : (..., M) φ, one row a task; its leading axes are the batch.
    """

    amplitude: npt.NDArray[np.float64]
    frequency: npt.NDArray[np.float64]
    directions: npt.NDArray[np.float64]
    phase: npt.NDArray[np.float64]

    def _angle(self, w: Array) -> Array:
        return (w @ self.directions.T) * self.frequency + self.phase

    def _gradient(self, angle: Array) -> Array:
        return -(self.amplitude * self.frequency * np.sin(angle)) @ self.directions

    def _hvp(self, angle: Array, v: Array) -> Array:
        curvature = -self.amplitude * self.frequency**2 * np.cos(angle)
        return (curvature * (v @ self.directions.T)) @ self.directions

    def value(self, w: Array) -> Array:
        """Loss at `w` (..., d): shape (...)."""
        return inner_product(self.amplitude, np.cos(self._angle(w)))

    def gradient(self, w: Array) -> Array:
        """Gradient `−Σ_m a_m ω_m sin(·) r_m`, (..., d)."""
        return self._gradient(self._angle(w))

    def hvp(self, w: Array, v: Array) -> Array:
        """Hessian `−Σ_m a_m ω_m² cos(·) r_m r_mᵀ` times `v`, (..., d)."""
        return self._hvp(self._angle(w), v)

    def linearize(self, w: Array) -> tuple[Array, Callable[[Array], Array]]:
        """Gradient and Hessian at `w`, from the same angles."""
        angle = self._angle(w)
        return self._gradient(angle), lambda v: self._hvp(angle, v)

    def take(self, tasks: TaskIndex) -> Self:
        """Losses of the tasks in `tasks`."""
        return replace(self, phase=self.phase[tasks])

    def point(self, angles: Array, task: int) -> npt.NDArray[np.float64]:
        """Return the point (d,) where the ridges of a task have these angles (M,): their directions are a basis."""
        return np.linalg.solve(self.directions * self.frequency[:, None], angles - self.phase[task])


@register("random-ridges", case="finite-sum", role="sharp")
def random_ridges() -> Problem:
    """Three ridges in d = 3 along directions that are not orthogonal: Hessians along the path do not commute.

    `l_{T_i}(w) = Σ_m a_m cos(ω_m r_mᵀw + φ_m + 2πi/3)`, `l_{S_i}` the same with every phase shifted by `δ_i`;
    `a, ω > 0`, `‖r_m‖ = 1`, `r_mᵀr_n ≥ 0`, and the `r_m` are a basis, so that some `w` gives the angles
    `θ_m = ω_m r_mᵀw + …` any values. Write `g = Σ_m a_m ω_m r_m`.

    - `L = λ_max(Σ_m a_m ω_m² r_m r_mᵀ)`: the Hessian is `−Σ_m a_m ω_m² cos(θ_m) r_m r_mᵀ`, and `|cos| ≤ 1`.
      Attained where all cosines are one.
    - `ρ = λ_max(Σ_m a_m ω_m³ r_m r_mᵀ)`: `|cos θ_m(w) − cos θ_m(u)| ≤ ω_m |r_mᵀ(w − u)| ≤ ω_m ‖w − u‖`.
    - `σ² = ½‖g‖²`: three equally spaced phases make `∇l_T = 0` and the mean over tasks of
      `sin(θ_m + ψ_i) sin(θ_n + ψ_i)` equal to `½cos(θ_m − θ_n) ≤ ½`, so
      `E_i ‖∇l_{T_i}‖² ≤ ½ Σ_{m,n} a_m ω_m a_n ω_n r_mᵀr_n`, as `r_mᵀr_n ≥ 0`. Attained where all angles agree.
    - `b_i = 2 sin(δ_i/2) ‖g‖`: `sin(θ + δ) − sin θ = 2 sin(δ/2) cos(θ + δ/2)`, and `r_mᵀr_n ≥ 0` again. Attained.
    - `‖∇l‖ ≤ ‖g‖` in the same way, and every loss is at least `−Σ_m a_m`.
    """
    a, omega = np.array([0.7, 0.45, 0.3]), np.array([1.1, 1.7, 2.3])
    r = np.array([[1.0, 0.2, 0.0], [0.5, 1.0, 0.3], [0.3, 0.4, 1.0]])
    r /= np.linalg.norm(r, axis=1, keepdims=True)
    phase = np.array([0.4, -1.1, 2.0]) + 2 * np.pi / 3 * np.arange(3)[:, None]
    shift = np.array([0.3, 0.8, 1.4])
    g = float(np.linalg.norm((a * omega) @ r))
    mismatch = 2 * np.sin(shift / 2) * g

    def top(weights: npt.NDArray[np.float64]) -> float:
        return float(np.linalg.eigvalsh((weights * r.T) @ r)[-1])

    train, test = RidgeLoss(a, omega, r, phase + shift[:, None]), RidgeLoss(a, omega, r, phase)
    # All angles agree, at ½π (σ and gradients), 0 (L), and halfway to the shift (each mismatch).
    same = [np.full(3, np.pi / 2), np.zeros(3), *(np.full(3, -delta / 2) for delta in shift)]
    owner = [0, 0, 0, 1, 2]
    return finite_sum(
        train,
        test,
        Constants(
            L=top(a * omega**2),
            rho=top(a * omega**3),
            sigma=g / np.sqrt(2),
            b=float(mismatch.mean()),
            b_sq=float((mismatch**2).mean()),
            lower_bound=-float(a.sum()),
        ),
        probes=gaussian_probes(3, 1.5),
        start=[0.6, -0.4, 0.9],
        gradient_bound=g,
        extremes=[test.point(angles, task) for angles, task in zip(same, owner, strict=True)],
        analytic=True,
    )
