"""The norm of the theory."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from theory.loss import Array


def norm(v: Array) -> npt.NDArray[np.float64]:
    """Euclidean norm over the last axis: (..., d) gives (...).

    The digits are those of `np.linalg.norm`, which copies `v` first; a long run asks for many norms of few numbers.
    """
    if v.shape[-1] == 1:
        return np.abs(v[..., 0])
    squares: npt.NDArray[np.float64] = np.add.reduce(v * v, axis=-1)
    return np.sqrt(squares)
