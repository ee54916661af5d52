"""MAML with the library learn2learn, where it can be installed.

Examine it with

    python -m verify implementation examples/implementations/with_learn2learn.py:meta_gradient
    python -m verify implementation examples/implementations/with_learn2learn.py:first_order
"""

import torch
from learn2learn.algorithms import MAML


class Model(torch.nn.Module):
    """A model whose only parameter is the point `w`, and whose output is that point."""

    def __init__(self, w):
        super().__init__()
        self.w = torch.nn.Parameter(w.detach().clone())

    def forward(self):
        """Return the parameter."""
        return self.w


def meta_gradient(tasks, w: torch.Tensor, alpha, N, **options):
    """Clone, adapt, backward."""
    maml = MAML(Model(w), lr=alpha, **options)
    for task in tasks:
        learner = maml.clone()
        for _ in range(N):
            learner.adapt(task.train(learner()))
        (task.test(learner()) / len(tasks)).backward()
    return maml.module.w.grad


def first_order(tasks, w: torch.Tensor, alpha, N):
    """Ask the library for first-order MAML."""
    return meta_gradient(tasks, w, alpha, N, first_order=True)
