"""MAML with `torch.func`.

Examine it with

    python -m verify implementation examples/implementations/with_torch_func.py:meta_gradient
"""

import torch
from torch.func import grad


def meta_gradient(tasks, w: torch.Tensor, alpha, N):
    """Differentiate a function that differentiates."""

    def objective(w):
        return sum(adapted_loss(task, w) for task in tasks) / len(tasks)

    def adapted_loss(task, w):
        for _ in range(N):
            w = w - alpha * grad(task.train)(w)
        return task.test(w)

    return grad(objective)(w)
