"""The meta-gradient of rotated cosines, with the whole inner path kept in rotated coordinates.

There every Hessian is diagonal and the factors `I − αH_j` commute, so their product is taken along the way: no point of
the path is stored. With angles in the unit υ of the tangent's kernel, `y_k = (ω_k x + φ_k)/υ`, and `t_k = tan(υy_k/2)`,
a step of the path is

    y_k += (ω_k/ω_0) Σ_l u_l t_l, I − αH = υ [(1 − α Σ_l a_l ω_l²)/υ + Σ_l (ω_l/ω_0) u_l],
    u_l = 2α a_l ω_l ω_0/(υ (1 + t_l²)),

coordinate by coordinate. The factors are kept without their υ, which joins the product every so many steps.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from functools import lru_cache
from itertools import product

import numpy as np
import numpy.typing as npt

from problems.losses import half_angle
from problems.losses.blocks import equal_blocks
from problems.losses.half_angle import BLOCK, ONE, POLES, Kernel, fractions
from problems.losses.workspace import aligned, workspace
from theory.loss import Array

SMALLEST_ALPHA = 1e-100
"""Below it, increments proportional to α might underflow."""

FACTORS = 64
"""Their product is at most so many powers of υ ≤ 2π away from its value, 10⁻⁵¹ times."""


@dataclass(frozen=True, eq=False)
class Terms:
    """The terms of rotated cosines as a path needs them; `terms` K, coordinates d, tasks B.

    Attributes
    ----------
    kernel : of the tangent; its unit is υ.
    stretched : (K d, d) takes w to `ω_k x/υ`.
    phase : (K, d, 1, B), or (K, d, R, B) where every replica has tasks of its own: `φ_k/υ`.
    weight : (K, d, 1) `2a_k ω_k ω_0/υ`.
    ratio : (K − 1, d, 1) `ω_k/ω_0`, k ≥ 1.
    curvature : (d, 1) `Σ_k a_k ω_k²`.
    back : (d, d) takes α times slopes in υ back to w.
    """

    kernel: Kernel
    stretched: Array
    phase: Array
    weight: Array
    ratio: Array
    curvature: Array
    back: Array


def terms_of(rotation: Array, frequency: Array, amplitude: Array, phase: Array) -> Terms:
    """`Terms` of the fields of a `RotatedCosine` with common amplitudes and `frequency[0] ≠ 0`."""
    K, d = frequency.shape
    by_term = np.moveaxis(phase, (-2, -1), (0, 1)).reshape(K, d, -1, phase.shape[-3])
    kernel = half_angle.KERNEL
    unit = kernel.unit
    return Terms(
        kernel=kernel,
        stretched=(frequency[:, :, None] * rotation.T).reshape(K * d, d) / unit,
        phase=np.ascontiguousarray(by_term / unit),
        weight=(2 * amplitude * frequency * frequency[0] / unit)[..., None],
        ratio=(frequency[1:] / frequency[0])[..., None],
        curvature=(amplitude * frequency**2).sum(axis=0)[:, None],
        back=(-unit * rotation / frequency[0]).T,
    )


def rotated_meta_gradient(terms: Terms, points: Array, alpha: float, N: int) -> npt.NDArray[np.float64]:
    """Meta-gradients at `points` (R, d) for the B tasks: (R, B, d); `alpha > SMALLEST_ALPHA`."""
    shared = terms.phase.shape[2] == 1  # Tasks of the replicas' own are used once.
    R = len(points)
    path = _kept_path(terms, alpha, N, R, threading.get_ident()) if shared else _Path(terms, alpha, N, R)
    return path.meta_gradient(points)


class _Path:
    """Constants and work arrays of N steps from R points, for one thread."""

    def __init__(self, terms: Terms, alpha: float, N: int, R: int) -> None:
        self.terms, self.N, (K, d, phase_rows, B) = terms, N, terms.phase.shape
        task_blocks = equal_blocks(B, BLOCK // (K * d))
        point_blocks = equal_blocks(R, BLOCK // (K * d * max(1, task_blocks[0].stop)))
        rows, columns = point_blocks[0].stop, task_blocks[0].stop
        self.blocks = [
            (at, tasks, terms.phase[:, :, at if phase_rows > 1 else slice(1), tasks])
            for tasks, at in product(task_blocks, point_blocks)
        ]
        shape = (d, rows * columns)
        self.weight, self.ratio, self.constant = aligned((K, *shape), (K - 1, *shape), shape)
        self.weight[...] = alpha * terms.weight
        self.ratio[...] = terms.ratio
        unit, drift = terms.kernel.unit, terms.kernel.drift
        self.constant[...] = (1 - alpha * terms.curvature) / unit
        self.back = terms.back * (unit ** (N % FACTORS) / alpha)
        y, t, u, each, factors = workspace(*3 * [(K, *shape)], (len(POLES), K * d * rows * columns), shape)
        self.start = y.reshape(K, d, rows, columns)
        self.work, self.flat = (y, t, u, factors), (y.reshape(-1), t.reshape(-1), u.reshape(-1), fractions(each))
        self.result_shape = (R, B, d)
        longest = 0.5 * np.abs(alpha * terms.weight).sum(axis=0).max() * np.abs(terms.ratio).max(initial=1.0)
        self.steps_in_range = N + 1 if longest * N <= drift else 1 + int(drift / longest)

    def meta_gradient(self, points: Array) -> npt.NDArray[np.float64]:
        """Meta-gradients at `points` (R, d): (R, B, d)."""
        result = np.empty(self.result_shape)
        K, d, rows, _ = self.start.shape
        for at, tasks, phase in self.blocks:
            np.add((self.terms.stretched @ points[at].T).reshape(K, d, rows, 1), phase, self.start)
            slopes = self._descend()
            np.matmul(slopes.T, self.back, out=result[at, tasks].reshape(-1, d))
        return result

    def _descend(self) -> Array:
        """Take the angles down the path: the last slopes times the product of the factors, (d, rows columns)."""
        kernel, (y, t, u, factors) = self.terms.kernel, self.work
        (t_0, *t_others), (u_0, *u_others) = t, u
        t_rest, u_rest = t[1:], u[1:]
        for step in range(self.N + 1):
            if step % self.steps_in_range == 0:
                kernel.reduced(y, y, t)
            kernel.tangent(*self.flat)
            np.square(t, u)
            np.add(u, ONE, u)
            np.divide(self.weight, u, u)
            np.multiply(t, u, t)
            for other in t_others:
                np.add(t_0, other, t_0)
            if step == self.N:
                break
            if t_others:
                np.multiply(self.ratio, t_0, t_rest)
                np.multiply(self.ratio, u_rest, u_rest)
            np.add(y, t, y)
            for other in u_others:
                np.add(u_0, other, u_0)
            if step == 0:
                np.add(u_0, self.constant, factors)
            else:
                np.add(u_0, self.constant, u_0)
                np.multiply(factors, u_0, factors)
            if (step + 1) % FACTORS == 0:
                np.multiply(factors, kernel.unit**FACTORS, factors)
        if self.N > 0:
            np.multiply(factors, t_0, t_0)
        return t_0


@lru_cache(maxsize=8)
def _kept_path(terms: Terms, alpha: float, N: int, R: int, thread: int) -> _Path:
    """The path of a thread, kept for its next call: at small sizes the constants cost a quarter of the steps."""
    return _Path(terms, alpha, N, R)
