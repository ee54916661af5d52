"""MAML with the library higher (`python -m pip install higher`).

Examine it with

    python -m verify implementation examples/implementations/with_higher.py:meta_gradient
"""

import higher
import torch


class Model(torch.nn.Module):
    """A model whose only parameter is the point `w`, and whose output is that point."""

    def __init__(self, w):
        super().__init__()
        self.w = torch.nn.Parameter(w.detach().clone())

    def forward(self):
        """Return the parameter."""
        return self.w


def meta_gradient(tasks, w: torch.Tensor, alpha, N):
    """Unroll a differentiable optimiser. By default, higher copies the weights, and then no gradient reaches `w`."""
    model = Model(w)
    inner = torch.optim.SGD(model.parameters(), lr=alpha)
    for task in tasks:
        with higher.innerloop_ctx(model, inner, copy_initial_weights=False) as (adapted, optimiser):
            for _ in range(N):
                optimiser.step(task.train(adapted()))
            (task.test(adapted()) / len(tasks)).backward()
    return model.w.grad
