"""Problems are found by looking: each module of this package registers the factories that it defines."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache, cached_property, wraps
from pathlib import Path
from typing import Literal, ParamSpec, TypeAlias

from problems.problem import Case, Problem
from theory.validation import Float64Error, suggestion

Arguments = ParamSpec("Arguments")
Role: TypeAlias = Literal["ordinary", "sharp"]
FOLDER = Path(__file__).parent
"""Where problems are looked for: beside this file, whatever else is called `problems`."""


@dataclass(frozen=True)
class Family:
    """A registered problem: its name, its case, one line about it, and how to build it.

    An instance that is sharp only for one schedule is built around `(N, alpha_L)`, the inner steps and the
    dimensionless stepsize αL (the problem chooses its own L); the others ignore both.
    `role` is "ordinary" (general claims run on it by default) or "sharp" (only claims that name it, or the user, do).
    """

    name: str
    case: Case
    summary: str
    role: Role
    factory: Callable[..., Problem]

    def build(self, N: int, alpha_L: float, **free: float) -> Problem:
        """Build the problem for `N` inner steps of stepsize `α = alpha_L / L`, with `free` parameters of its own.

        Raises Float64Error where an instance of so many steps needs numbers beyond float64, as `q^N` may be.
        """
        if not self.scheduled:
            return self.factory(**free)
        try:
            return self.factory(N, alpha_L, **free)
        except (OverflowError, ZeroDivisionError) as error:
            raise Float64Error("its numbers are beyond the range") from error

    @cached_property
    def scheduled(self) -> bool:
        """Whether the problem is built around `(N, alpha_L)`."""
        return any(parameter.kind is not parameter.KEYWORD_ONLY for parameter in self._parameters)

    @cached_property
    def free(self) -> dict[str, float]:
        """Free parameters of the problem that are real numbers (keyword-only `float`s), and their defaults."""
        free = (p for p in self._parameters if p.kind is p.KEYWORD_ONLY and p.annotation is float)
        return {p.name: float(p.default) for p in free}

    @property
    def _parameters(self) -> list[inspect.Parameter]:
        return list(inspect.signature(self.factory, eval_str=True).parameters.values())


_FAMILIES: dict[str, Family] = {}


def register(
    name: str, *, case: Case, role: Role = "ordinary"
) -> Callable[[Callable[Arguments, Problem]], Callable[Arguments, Problem]]:
    """Register a factory of problems under `name`, which its problems get; its docstring's first line is the summary.

    The factory takes nothing, or `(N, alpha_L)`; keyword-only parameters beside these keep their defaults.
    A problem of another case than the registered one raises ValueError when it is built.
    """

    def decorate(factory: Callable[Arguments, Problem]) -> Callable[Arguments, Problem]:
        @wraps(factory)
        def named(*args: Arguments.args, **kwargs: Arguments.kwargs) -> Problem:
            problem = factory(*args, **kwargs)
            if problem.case != case:
                raise ValueError(f"problem {name} is registered as {case}, but it is built as {problem.case}")
            return replace(problem, name=name)

        summary = (inspect.getdoc(factory) or "").split("\n")[0]
        _FAMILIES[name] = Family(name, case, summary, role, named)
        return named

    return decorate


@cache
def families() -> dict[str, Family]:
    """All registered problems by name, sorted."""
    for module in pkgutil.iter_modules([str(FOLDER)]):
        importlib.import_module(f"problems.{module.name}")
    if not _FAMILIES:
        raise RuntimeError(f"no problem was found in {FOLDER}: the installation is incomplete")
    return dict(sorted(_FAMILIES.items()))


def family(name: str) -> Family:
    """Return the problem registered as `name`; raises ValueError with the nearest name where there is none."""
    known = families()
    if name not in known:
        hint = suggestion(name, known)
        raise ValueError(f"problem = {name!r} is unknown{hint} (see `python -m verify list --problems`)")
    return known[name]
