"""The array library of an array: formulas of losses are written once and serve NumPy, PyTorch and JAX."""

from __future__ import annotations

from typing import Any

import numpy as np


def namespace(x: Any) -> Any:
    """Return the functions of the Python array API that belong to `x`: for a NumPy array, NumPy itself.

    Raises ModuleNotFoundError where `x` is of another library and array-api-compat is not installed, and TypeError
    where `x` is no array.

    >>> namespace(np.zeros(2)) is np
    True
    """
    if isinstance(x, np.ndarray | np.generic):
        return np
    from array_api_compat import array_namespace

    return array_namespace(x)
