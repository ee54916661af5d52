"""Find the problem that a user means: a registered name, `FILE.py:FACTORY` or `package.module:FACTORY`."""

from __future__ import annotations

import importlib
import importlib.util
import inspect
import logging
import multiprocessing
import sys
import traceback
import zlib
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from types import ModuleType
from typing import Any

from problems.problem import Problem
from problems.registry import family
from problems.user.memory import building
from theory.validation import one_line, suggestion


def load_problem(spec: str, N: int, alpha_L: float) -> Problem:
    """Return the problem that `spec` names, built for `N` inner steps of stepsize `α = alpha_L / L`.

    Parameters
    ----------
    spec : a registered name, or `FILE.py:FACTORY`, or `package.module:FACTORY`. The factory takes nothing, or
        `N` and `alpha_L` by these names. The directory of `FILE.py` is importable from it, the working directory from
        `package.module`, in every process that loads it.
    N, alpha_L : inner steps and dimensionless stepsize of the cell.

    Raises
    ------
    ValueError : one line, for an unknown name (with the nearest one), a missing file, module or factory, a file that
        cannot be imported, and a factory that raises, takes other arguments or returns no Problem.
    """
    if ":" not in spec:
        if spec.endswith(".py"):
            raise ValueError(f"problem = {spec!r} names no factory: write {spec}:FACTORY")
        return family(spec).build(N, alpha_L)
    place, _, name = spec.rpartition(":")
    version = 0
    if place.endswith(".py"):
        file = Path(place).expanduser().resolve()
        if not file.is_file():
            raise ValueError(f"problem = {spec!r}: there is no file {file}")
        place, version = str(file), file.stat().st_mtime_ns
    factory = _factory(spec, place, name, version)
    schedule = (N, alpha_L) if _takes_schedule(spec, factory) else ()
    problem = _guarded(spec, "failed", lambda: _build(factory, schedule, (place, version, name)))
    if not isinstance(problem, Problem):
        raise ValueError(f"problem = {spec!r}: the factory returned a {type(problem).__name__}, not a Problem")
    return problem


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


def _factory(spec: str, place: str, name: str, version: int) -> Callable[..., Problem]:
    module = _guarded(spec, "cannot be imported", lambda: _module(place, version))
    factory = getattr(module, name, None)
    if factory is None:
        hint = suggestion(name, (known for known, value in vars(module).items() if inspect.isfunction(value)))
        raise ValueError(f"problem = {spec!r}: {place} defines no {name or 'factory'}{hint}")
    if not callable(factory):
        raise ValueError(f"problem = {spec!r}: {name} is a {type(factory).__name__}, not a function")
    return factory  # type: ignore[no-any-return]


@lru_cache(maxsize=64)
def _module(place: str, version: int) -> ModuleType:
    if not place.endswith(".py"):
        _importable(Path.cwd())
        return importlib.import_module(place)
    file = Path(place)
    _importable(file.parent)
    # A name of its own: the user's file may be called like a module of the standard library.
    name = f"_problem_file_{file.stem}_{zlib.crc32(place.encode()):x}"
    found = importlib.util.spec_from_file_location(name, file)
    if found is None or found.loader is None:
        raise ImportError(f"{file} is no Python file")
    module = importlib.util.module_from_spec(found)
    sys.modules[name] = module  # dataclasses and pickling look their module up
    try:
        found.loader.exec_module(module)
    except BaseException:
        del sys.modules[name]
        raise
    return module


def _importable(directory: Path) -> None:
    """Let a user's file import its neighbours; at the end of the path, so that it shadows nothing."""
    if str(directory) not in sys.path:
        sys.path.append(str(directory))


@lru_cache(maxsize=64)
def _build(
    factory: Callable[..., Any], schedule: tuple[int, float] | tuple[()], place: tuple[str, int, str]
) -> Any:
    """Call the factory, once a process, however its file is spelled: estimated constants are dear."""
    arguments = dict(zip(("N", "alpha_L"), schedule, strict=False))
    logger = logging.getLogger("problems")
    muted = logger.disabled
    # A worker builds what its parent has built: the parent has shown the notices.
    logger.disabled = muted or multiprocessing.parent_process() is not None
    try:
        with building((*place, *schedule)):
            return factory(**arguments)
    finally:
        logger.disabled = muted


def _guarded(spec: str, what: str, action: Callable[[], Any]) -> Any:
    """Do what a user's code does; whatever it raises becomes one line that names the place."""
    try:
        return action()
    except (Exception, SystemExit) as error:
        line, text = _last_line(spec, error), one_line(error)
        if isinstance(error, SyntaxError):
            line, text = error.lineno, f"{type(error).__name__}: {error.msg}"
        where = f" (line {line})" if line else ""
        raise ValueError(f"problem = {spec!r} {what}: {text.removeprefix('ValueError: ')}{where}") from error


def _last_line(spec: str, error: BaseException) -> int | None:
    """Line of the user's own file where the error, or the one that caused it, was raised."""
    file = Path(spec.rpartition(":")[0]).name
    errors = [error, *filter(None, [error.__cause__])]
    frames = [f for e in errors for f in traceback.extract_tb(e.__traceback__) if Path(f.filename).name == file]
    return frames[-1].lineno if frames else None
