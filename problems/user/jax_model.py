"""Bring your own model: a loss of JAX parameters, differentiated by JAX."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy.typing as npt

from problems.problem import Problem
from problems.user.models import Options, problem_of, required
from theory.constants import Constants


def from_jax(
    loss: Callable[[Any, Any], Any],
    parameters: Any,
    tasks: Iterable[Any],
    *,
    constants: Constants | Mapping[str, float] | None = None,
    name: str = "jax model",
    region: float | tuple[npt.ArrayLike, npt.ArrayLike] = 1.0,
    train_size: int | None = None,
    test_size: int | None = None,
) -> Problem:
    """Make a problem of a JAX loss and the data of each task; the parameters become one float64 vector (d,).

    Parameters
    ----------
    loss : `loss(parameters, data)`, a scalar, smooth in the parameters. It is called under `jax.jit` and `jax.vmap`,
        for many parameters and tasks at once.
    parameters : a tree of float64 arrays, where the algorithms start. JAX computes in single precision unless told
        otherwise before its first array: `jax.config.update("jax_enable_x64", True)`.
    tasks, constants, name, region, train_size, test_size : as for `from_torch`.

    Raises
    ------
    ValueError : one line, where JAX is not installed or computes in single precision, and as `from_torch`.

    Examples
    --------
    A linear model, and tasks of ten points each to adapt to and to be judged on::

        jax.config.update("jax_enable_x64", True)

        def loss(w, data):
            x, y = data
            return ((x @ w["weight"] + w["bias"] - y) ** 2).mean()

        w = {"weight": jnp.zeros(3), "bias": jnp.zeros(())}
        problem = problems.from_jax(loss, w, [((x, y), (x_test, y_test)), ...])
    """
    required("jax", "from_jax")
    from problems.user.jax_loss import Jax, JaxLoss, read_parameters

    start, rebuild = read_parameters(parameters)
    options = Options(constants=constants, name=name, region=region, train_size=train_size, test_size=test_size)
    return problem_of(JaxLoss(loss, rebuild), Jax(), start, tasks, options)
