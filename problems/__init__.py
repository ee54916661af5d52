"""Problems: families of tasks with the constants of the assumptions.

Bring your own with `from_functions`, from plain functions of one point; it needs no base class and no vectorisation.

A problem that belongs to the suite is one file of this package: it builds a `Problem` and registers it::

    @register("my-problem", case="resampling")
    def my_problem() -> Problem:
        ...

and nothing else lists it: `families()` finds it by looking, `family(name)` builds it. The docstring of each proves its
constants. All are own: the paper has no instances.
"""

from problems.noise import DataNoise, FiniteNoise
from problems.probes import gaussian_probes
from problems.problem import Case, Problem
from problems.registry import Family, families, family, register
from problems.user.function_tasks import Task
from problems.user.functions import from_functions, uniform_probes

__all__ = [
    "Case",
    "DataNoise",
    "Family",
    "FiniteNoise",
    "Problem",
    "Task",
    "families",
    "family",
    "from_functions",
    "gaussian_probes",
    "register",
    "uniform_probes",
]
