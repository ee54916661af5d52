"""Functions of a user, `FILE.py:NAME` or `package.module:NAME`; whatever their code raises becomes one line."""

from __future__ import annotations

import importlib
import importlib.util
import inspect
import sys
import traceback
import zlib
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from types import ModuleType
from typing import Any

from theory.validation import one_line, suggestion
from verify.running.spec import Spec


def load_function(field: str, spec: str, kind: str = "function") -> Callable[..., Any]:
    """Return the function that `spec` names: `FILE.py:NAME` or `package.module:NAME`.

    The directory of `FILE.py` is importable from it, the working directory from `package.module`.

    Parameters
    ----------
    field : what the user calls `spec`, for error lines.
    kind : what the function is for, for error lines.

    Raises
    ------
    ValueError : one line, where there is no such file, module or function, or the file cannot be imported.
    """
    named = Spec.parse(spec)
    place, name = named.place, named.name
    if not (place and name):
        example = spec.removesuffix(":") if place else "FILE.py"
        raise ValueError(f"{field} = {spec!r} names no {kind}: write {example}:{kind.upper()}")
    version = 0
    if named.file is not None:
        if not named.file.is_file():
            raise ValueError(f"{field} = {spec!r}: there is no file {named.file}")
        version = named.file.stat().st_mtime_ns
    module = guarded(f"{field} = {spec!r} cannot be imported", place, lambda: _module(place, version))
    function = getattr(module, name, None)
    if function is None:
        hint = suggestion(name, (known for known, value in vars(module).items() if inspect.isfunction(value)))
        raise ValueError(f"{field} = {spec!r}: {place} defines no {name}{hint}")
    if not callable(function):
        raise ValueError(f"{field} = {spec!r}: {name} is a {type(function).__name__}, not a function")
    return function


def guarded(what: str, place: str, action: Callable[[], Any]) -> Any:
    """Do what a user's code does; whatever it raises becomes one line: what went wrong, and where in the file `place`.

    Raises ValueError.
    """
    try:
        return action()
    except (Exception, SystemExit) as error:
        raise ValueError(f"{what}: {describe(error, place)}") from error


def describe(error: BaseException, place: str) -> str:
    """Return an error of a user's code in one line, with the line of the file `place` where it was raised."""
    line, text = _last_line(place, error), one_line(error)
    if isinstance(error, SyntaxError):
        line, text = error.lineno, f"{type(error).__name__}: {error.msg}"
    where = f" (line {line})" if line else ""
    return f"{text.removeprefix('ValueError: ')}{where}"


@lru_cache(maxsize=64)
def _module(place: str, version: int) -> ModuleType:
    if not place.endswith(".py"):
        _importable(Path.cwd())
        return importlib.import_module(place)
    file = Path(place)
    _importable(file.parent)
    # A name of its own: the user's file may be called like a module of the standard library.
    name = f"_user_file_{file.stem}_{zlib.crc32(place.encode()):x}"
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


def _last_line(place: str, error: BaseException) -> int | None:
    """Line of the user's own file where the error, or the one that caused it, was raised."""
    file = Path(place).name
    errors = [error, *filter(None, [error.__cause__])]
    frames = [f for e in errors for f in traceback.extract_tb(e.__traceback__) if Path(f.filename).name == file]
    return frames[-1].lineno if frames else None
