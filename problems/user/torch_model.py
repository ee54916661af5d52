"""Bring your own model: a loss of PyTorch parameters or of a module, differentiated by PyTorch."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy.typing as npt

from problems.problem import Problem
from problems.user.models import Options, problem_of, required
from theory.constants import Constants

logger = logging.getLogger("problems")


def from_torch(
    loss: Callable[[Any, Any], Any],
    parameters: Any,
    tasks: Iterable[Any],
    *,
    constants: Constants | Mapping[str, float] | None = None,
    name: str = "torch model",
    region: float | tuple[npt.ArrayLike, npt.ArrayLike] = 1.0,
    train_size: int | None = None,
    test_size: int | None = None,
) -> Problem:
    """Make a problem of a PyTorch loss and the data of each task; the parameters become one float64 vector (d,).

    Parameters
    ----------
    loss : `loss(parameters, data)`, a scalar tensor, smooth in the parameters. It is called under `torch.func.vmap`,
        for many parameters and tasks at once: no `.item()`, no branches on values, no random numbers. Where
        `parameters` is a module, the first argument is that module as a function, with the parameters of the moment.
    parameters : a tensor, a tree of them (tuples, lists, mappings), or a `torch.nn.Module`, whose trainable parameters
        count. The algorithms start at their values. Single precision is cast to float64, with a notice.
    tasks : of each task the data, an array or a tree of arrays, which reach `loss` as tensors (resampling, without data
        noise); or training and test data (finite-sum): a pair of trees `(train, test)`, or a mapping with these keys.
        So `(x, y)`, a pair of arrays, is data. Tasks of equal shapes are evaluated together.
    constants : as for `from_functions`; what is left out is estimated by Hessian-vector products.
    name : shown in notices, and in records where the problem is not named by a file and a factory.
    region : where the constants are to hold: the radius of a ball around the start, or the corners of a box around it.
    train_size, test_size : data points per training and test set; by default the leading axis of the largest array.

    Raises
    ------
    ValueError : one line, where PyTorch is not installed, where parameters or tasks are none, where the loss cannot be
        evaluated in batches, is not a float64 scalar, not finite, random or has kinks, and as `from_functions`.

    Examples
    --------
    A module, and tasks of ten points each to adapt to and to be judged on::

        def loss(model, data):
            x, y = data
            return ((model(x) - y) ** 2).mean()

        model = torch.nn.Sequential(torch.nn.Linear(1, 13), torch.nn.Tanh(), torch.nn.Linear(13, 1))
        problem = problems.from_torch(loss, model, [((x, y), (x_test, y_test)), ...])
    """
    required("torch", "from_torch")
    from problems.user.torch_loss import Torch, TorchLoss, read_parameters

    start, rebuild, cast = read_parameters(parameters)
    if cast:
        logger.warning(f"{name}: single-precision parameters are cast to float64, in which bounds are checked")
    options = Options(constants=constants, name=name, region=region, train_size=train_size, test_size=test_size)
    return problem_of(TorchLoss(loss, rebuild), Torch(), start, tasks, options)
