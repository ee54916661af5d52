"""MAML with the library TorchOpt (`python -m pip install torchopt`).

Examine it with

    python -m verify implementation examples/implementations/with_torchopt.py:meta_gradient
"""

import torch
import torchopt


class Model(torch.nn.Module):
    """A model whose only parameter is the point `w`, and whose output is that point."""

    def __init__(self, w):
        super().__init__()
        self.w = torch.nn.Parameter(w.detach().clone())

    def forward(self):
        """Return the parameter."""
        return self.w


def meta_gradient(tasks, w: torch.Tensor, alpha, N):
    """Adapt the model in place with a differentiable optimiser, and restore it for the next task."""
    model = Model(w)
    start = model.w
    inner = torchopt.MetaSGD(model, lr=alpha)
    before = [torchopt.extract_state_dict(part, by="reference") for part in (model, inner)]
    for task in tasks:
        for _ in range(N):
            inner.step(task.train(model()))
        (task.test(model()) / len(tasks)).backward()
        for part, state in zip((model, inner), before, strict=True):
            torchopt.recover_state_dict(part, state)
    return start.grad
