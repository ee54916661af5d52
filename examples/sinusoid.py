"""Sinusoid regression, the standard first example of MAML, with a small tanh network: the finite-sum case, in PyTorch.

Run it with

    python -m verify run --problem examples/sinusoid.py:sinusoid --profile quick
    python -m verify advise examples/sinusoid.py:sinusoid -N 1,5,10 --alpha 0.01

A task is a wave `y = A sin(x + φ)` with A in [0.1, 5] and φ in [0, π], seen at ten points x in [−5, 5] to adapt to,
and at ten more to be judged on (Finn, Abbeel, Levine, 2017, Section 5.1). The network is theirs with tanh in place of
ReLU, whose kinks the theory does not allow, and with one layer of 13 units in place of two of 40. No constant of it is
known: all are estimated on the ball of radius 1 around the start, and where runs come from there.
"""

import math

import torch

import problems

HIDDEN, TASKS, SHOTS = 13, 8, 10


def loss(model, data):
    """Mean squared error on one data set."""
    x, y = data
    return ((model(x) - y) ** 2).mean()


def task(generator):
    """Training and test data of one wave."""
    amplitude = 0.1 + 4.9 * torch.rand((), generator=generator)
    phase = math.pi * torch.rand((), generator=generator)

    def data():
        x = 10 * torch.rand((SHOTS, 1), generator=generator) - 5
        return x, amplitude * torch.sin(x + phase)

    return data(), data()


def sinusoid():
    """Eight waves, and a network of 40 parameters."""
    generator = torch.Generator().manual_seed(0)
    model = torch.nn.Sequential(torch.nn.Linear(1, HIDDEN), torch.nn.Tanh(), torch.nn.Linear(HIDDEN, 1)).double()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.normal_(0, 0.5, generator=generator)
    return problems.from_torch(loss, model, [task(generator) for _ in range(TASKS)], name="sinusoid")
