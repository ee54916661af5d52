"""Problems: families of tasks with the constants of the assumptions.

Bring your own with `from_functions`, from plain functions of one point; it needs no base class and no vectorisation.

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
from problems.user.tasks import Task

__all__ = [
    "DataNoise",
    "FiniteNoise",
    "Problem",
    "Task",
    "families",
    "family",
    "finite_sum",
    "from_functions",
    "gaussian_probes",
    "register",
    "resampling",
]
