"""Constants of linear models under a penalty, from the data and the suprema of the penalty's derivatives."""

from __future__ import annotations

from itertools import product

import numpy as np
import numpy.typing as npt

from problems.losses.linear_model import LinearModel
from theory.constants import Constants


def linear_model_constants(train: LinearModel, test: LinearModel) -> tuple[Constants, float]:
    """Constants of the finite-sum case, and the bound on every gradient norm.

    With rows a_k of a set of n data, unit vectors u, v, and φ′ in `[m − h, m + h]`:

    - the Hessian is `(1/n) Σ φ″(r_k) a_k a_kᵀ`, so `L ≤ sup|φ″| λ_max((1/n) Σ a_k a_kᵀ)`, attained where every
      residual has the largest |φ″|: possible when the rows are linearly independent;
    - it changes from w to `w + t u` by at most `sup|φ‴| t (1/n) Σ |⟨a_k, u⟩| ⟨a_k, v⟩²` in the direction v, so
      `ρ ≤ sup|φ‴| λ_max((1/n) Σ ‖a_k‖ a_k a_kᵀ)` (training sets only);
    - the gradient is `m ā + (h/n) Σ s_k a_k`, ā the mean row and s in `[−1, 1]ⁿ`; the second term has norm at most
      `z = max_s ‖(h/n) Σ s_k a_k‖`, so the gradient at most `‖m ā‖ + z`. The variance over tasks is at most the second
      moment around `m E_i ā_i`: `σ² ≤ E_i (‖m (ā_i − E_i ā_i)‖ + z_i)²` over the test sets;
    - the mismatch is `m (ā_S − ā_T)` and such a sum over the rows of both sets: `b_i ≤ ‖m (ā_S − ā_T)‖ + z_{S∪T}`;
    - no data noise, `σ_g = σ_H = 0`, and the losses are ≥ 0.
    """
    penalty = train.penalty
    low, high = (penalty.c * end for end in penalty.slope_range)
    middle, half = (low + high) / 2, (high - low) / 2
    train_rows, test_rows = train.design / train.design.shape[-2], test.design / test.design.shape[-2]
    train_mean, test_mean = middle * train_rows.sum(axis=1), middle * test_rows.sum(axis=1)
    train_sum, test_sum = half * _largest_sum(train_rows), half * _largest_sum(test_rows)
    both_sum = half * _largest_sum(np.concatenate([train_rows, test_rows], axis=1))
    spread = np.linalg.norm(test_mean - test_mean.mean(axis=0), axis=1) + test_sum
    mismatch = np.linalg.norm(train_mean - test_mean, axis=1) + both_sum
    gradient_bounds = [np.linalg.norm(train_mean, axis=1) + train_sum, np.linalg.norm(test_mean, axis=1) + test_sum]
    constants = Constants(
        L=penalty.curvature_sup * max(float(_largest_eigenvalue(model, 0).max()) for model in (train, test)),
        rho=penalty.third_sup / penalty.c * float(_largest_eigenvalue(train, 1).max()),
        sigma=float(np.sqrt((spread**2).mean())),
        sigma_g=0.0,
        sigma_H=0.0,
        b=float(mismatch.mean()),
        b_sq=float((mismatch**2).mean()),
        lower_bound=0.0,
    )
    return constants, float(np.max(gradient_bounds))


def _largest_eigenvalue(model: LinearModel, power: int) -> npt.NDArray[np.float64]:
    """`λ_max((1/n) Σ ‖a_k‖^power a_k a_kᵀ)`, (tasks,)."""
    weight = np.linalg.norm(model.design, axis=-1) ** power / model.design.shape[-2]
    scaled = model.design * np.sqrt(weight)[..., None]
    return np.linalg.norm(scaled, ord=2, axis=(-2, -1)) ** 2


def _largest_sum(rows: npt.NDArray[np.float64], enumerate_up_to: int = 12) -> npt.NDArray[np.float64]:
    """`max_s ‖Σ s_k x_k‖` over `s ∈ [−1, 1]ⁿ` for rows x of (tasks, n, d), or a bound of it: (tasks,).

    A convex function of s is largest at a corner, so a few rows are enumerated (up to a common sign). For more rows,
    `⟨Σ s_k x_k, u⟩ ≤ Σ |⟨x_k, u⟩| ≤ √(Σ ⟨x_k, u⟩²/‖x_k‖ · Σ ‖x_k‖)` for every unit u (Cauchy–Schwarz).
    """
    n = rows.shape[1]
    if n > enumerate_up_to:
        norm = np.linalg.norm(rows, axis=-1)
        scaled = rows / np.sqrt(np.where(norm > 0, norm, 1))[..., None]
        return np.linalg.norm(scaled, ord=2, axis=(-2, -1)) * np.sqrt(norm.sum(axis=-1))
    signs = np.array([(1, *rest) for rest in product((-1, 1), repeat=n - 1)], dtype=np.float64)
    return np.linalg.norm(signs @ rows, axis=-1).max(axis=-1)
