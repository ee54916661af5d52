"""Assert in a test that a function computes the meta-gradient."""

from __future__ import annotations

from verify.implementation.check import Implementation, Result, check
from verify.implementation.report import text


def assert_meta_gradient(function: Implementation, *, framework: str | None = None) -> Result:
    """Assert that `function(tasks, w, alpha, N)` returns the meta-gradient of MAML, at every cell.

    Parameters
    ----------
    function : the implementation, as `verify.implementation.check.check` takes it.
    framework : "numpy", "torch" or "jax"; where it is None, the annotation of `w` tells.

    Returns
    -------
    What the function returned beside what is right, at every cell.

    Raises
    ------
    AssertionError : it is another vector. The message has the errors and says which known mistake it is.
    ValueError : one line, where the function cannot be examined: it takes other arguments, raises, or returns no finite
        vector of the shape of `w`; or the framework is unknown or not installed.
    """
    result = check(function, framework)
    if not result.diagnosis.is_exact:
        raise AssertionError(text(result))
    return result
