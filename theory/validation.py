"""One clear line for bad input: the field, its value, and what is allowed."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence

import numpy as np
import numpy.typing as npt

CONTROL = dict.fromkeys([*range(0x20), *range(0x7F, 0xA0)], "\ufffd")
"""Control characters, and what stands in for them."""


class PremiseError(ValueError):
    """The premise of a statement fails, so the statement does not speak (for instance `α ≥ α_cap`).

    `why` says so without the numbers, which the message has.
    """

    def __init__(self, message: str, why: str = "") -> None:
        super().__init__(message)
        self.why = why

    def __reduce__(self) -> tuple[type[PremiseError], tuple[str, str]]:
        return PremiseError, (str(self), self.why)


class Float64Error(ValueError):
    """What is asked for exists, but not in float64: an instance whose parts lie closer than numbers do."""


def real(
    name: str, value: float | npt.ArrayLike, *, low: float = 0.0, open_low: bool = False, infinite: bool = False
) -> None:
    """Require `value` (scalar or array) to be real, not NaN, at least `low` (above it if `open_low`).

    Raises ValueError with one line that names the field, the value and what is allowed.
    """
    if isinstance(value, float) and (
        low < value < np.inf or (value == low and not open_low) or (value == np.inf and infinite)
    ):
        return  # the common case, a hundred times faster than arrays
    if (
        isinstance(value, np.ndarray)
        and value.dtype == np.float64
        and value.size
        and low < value.min() <= value.max() < np.inf
    ):
        return
    allowed = f"a {'' if infinite else 'finite '}number {'>' if open_low else '>='} {low:g}"
    array = as_numbers(name, value, allowed)
    bad = np.isnan(array) | (array <= low if open_low else array < low)
    if not infinite:
        bad |= np.isinf(array)
    if bad.any():
        raise ValueError(f"{name} = {array[bad].flat[0]:g} is not allowed: {name} must be {allowed}")


def integer(name: str, value: int | npt.ArrayLike, *, low: int) -> None:
    """Require `value` (scalar or array) to be integer-valued and at least `low`; raises ValueError in one line."""
    if isinstance(value, int | float) and type(value) is not bool and value >= low and value % 1 == 0:
        return  # the common case, as in `real`
    allowed = f"an integer >= {low}"
    array = as_numbers(name, value, allowed)
    bad = ~np.isfinite(array) | (array < low) | (array != np.floor(array))
    if bad.any():
        raise ValueError(f"{name} = {array[bad].flat[0]:g} is not allowed: {name} must be {allowed}")


def as_numbers(name: str, value: npt.ArrayLike, allowed: str) -> npt.NDArray[np.float64]:
    """Return `value` as a float64 array, or raise ValueError where it is not numeric (booleans are not)."""
    array = np.asarray(value)
    if array.dtype.kind not in "iuf":
        raise ValueError(f"{name} = {value!r} is not allowed: {name} must be {allowed}")
    return array.astype(np.float64)


def one_of(name: str, value: object, allowed: Sequence[str]) -> None:
    """Require `value` to be one of the names `allowed`; raises ValueError in one line."""
    if value not in allowed:
        raise ValueError(f"{name} = {value!r} is not allowed: {name} must be one of {', '.join(allowed)}")


def suggestion(name: str, known: Iterable[str]) -> str:
    """`; did you mean …?` with the name in `known` nearest to `name`, whatever the case, or "" where none is near.

    >>> suggestion("Bais", ["bias", "path"])
    '; did you mean bias?'
    """
    spelled = {other.lower(): other for other in known}
    near = difflib.get_close_matches(name.lower(), spelled, n=1)
    return f"; did you mean {spelled[near[0]]}?" if near else ""


def one_line(error: BaseException) -> str:
    """Return the type and the text of an exception in one line; its type alone where its text cannot be made.

    >>> one_line(KeyError("a")), one_line(AssertionError())
    ("KeyError: 'a'", 'AssertionError')
    """
    try:
        text = str(error)
    except Exception:
        text = ""
    return printable(f"{type(error).__name__}: {text}").removesuffix(":")


def printable(text: str) -> str:
    """Return `text` as one line without control characters, which a terminal would obey.

    >>> printable("two\\nlines, \\x1b[31mred")
    'two lines, �[31mred'
    """
    return " ".join(text.split()).translate(CONTROL)
