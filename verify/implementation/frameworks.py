"""Array libraries in which an implementation may be written."""

from __future__ import annotations

import importlib
import inspect
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from theory.loss import Array
from theory.validation import one_of

FRAMEWORKS = ("numpy", "torch", "jax")
EXTRA = "python -m pip install 'maml-theory-verification[implementations]'"

ToPoint = Callable[[Array], Any]
"""Turns a vector into a point of a framework, in float64."""


def infer(function: Callable[..., Any], name: str) -> str:
    """Return the framework that the annotations of a function name, its parameter `w` first.

    Raises ValueError, in one line with the `name` of the function, where none of them does.
    """
    for annotation in _annotations(function):
        if found := re.search(rf"\b({'|'.join(FRAMEWORKS)})\b", annotation):
            return found[1]
    raise ValueError(
        f"framework of {name} is not known: annotate w, as in w: torch.Tensor, or choose one of {', '.join(FRAMEWORKS)}"
    )


def _annotations(function: Callable[..., Any]) -> Iterator[str]:
    """Annotations of the parameters, the second (w) first, and of the result, spelled with their modules."""
    try:
        signature = inspect.signature(function, eval_str=True)
    except Exception:  # a name that only a type checker imports
        signature = inspect.signature(function)
    parameters = list(signature.parameters.values())
    for annotation in (*(p.annotation for p in [*parameters[1:], *parameters[:1]]), signature.return_annotation):
        yield annotation if isinstance(annotation, str) else f"{getattr(annotation, '__module__', '')} {annotation!r}"


@contextmanager
def points_of(framework: str) -> Iterator[ToPoint]:
    """Give what makes points of a framework; in PyTorch they are leaves that require a gradient.

    While the context lasts, JAX computes in float64.

    Raises ValueError, in one line, where the framework is unknown or not installed.
    """
    one_of("framework", framework, FRAMEWORKS)
    if framework == "numpy":
        yield np.array
        return
    library = _imported(framework)
    if framework == "torch":
        yield lambda w: library.tensor(w, dtype=library.float64, requires_grad=True)
        return
    with library.enable_x64(True):
        yield library.numpy.asarray


def _imported(framework: str) -> Any:
    for name in (framework, "array_api_compat"):
        try:
            importlib.import_module(name)
        except ImportError as missing:
            raise ValueError(f"framework = {framework!r} needs {name}, which is not installed: {EXTRA}") from missing
    return importlib.import_module(framework)


def to_vector(returned: Any, d: int) -> Array:
    """Return what an implementation returned as a vector (d,) of NumPy, in float64.

    Raises ValueError, which says in a few words what was returned, where it is no finite vector of this shape.
    """
    if hasattr(returned, "detach"):
        returned = returned.detach().cpu().numpy()
    if not (hasattr(returned, "__array__") and hasattr(returned, "dtype")):
        raise ValueError("None" if returned is None else f"a {type(returned).__name__}")
    array = np.asarray(returned)
    if array.dtype.kind != "f":
        raise ValueError(f"an array of {array.dtype}")
    if array.shape != (d,):
        raise ValueError(f"an array of shape {array.shape}")
    if not np.isfinite(array).all():
        raise ValueError(f"{array}")
    return array.astype(np.float64)
