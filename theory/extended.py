"""Numbers of [0, ∞], of which bounds are made."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from theory.constants import Real

INF = math.inf
VANISHING = -0.0
"""What a product of positive numbers is when it underflows: zero, but not absent."""


class Extended:
    """A number of [0, ∞], or a float64 array of such numbers, with the arithmetic of bounds.

    - 0·∞ = 0: a factor that is absent costs nothing, whatever it would multiply.
    - ∞/∞ = ∞: no premise makes an infinite bound smaller. And x/0 = ∞ for x > 0, 0/0 = 0.
    - What overflows is ∞. A product or quotient that underflows is −0.0: zero, except that ∞ times it is ∞.
    - A difference can be negative, so it is a plain number.

    Sums, products and quotients are never NaN and never warn. Numbers and arrays mix with it on either side.

    >>> 0 * Extended(math.inf), Extended(3.0) / 0, Extended(2.0) ** 2 + 1
    (Extended(0.0), Extended(inf), Extended(5.0))
    >>> 1 - Extended(3.0)
    -2.0
    """

    __slots__ = ("value",)
    __array_priority__ = 1000  # so that array * Extended is left to Extended

    value: Real
    """The number as a float, or the numbers as an array."""

    def __init__(self, value: Number) -> None:
        self.value = value if type(value) is float else _value(value)

    def __repr__(self) -> str:
        return f"Extended({plain(self)!r})"

    def __format__(self, spec: str) -> str:
        return format(plain(self), spec)

    def __float__(self) -> float:
        return float(plain(self))

    def __array__(self, dtype: npt.DTypeLike | None = None, copy: bool | None = None) -> npt.NDArray[Any]:
        return np.asarray(plain(self), dtype=dtype, copy=copy)

    def __add__(self, other: Number) -> Extended:
        return Extended(_sum(self.value, _value(other)))

    __radd__ = __add__

    def __mul__(self, other: Number) -> Extended:
        return Extended(_product(self.value, _value(other)))

    __rmul__ = __mul__

    def __truediv__(self, other: Number) -> Extended:
        return Extended(_quotient(self.value, _value(other)))

    def __rtruediv__(self, other: Number) -> Extended:
        return Extended(_quotient(_value(other), self.value))

    def __pow__(self, exponent: float) -> Extended:
        if exponent == 2:
            return self * self
        with np.errstate(over="ignore", divide="ignore"):
            return Extended(np.power(self.value, exponent))

    def __sub__(self, other: Number) -> Real:
        return self.value - _value(other)

    def __rsub__(self, other: Number) -> Real:
        return _value(other) - self.value

    def __eq__(self, other: object) -> Any:
        return self.value == (other.value if isinstance(other, Extended) else other)

    def __lt__(self, other: Number) -> Any:
        return self.value < _value(other)

    def __le__(self, other: Number) -> Any:
        return self.value <= _value(other)

    def __gt__(self, other: Number) -> Any:
        return self.value > _value(other)

    def __ge__(self, other: Number) -> Any:
        return self.value >= _value(other)

    __hash__ = None  # type: ignore[assignment]


Number: TypeAlias = Real | Extended
"""What a formula takes."""


def plain(x: Number) -> Real:
    """Return a float, or an array of float64; what vanished by underflow is 0.0."""
    return _value(x) + 0.0


def _value(x: Number) -> Real:
    """Return a float, or an array of float64."""
    if type(x) is float:
        return x
    if isinstance(x, Extended):
        return x.value
    array = np.asarray(x, dtype=np.float64)
    return array if array.ndim else float(array)


def choose(condition: Any, x: Number, y: Number) -> Real:
    """`x` where the condition holds, else `y`."""
    if isinstance(condition, bool):
        return _value(x if condition else y)
    return _value(np.where(condition, _value(x), _value(y)))


def _sum(x: Real, y: Real) -> Real:
    if type(x) is float and type(y) is float:
        return x + y
    with np.errstate(over="ignore"):
        return np.add(x, y)


def _product(x: Real, y: Real) -> Real:
    if type(x) is float and type(y) is float:
        product = x * y
        if product > 0:
            return product
        if _is_absent(x) or _is_absent(y):
            return 0.0
        return INF if math.isnan(product) else product or VANISHING
    with np.errstate(over="ignore", invalid="ignore"):
        products = np.multiply(x, y)
    positive = products > 0
    if positive.all():
        return products
    absent = _are_absent(x) | _are_absent(y)
    products = np.where(absent, 0.0, products)
    if (positive | absent).all():
        return products
    return np.where(np.isnan(products), INF, np.where(products == 0, np.where(absent, 0.0, VANISHING), products))


def _is_absent(x: float) -> bool:
    return x == 0 and math.copysign(1, x) > 0


def _are_absent(x: Real) -> Any:
    return _is_absent(x) if type(x) is float else np.equal(x, 0) & ~np.signbit(x)


def _quotient(x: Real, y: Real) -> Real:
    if type(x) is float and type(y) is float:
        if x == 0 or y == 0 or x == INF:
            return x if x == 0 else INF
        return x / y or (0.0 if y == INF else VANISHING)
    with np.errstate(over="ignore", divide="ignore", invalid="ignore"):
        quotients = np.divide(x, y)
    if (quotients > 0).all():
        return quotients
    positive = np.where((quotients == 0) & np.isfinite(y), VANISHING, quotients)
    return np.where(np.equal(x, 0), x, np.where(np.isinf(x) | np.equal(y, 0), INF, positive))


def _function(of_float: Callable[[float], float], of_array: Callable[[Any], Any]) -> Callable[[Number], Extended]:
    """Make a function of numbers from one of floats and one of arrays; what overflows is ∞."""

    def function(x: Number) -> Extended:
        value = _value(x)
        if type(value) is float:
            try:
                return Extended(of_float(value))
            except OverflowError:
                return Extended(INF)
        with np.errstate(over="ignore"):
            return Extended(of_array(value))

    return function


sqrt = _function(math.sqrt, np.sqrt)
exp = _function(math.exp, np.exp)
expm1 = _function(math.expm1, np.expm1)
log1p = _function(math.log1p, np.log1p)
ceil = _function(np.ceil, np.ceil)


def maximum(x: Number, y: Number) -> Extended:
    """Return the larger number, elementwise."""
    return Extended(np.maximum(_value(x), _value(y)))


def minimum(x: Number, y: Number) -> Extended:
    """Return the smaller number, elementwise."""
    return Extended(np.minimum(_value(x), _value(y)))


def hypot(x: Number, y: Number) -> Extended:
    """`√(x² + y²)`, elementwise."""
    return Extended(np.hypot(_value(x), _value(y)))
