"""The meta-gradient of rotated cosines, with the whole inner path kept in rotated coordinates.

There every Hessian is diagonal and the factors `I − αH_j` commute, so their product is taken along the way: no point of
the path is stored. With half-angles `y_k = (ω_k x + φ_k)/2` and `t_k = tan y_k`, a step of the path is

    y_k += (ω_k/ω_0) Σ_l u_l t_l, I − αH = 2 [½ − ½α Σ_l a_l ω_l² + Σ_l (ω_l/ω_0) u_l], u_l = α a_l ω_l ω_0/(1 + t_l²),

coordinate by coordinate. The factors are kept halved, and `2^N` joins the last product.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product

import numpy as np
import numpy.typing as npt

from problems.losses.blocks import equal_blocks
from problems.losses.workspace import workspace
from theory.loss import Array

BLOCK = 40_000
"""Numbers in one work array: the handful of arrays that a step touches then stay in a second-level cache of 1 MB."""

LARGEST_N, SMALLEST_ALPHA = 512, 1e-200
"""Beyond these, halved factors or increments proportional to α might underflow."""


@dataclass(frozen=True)
class HalfAngles:
    """The terms of rotated cosines as a path needs them; `terms` K, coordinates d, tasks B.

    Attributes
    ----------
    angles : (K d, d) takes w to the half-angles `ω_k x/2`.
    phase : (K, d, 1, B), or (K, d, R, B) where every replica has tasks of its own: `φ_k/2`.
    weight : (K, d, 1) `a_k ω_k ω_0`.
    ratio : (K − 1, d, 1) `ω_k/ω_0`, k ≥ 1.
    curvature : (d, 1) `Σ_k a_k ω_k²`.
    back : (d, d) takes halved slopes in half-angles back to w.
    """

    angles: Array
    phase: Array
    weight: Array
    ratio: Array
    curvature: Array
    back: Array


def half_angles(rotation: Array, frequency: Array, amplitude: Array, phase: Array) -> HalfAngles:
    """`HalfAngles` of the fields of a `RotatedCosine` with common amplitudes and `frequency[0] ≠ 0`."""
    K, d = frequency.shape
    by_term = np.moveaxis(phase, (-2, -1), (0, 1)).reshape(K, d, -1, phase.shape[-3])
    return HalfAngles(
        angles=(0.5 * frequency[:, :, None] * rotation.T).reshape(K * d, d),
        phase=0.5 * np.ascontiguousarray(by_term),
        weight=(amplitude * frequency * frequency[0])[..., None],
        ratio=(frequency[1:] / frequency[0])[..., None],
        curvature=(amplitude * frequency**2).sum(axis=0)[:, None],
        back=(-2 * rotation / frequency[0]).T,
    )


def rotated_meta_gradient(terms: HalfAngles, points: Array, alpha: float, N: int) -> npt.NDArray[np.float64]:
    """Meta-gradients at `points` (R, d) for the B tasks: (R, B, d); `alpha > SMALLEST_ALPHA` and `N ≤ LARGEST_N`."""
    (K, d, phase_rows, B), R = terms.phase.shape, len(points)
    result = np.empty((R, B, d))
    task_blocks = equal_blocks(B, BLOCK // (K * d))
    point_blocks = equal_blocks(R, BLOCK // (K * d * max(1, task_blocks[0].stop)))
    rows, columns = point_blocks[0].stop, task_blocks[0].stop
    shape = (d, rows * columns)
    (y, t, u, weight), ratio, (constant, factors) = workspace((4, K, *shape), (K - 1, *shape), (2, *shape))
    np.multiply(terms.weight, alpha, out=weight)
    ratio[...] = terms.ratio
    constant[...] = 0.5 - 0.5 * alpha * terms.curvature
    y_0, (t_0, *t_others), (u_0, *u_others) = y[0], t, u
    y_rest, t_rest, u_rest = y[1:], t[1:], u[1:]
    back = terms.back * (2.0**N / alpha)
    for tasks, at in product(task_blocks, point_blocks):
        phase = terms.phase[:, :, at if phase_rows > 1 else slice(1), tasks]
        angles = (terms.angles @ points[at].T).reshape(K, d, rows, 1)
        np.add(angles, phase, out=y.reshape(K, d, rows, columns))
        factors.fill(1.0)
        for step in range(N + 1):
            np.tan(y, out=t)
            np.square(t, out=u)
            u += 1.0
            np.divide(weight, u, out=u)
            t *= u
            for other in t_others:
                t_0 += other
            if step == N:
                break
            y_0 += t_0
            np.multiply(ratio, t_0, out=t_rest)
            y_rest += t_rest
            u_rest *= ratio
            for other in u_others:
                u_0 += other
            u_0 += constant
            factors *= u_0
        factors *= t_0
        np.matmul(factors.T, back, out=result[at, tasks].reshape(-1, d))
    return result
