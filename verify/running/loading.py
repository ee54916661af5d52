"""Find the problem or the claims that a user means: a registered name, `FILE.py:NAME` or `package.module:NAME`."""

from __future__ import annotations

import inspect
import logging
import multiprocessing
from collections.abc import Callable
from dataclasses import replace
from functools import lru_cache
from typing import Any

from problems.drawn import read_drawn
from problems.problem import Problem
from problems.registry import family
from problems.user.memory import building
from theory.validation import suggestion
from verify.claim import Claim, claims, spelled
from verify.running.spec import Spec
from verify.running.user_code import guarded, load_function, load_module, place_of


def load_problem(spec: str, N: int, alpha_L: float) -> Problem:
    """Return the problem that `spec` names, built for `N` inner steps of stepsize `α = alpha_L / L`.

    Parameters
    ----------
    spec : a registered name, `FILE.py:FACTORY`, `package.module:FACTORY`, or `FILE.json`, the losses that a search
        found. The factory takes nothing, or `N` and `alpha_L` by these names. The directory of `FILE.py` is importable
        from it, the working directory from `package.module`, in every process that loads it.
    N, alpha_L : inner steps and dimensionless stepsize of the cell.

    Raises
    ------
    ValueError : one line, for an unknown name (with the nearest one), a missing file, module or factory, a file that
        cannot be imported, and a factory that raises, takes other arguments or returns no Problem.
    """
    named = Spec.parse(spec)
    if not named.place:
        ignored = not family(named.name).scheduled  # then one problem serves all cells
        return _registered(named.name, *(0, 0.0) if ignored else (N, alpha_L))
    if named.file is not None and named.is_drawn:
        try:
            return replace(read_drawn(named.file).problem(), name=named.shown)
        except ValueError as error:
            raise ValueError(f"problem = {spec!r}: {error}") from error
    factory = load_function("problem", spec, kind="factory")
    schedule = (N, alpha_L) if _takes_schedule(spec, factory) else ()
    problem = guarded(f"problem = {spec!r} failed", named.place, lambda: _build(factory, schedule, named.full))
    if not isinstance(problem, Problem):
        raise ValueError(f"problem = {spec!r}: the factory returned a {type(problem).__name__}, not a Problem")
    return problem


def is_scheduled(spec: str) -> bool:
    """Whether a user's problem is built anew for each `N` and `alpha_L`; False also where it cannot be built."""
    try:
        return _takes_schedule(spec, load_function("problem", spec, kind="factory"))
    except ValueError:
        return False


def load_claims(spec: str) -> list[Claim]:
    """Return the claims that a user's file or module makes, or the one of the name or the variable that `spec` gives.

    Raises
    ------
    ValueError : one line, for a missing file or module, one that cannot be imported, one that makes no claim, and a
        name that none of its claims has.
    """
    named = Spec.parse(spec)
    claims()  # the suite's own come first
    module = load_module("claim", spec)
    made = [claim for claim in claims().values() if claim.module == module.__name__]
    if not made:
        raise ValueError(f"claim = {spec!r}: {named.place} makes no claim: write verify.bound(…) or @claim(…) there")
    variable = vars(module).get(named.name)
    chosen = [each for each in made if each is variable or spelled(each.name) == spelled(named.name)]
    if named.name and not chosen:
        hint = suggestion(named.name, [each.name for each in made])
        raise ValueError(f"claim = {spec!r}: {named.place} makes no claim {named.name!r}{hint}")
    return chosen if named.name else made


def claim_spec(claim: Claim) -> str:
    """What loads a claim of a user in any process, by `load_claims`; "" for the suite's own."""
    place = place_of(claim.module)
    return f"{place}:" if place else ""


@lru_cache(maxsize=256)
def _registered(name: str, N: int, alpha_L: float) -> Problem:
    """Build once a process, whatever the schedule of a problem that ignores it."""
    return family(name).build(N, alpha_L)


def _takes_schedule(spec: str, factory: Callable[..., Problem]) -> bool:
    """Whether the factory takes `N` and `alpha_L`; raises ValueError where it needs anything else."""
    try:
        parameters = inspect.signature(factory).parameters
    except (TypeError, ValueError):  # a builtin without a signature
        return False
    if {"N", "alpha_L"} <= parameters.keys():
        return True
    if any(p.default is p.empty and p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD) for p in parameters.values()):
        raise ValueError(f"problem = {spec!r}: the factory must take no arguments, or N and alpha_L")
    return False


@lru_cache(maxsize=64)
def _build(factory: Callable[..., Any], schedule: tuple[int, float] | tuple[()], place: str) -> Any:
    """Call the factory, once a process, however its file is spelled: constants take long to estimate."""
    arguments = dict(zip(("N", "alpha_L"), schedule, strict=False))
    logger = logging.getLogger("problems")
    muted = logger.disabled
    # A worker builds what its parent has built: the parent has shown the notices.
    logger.disabled = muted or multiprocessing.parent_process() is not None
    try:
        with building((place, *schedule)):
            return factory(**arguments)
    finally:
        logger.disabled = muted
