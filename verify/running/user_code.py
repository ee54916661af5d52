"""Functions of a user, `FILE.py:NAME` or `package.module:NAME`; whatever their code raises becomes one line."""

from __future__ import annotations

import importlib
import inspect
import multiprocessing
import os
import sys
import traceback
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import cache, lru_cache
from pathlib import Path
from types import ModuleType
from typing import Any, NoReturn

import numpy as np

from theory.validation import one_line, suggestion
from verify.running.environment import ROOT, digest
from verify.running.spec import Spec

_digests: dict[str, str] = {}
"""Files of users, as this process has loaded them."""
_places: dict[str, str] = {}
"""Names of modules of users, and the file or module of the spec that they were loaded by."""


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
    module = load_module(field, spec)
    function = getattr(module, name, None)
    if function is None:
        hint = suggestion(name, (known for known, value in vars(module).items() if inspect.isfunction(value)))
        raise ValueError(f"{field} = {spec!r}: {place} defines no {name}{hint}")
    if not callable(function):
        raise ValueError(f"{field} = {spec!r}: {name} is a {type(function).__name__}, not a function")
    return function


def load_module(field: str, spec: str) -> ModuleType:
    """Return the module of the file or the package that `spec` names, as it is now. Arguments as `load_function`.

    Raises
    ------
    ValueError : one line, where there is no such file or module, or it cannot be imported.
    """
    named, version = Spec.parse(spec), 0
    if named.is_drawn:
        raise ValueError(f"{field} = {spec!r} is not allowed: it must be a Python file, FILE.py:NAME")
    if named.file is not None:
        if not named.file.is_file():
            raise ValueError(f"{field} = {spec!r}: there is no file {named.file}")
        version = named.file.stat().st_mtime_ns
    what = f"{field} = {spec!r} cannot be imported"
    module: ModuleType = guarded(what, named.place, lambda: _module(named.place, version))
    _places[module.__name__] = named.place
    return module


def place_of(module: str) -> str:
    """Place by which a module of a user was loaded, the file or the module that a spec names; "" for any other."""
    return _places.get(module, "")


def guarded(what: str, place: str, action: Callable[[], Any]) -> Any:
    """Do what a user's code does; whatever it raises becomes one line: what went wrong, and where in the file `place`.

    Raises ValueError.
    """
    try:
        with contained():
            return action()
    except (Exception, SystemExit) as error:
        raise ValueError(f"{what}: {describe(error, place)}") from error


@contextmanager
def contained() -> Iterator[None]:
    """Undo what a user's code does to its process: it can neither end it, nor move it, nor change how NumPy warns.

    What overflows is infinite, and verdicts know what to make of that: it warns nobody.

    Raises
    ------
    RuntimeError : in place of an exception that is no error by its class, except Ctrl-C in the main process.
    """
    directory, leave = _working_directory(), os._exit
    os._exit = _refuse_to_exit
    try:
        with np.errstate(over="ignore"):
            yield
    except (Exception, SystemExit):
        raise
    except BaseException as error:
        if isinstance(error, KeyboardInterrupt) and multiprocessing.parent_process() is None:
            raise
        raise RuntimeError(one_line(error)) from error
    finally:
        os._exit = leave
        if directory is not None:
            with suppress(OSError):
                os.chdir(directory)


def _working_directory() -> str | None:
    with suppress(OSError):
        return os.getcwd()
    return None


def _refuse_to_exit(status: int) -> NoReturn:
    raise SystemExit(f"os._exit({status})")


def describe(error: BaseException, place: str) -> str:
    """Return an error of a user's code in one line, with the line of the file `place` where it was raised."""
    line, text = _last_line(place, error), one_line(error)
    if isinstance(error, SyntaxError):
        line, text = error.lineno, f"{type(error).__name__}: {error.msg}"
    where = f" (line {line})" if line else ""
    return f"{text.removeprefix('ValueError: ')}{where}"


def loaded_files(spec: str) -> dict[str, str]:
    """Digests of the files of a user's problem or claim, as this process has loaded them: its own, and its neighbours.

    These are the modules that were imported from the directory of `FILE.py`, or from the package of `package.module`.
    """
    named = Spec.parse(spec)
    top = sys.modules.get(named.place.partition(".")[0])
    if named.file is not None and named.is_drawn:
        return {named.file.name: digest(named.file.read_bytes()) if named.file.is_file() else "gone"}
    own = str(named.file) if named.file is not None else _resolved(getattr(top, "__file__", None))
    beside = os.path.dirname(own) + os.sep if named.file is not None or hasattr(top, "__path__") else own
    files = {own, *(file for file in _imported() if file.startswith(beside) and not _installed(file))} - {""}
    return {os.path.relpath(file, os.path.dirname(beside)): _loaded(file) for file in sorted(files)}


def _imported() -> Iterator[str]:
    return (_resolved(getattr(module, "__file__", None)) for module in list(sys.modules.values()))


@cache
def _resolved(file: str | None) -> str:
    return os.path.realpath(file) if isinstance(file, str) and file.endswith(".py") else ""


@cache
def _installed(file: str) -> bool:
    """Whether a module belongs to Python, to an installed package, or to this project."""
    ours = (str(ROOT / name) for name in ("theory", "problems", "verify", "figures"))
    places = [sys.prefix, sys.base_prefix, *ours]
    return any(file.startswith(place + os.sep) for place in places) or "-packages" + os.sep in file


def _loaded(file: str) -> str:
    if file not in _digests:
        try:
            _digests[file] = digest(Path(file).read_bytes())
        except OSError:
            return "gone"
    return _digests[file]


@lru_cache(maxsize=64)
def _module(place: str, version: int) -> ModuleType:
    if not place.endswith(".py"):
        _importable(Path.cwd())
        return importlib.import_module(place)
    file = Path(place)
    _importable(file.parent)
    # A name of its own: the user's file may be called like a module of the standard library.
    name = f"_user_file_{file.stem}_{zlib.crc32(place.encode()):x}"
    source = file.read_bytes()
    _digests[place] = digest(source)
    module = ModuleType(name)
    module.__file__ = place
    sys.modules[name] = module  # dataclasses and pickling look their module up
    try:
        exec(compile(source, place, "exec"), vars(module))  # and no bytecode of an earlier version
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
