"""MAML in plain PyTorch, right and wrong.

Examine it with

    python -m verify implementation examples/implementations/with_pytorch.py:meta_gradient
    python -m verify implementation examples/implementations/with_pytorch.py:without_create_graph
"""

import torch


def meta_gradient(tasks, w: torch.Tensor, alpha, N):
    """Differentiate through the inner steps, which `create_graph=True` keeps in the graph."""
    loss = 0
    for task in tasks:
        adapted = w
        for _ in range(N):
            (gradient,) = torch.autograd.grad(task.train(adapted), adapted, create_graph=True)
            adapted = adapted - alpha * gradient
        loss = loss + task.test(adapted) / len(tasks)
    return torch.autograd.grad(loss, w)[0]


def without_create_graph(tasks, w: torch.Tensor, alpha, N):
    """Forget `create_graph=True`: PyTorch takes the inner gradients for constants and does not complain."""
    loss = 0
    for task in tasks:
        adapted = w
        for _ in range(N):
            (gradient,) = torch.autograd.grad(task.train(adapted), adapted)
            adapted = adapted - alpha * gradient
        loss = loss + task.test(adapted) / len(tasks)
    return torch.autograd.grad(loss, w)[0]
