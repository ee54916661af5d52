"""Mean of a penalty over the residuals of a linear model: the losses that practitioners fit, and their constants."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import product
from typing import ClassVar, Self

import numpy as np
import numpy.typing as npt

from theory.constants import Constants
from theory.loss import Array, Loss, TaskIndex


@dataclass(frozen=True)
class Penalty(ABC):
    """A penalty `φ(r) = c² ψ(r/c) ≥ 0` of one residual, of width c.

    `suprema` are those of |ψ′|, |ψ″| and |ψ‴|; those of φ follow: c, 1 and 1/c times as large.
    """

    suprema: ClassVar[tuple[float, float, float]]
    c: float

    @property
    def slope_sup(self) -> float:
        """Supremum of |φ′|."""
        return self.suprema[0] * self.c

    @property
    def curvature_sup(self) -> float:
        """Supremum of |φ″|."""
        return self.suprema[1]

    @property
    def third_sup(self) -> float:
        """Supremum of |φ‴|."""
        return self.suprema[2] / self.c

    @abstractmethod
    def value(self, r: Array) -> Array:
        """φ(r)."""

    @abstractmethod
    def derivatives(self, r: Array) -> tuple[Array, Array]:
        """φ′(r) and φ″(r), which share work."""


@dataclass(frozen=True)
class LinearModel(Loss):
    """`(1/n) Σ_k φ(⟨a_k, w⟩ − y_k)`, one data set a task.

    Attributes
    ----------
    design : (..., n, d) rows a_k.
    target : (..., n) y_k.
    penalty : φ.
    """

    design: Array
    target: Array
    penalty: Penalty

    def value(self, w: Array) -> Array:
        """Loss at `w`."""
        return np.asarray(self.penalty.value(self._residual(w)).mean(axis=-1))

    def gradient(self, w: Array) -> Array:
        """Gradient at `w`."""
        return self._mean_of_rows(self.penalty.derivatives(self._residual(w))[0])

    def hvp(self, w: Array, v: Array) -> Array:
        """Hessian at `w` times `v`."""
        return self._mean_of_rows(self.penalty.derivatives(self._residual(w))[1] * self._along_rows(v))

    def take(self, tasks: TaskIndex) -> Self:
        """Losses of the tasks in `tasks`."""
        return replace(self, design=self.design[tasks], target=self.target[tasks])

    def linearize(self, w: Array) -> tuple[Array, Callable[[Array], Array]]:
        """Gradient and Hessian at `w`, from the same residuals."""
        slope, curvature = self.penalty.derivatives(self._residual(w))
        return self._mean_of_rows(slope), lambda v: self._mean_of_rows(curvature * self._along_rows(v))

    def _residual(self, w: Array) -> Array:
        return np.asarray(self._along_rows(w) - self.target)

    def _along_rows(self, v: Array) -> Array:
        """`⟨a_k, v⟩`: (..., n)."""
        return np.asarray((self.design @ v[..., None])[..., 0])

    def _mean_of_rows(self, weight: Array) -> Array:
        """`(1/n) Σ_k weight_k a_k`: (..., d)."""
        return np.asarray((weight[..., None, :] @ self.design)[..., 0, :] / self.design.shape[-2])


def linear_model_constants(train: LinearModel, test: LinearModel) -> tuple[Constants, float]:
    """Constants of the finite-sum case, and the bound on every gradient norm.

    With rows a_k of a set of n data, and unit vectors u, v:

    - the Hessian is `(1/n) Σ φ″(r_k) a_k a_kᵀ`, so `L ≤ sup|φ″| λ_max((1/n) Σ a_k a_kᵀ)`, attained where every
      residual has the largest |φ″|: possible when the rows are linearly independent;
    - it changes from w to `w + t u` by at most `sup|φ‴| t (1/n) Σ |⟨a_k, u⟩| ⟨a_k, v⟩²` in the direction v, so
      `ρ ≤ sup|φ‴| λ_max((1/n) Σ ‖a_k‖ a_k a_kᵀ)` (training sets only);
    - the gradient is `(1/n) Σ φ′(r_k) a_k`, so its norm is at most `g = sup|φ′| max_s ‖(1/n) Σ s_k a_k‖` over
      `s ∈ [−1, 1]ⁿ`; then `σ² ≤ E_i g_{T_i}²`, since a variance is at most the second moment;
    - the mismatch `∇l_S − ∇l_T` is such a sum over the rows of both sets, those of T with the minus sign: `b_i`;
    - no data noise, `σ_g = σ_H = 0`, and the losses are ≥ 0.
    """
    penalty = train.penalty
    test_norm = penalty.slope_sup * _largest_sum(_weighted_rows(test))
    train_norm = penalty.slope_sup * _largest_sum(_weighted_rows(train))
    both = np.concatenate([_weighted_rows(train), -_weighted_rows(test)], axis=1)
    mismatch = penalty.slope_sup * _largest_sum(both)
    constants = Constants(
        L=penalty.curvature_sup * max(float(_largest_eigenvalue(model, 0).max()) for model in (train, test)),
        rho=penalty.third_sup * float(_largest_eigenvalue(train, 1).max()),
        sigma=float(np.sqrt((test_norm**2).mean())),
        sigma_g=0.0,
        sigma_H=0.0,
        b=float(mismatch.mean()),
        b_sq=float((mismatch**2).mean()),
        lower_bound=0.0,
    )
    return constants, float(max(train_norm.max(), test_norm.max()))


def _weighted_rows(model: LinearModel) -> npt.NDArray[np.float64]:
    """Rows a_k/n, (tasks, n, d)."""
    return np.asarray(model.design / model.design.shape[-2])


def _largest_eigenvalue(model: LinearModel, power: int) -> npt.NDArray[np.float64]:
    """`λ_max((1/n) Σ ‖a_k‖^power a_k a_kᵀ)`, (tasks,)."""
    weight = np.linalg.norm(model.design, axis=-1) ** power / model.design.shape[-2]
    scaled = model.design * np.sqrt(weight)[..., None]
    return np.asarray(np.linalg.norm(scaled, ord=2, axis=(-2, -1)) ** 2)


def _largest_sum(rows: npt.NDArray[np.float64], enumerate_up_to: int = 12) -> npt.NDArray[np.float64]:
    """`max_s ‖Σ s_k rows_k‖` over `s ∈ [−1, 1]ⁿ` for each of (tasks, n, d): (tasks,).

    A convex function of s is largest at a corner, so a few rows are enumerated (up to a common sign); for more rows
    the spectral norm times `‖s‖ ≤ √n` bounds it.
    """
    n = rows.shape[1]
    if n > enumerate_up_to:
        return np.asarray(np.linalg.norm(rows, ord=2, axis=(-2, -1)) * np.sqrt(n))
    signs = np.array([(1, *rest) for rest in product((-1, 1), repeat=n - 1)], dtype=np.float64)
    return np.asarray(np.linalg.norm(signs @ rows, axis=-1).max(axis=-1))
