"""Numbers as arrays without axes, which a ufunc takes at half the cost of a Python number."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt


def scalars(*values: float) -> list[npt.NDArray[np.float64]]:
    """One array without axes for each of `values`."""
    return [np.array(value) for value in values]
