"""Problems: families of tasks with the constants of the assumptions.

Bring your own with `from_functions`, from plain functions of one point; it needs no base class and no vectorisation.
Bring your own model with `from_torch` or `from_jax`, from a loss, its parameters and the data of each task.

A problem that belongs to the suite is one file of this package: it makes a `Problem` of its losses and registers it::

    @register("my-problem", case="resampling")
    def my_problem() -> Problem:
        return resampling(loss, Constants(L=..., rho=...), probes=..., start=...)

and nothing else lists it: `families()` finds it by looking, `family(name)` builds it. The docstring of each proves its
constants. All are own: the paper has no instances.
"""

from problems.cases import finite_sum, resampling
from problems.noise import DataNoise, FiniteNoise
from problems.probes import gaussian_probes
from problems.problem import Problem
from problems.registry import families, family, register
from problems.user.functions import from_functions
from problems.user.jax_model import from_jax
from problems.user.tasks import Task
from problems.user.torch_model import from_torch

__all__ = [
    "DataNoise",
    "FiniteNoise",
    "Problem",
    "Task",
    "families",
    "family",
    "finite_sum",
    "from_functions",
    "from_jax",
    "from_torch",
    "gaussian_probes",
    "register",
    "resampling",
]
