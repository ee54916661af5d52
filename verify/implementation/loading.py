"""Find the implementation that a user means."""

from __future__ import annotations

from verify.implementation.check import Implementation
from verify.implementation.frameworks import EXTRA, FRAMEWORKS
from verify.running.user_code import load_function


def load(spec: str) -> Implementation:
    """Return the function that `spec` names, `FILE.py:FUNCTION` or `package.module:FUNCTION`.

    Raises ValueError, in one line, where it cannot be loaded; where a framework is missing, with how to install it.
    """
    try:
        return load_function("implementation", spec)
    except ValueError as error:
        if isinstance(error.__cause__, ModuleNotFoundError) and error.__cause__.name in FRAMEWORKS:
            raise ValueError(f"{error}: {EXTRA}") from error
        raise
