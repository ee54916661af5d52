"""Problems are found by looking: each module of this package registers the factories that it defines."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Literal, TypeAlias, TypeVar

import problems
from problems.problem import Case, Problem
from theory.validation import suggestion

Factory = TypeVar("Factory", bound=Callable[..., Problem])
Role: TypeAlias = Literal["ordinary", "sharp"]


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
        """Build the problem for `N` inner steps of stepsize `α = alpha_L / L`, with `free` parameters of its own."""
        parameters = inspect.signature(self.factory).parameters.values()
        if all(parameter.kind is parameter.KEYWORD_ONLY for parameter in parameters):
            return self.factory(**free)
        return self.factory(N, alpha_L, **free)

    @property
    def free(self) -> dict[str, float]:
        """Free parameters of the problem that are real numbers, and their defaults."""
        parameters = inspect.signature(self.factory).parameters.values()
        return {p.name: p.default for p in parameters if isinstance(p.default, float)}


_FAMILIES: dict[str, Family] = {}


def register(name: str, *, case: Case, role: Role = "ordinary") -> Callable[[Factory], Factory]:
    """Register a factory of problems under `name`; its docstring's first line becomes the summary.

    The factory takes nothing, or `(N, alpha_L)`; keyword-only parameters beside these keep their defaults.
    """

    def decorate(factory: Factory) -> Factory:
        summary = (inspect.getdoc(factory) or "").split("\n")[0]
        _FAMILIES[name] = Family(name, case, summary, role, factory)
        return factory

    return decorate


@cache
def families() -> dict[str, Family]:
    """All registered problems by name, sorted."""
    for module in pkgutil.iter_modules(problems.__path__):
        importlib.import_module(f"problems.{module.name}")
    return dict(sorted(_FAMILIES.items()))


def family(name: str) -> Family:
    """Return the problem registered as `name`; raises ValueError with the nearest name where there is none."""
    known = families()
    if name not in known:
        hint = suggestion(name, known)
        raise ValueError(f"problem = {name!r} is unknown{hint} (see `python -m verify list --problems`)")
    return known[name]
