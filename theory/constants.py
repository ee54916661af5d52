"""The constants of the assumptions, and the schedule of a run."""

from __future__ import annotations

import math
from dataclasses import dataclass, fields
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from theory.validation import integer, real

Real: TypeAlias = float | npt.NDArray[np.float64]
"""A number, or an array of numbers where a sweep wants one."""


@dataclass(frozen=True, kw_only=True)
class Constants:
    """Constants of Assumptions 1–4 of Ji, Yang, Liang (2022), valid for every task and every point.

    A constant that is left out is infinite: the assumption is not made, and a bound that needs it is infinite too.
    Resampling problems have `b = b_sq = 0` (inner and outer loss agree); finite-sum problems have
    `sigma_g = sigma_H = 0` (each step uses the whole data set).

    Attributes
    ----------
    L : smoothness of each task loss (and of the training and test losses), positive and finite.
    rho : Lipschitz constant ρ of the Hessian of each inner loss, spectral norm.
    sigma : task spread σ, `E_i ‖∇l_i − ∇l‖² ≤ σ²` (finite-sum: of the test losses).
    sigma_g : gradient noise σ_g of one datum, root mean square.
    sigma_H : Hessian noise σ_H of one datum, root mean square of the spectral norm.
    b : mean over tasks of the train/test mismatch `b_i ≥ ‖∇l_{S_i} − ∇l_{T_i}‖`.
    b_sq : mean over tasks of `b_i²` (the paper's b̃).
    lower_bound : a lower bound of the meta objective; −inf where none is known.

    Raises
    ------
    ValueError : a constant is negative or NaN, `L` is zero or infinite, or `b² > b_sq`.
    """

    L: float
    rho: float = math.inf
    sigma: float = math.inf
    sigma_g: float = math.inf
    sigma_H: float = math.inf
    b: float = math.inf
    b_sq: float = math.inf
    lower_bound: float = -math.inf

    def __post_init__(self) -> None:
        real("L", self.L, open_low=True)
        for name in ("rho", "sigma", "sigma_g", "sigma_H", "b", "b_sq"):
            real(name, getattr(self, name), infinite=True)
        if math.isnan(self.lower_bound) or self.lower_bound == math.inf:
            raise ValueError(f"lower_bound = {self.lower_bound} is not allowed: lower_bound must be a number < inf")
        if self.b * self.b > self.b_sq * (1 + 1e-12):
            raise ValueError(f"b_sq = {self.b_sq:g} is not allowed: b_sq must be >= b² = {self.b * self.b:g} (Jensen)")


@dataclass(frozen=True, kw_only=True)
class Schedule:
    """Everything a run of MAML chooses. Each field is a number, or an array where a sweep wants one (they broadcast).

    Attributes
    ----------
    N : inner steps (integer ≥ 0).
    alpha : inner stepsize α ≥ 0.
    C_beta : the meta stepsize is `1 / (C_β L̂)`; positive.
    B : tasks per meta step.
    S, D, T : data per inner gradient, per Hessian and per outer gradient, per task and step.
    B_prime, D_L : tasks, and data per task, that estimate the meta stepsize.
    K : meta steps.
    Delta : `Δ = L(w_0) − L*`, the initial gap of the meta objective; infinite where unknown.

    Raises
    ------
    ValueError : a count is not an integer in its range, or a stepsize is negative, NaN or infinite.
    """

    N: Real
    alpha: Real
    C_beta: Real = 100.0
    B: Real = 1
    S: Real = 1
    D: Real = 1
    T: Real = 1
    B_prime: Real = 1
    D_L: Real = 1
    K: Real = 1
    Delta: Real = math.inf

    def __post_init__(self) -> None:
        integer("N", self.N, low=0)
        real("alpha", self.alpha)
        real("C_beta", self.C_beta, open_low=True)
        for name in ("B", "S", "D", "T", "B_prime", "D_L", "K"):
            integer(name, getattr(self, name), low=1)
        real("Delta", self.Delta, infinite=True)
        for field in fields(self):
            if type(given := getattr(self, field.name)) is not float:
                value = np.asarray(given, dtype=np.float64)
                object.__setattr__(self, field.name, float(value) if value.ndim == 0 else value)
