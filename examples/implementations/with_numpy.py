"""MAML in NumPy, with the gradient and the Hessian-vector product of each loss.

Examine it with

    python -m verify implementation examples/implementations/with_numpy.py:meta_gradient
"""

import numpy as np


def meta_gradient(tasks, w: np.ndarray, alpha, N):
    """Forward along the inner path, then back through it: the last step's Hessian comes first."""
    total = np.zeros_like(w)
    for task in tasks:
        path = [w]
        for _ in range(N):
            path.append(path[-1] - alpha * task.train.gradient(path[-1]))
        v = task.test.gradient(path.pop())
        for point in reversed(path):
            v = v - alpha * task.train.hvp(point, v)
        total += v
    return total / len(tasks)
