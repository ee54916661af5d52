"""Symbols of the paper as attributes of one object; a symbol can be changed, and all that use it see the change."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import cached_property, wraps
from typing import Any, Concatenate, Generic, ParamSpec, Self, TypeVar, overload

from theory.constants import Constants, Real, Schedule
from theory.extended import Extended, Number, plain
from theory.validation import integer, real, suggestion

Value = TypeVar("Value")
Arguments = ParamSpec("Arguments")

NAMES: set[str] = set()
"""All symbols and bounds, those of the sections included once they are imported."""

BOUNDS: dict[str, tuple[str, ...]] = {}
"""Those of them that are bounds, and the names of their arguments after `p`."""

POSITIVE = ("L_w", "L_hat")
"""Arguments of bounds that are divided by."""


class _Symbol(Generic[Value]):
    """An attribute computed on first use; like `functools.cached_property`, but it can be changed."""

    name: str

    def __init__(self, formula: Callable[[Any], Number]) -> None:
        self.formula, self.__doc__ = formula, formula.__doc__

    def __set_name__(self, owner: type[Symbols], name: str) -> None:
        self.name = name
        NAMES.add(name)

    @overload
    def __get__(self, p: None, owner: type[Symbols]) -> Self: ...

    @overload
    def __get__(self, p: Symbols, owner: type[Symbols]) -> Value: ...

    def __get__(self, p: Symbols | None, owner: type[Symbols]) -> Self | Value:
        if p is None:
            return self
        value = p.__dict__[self.name] = self.made_of(self.evaluate(p))
        return value

    def evaluate(self, p: Symbols) -> Number:
        """Value by the formula, or by what has been put in its place."""
        return p.evaluate(self.name, self.formula)

    def made_of(self, value: Number) -> Value:
        """Return `value` as this kind of symbol."""
        raise NotImplementedError


class symbol(_Symbol[Extended]):
    """A symbol that is a number of [0, ∞]: decorates its formula, a function of the paper `p`."""

    def made_of(self, value: Number) -> Extended:
        """Return an extended number."""
        return value if isinstance(value, Extended) else Extended(plain(value))


class signed(_Symbol[Real]):
    """A symbol that can be negative, so a plain number: decorates its formula."""

    def made_of(self, value: Number) -> Real:
        """Return a plain number."""
        return plain(value)


class given(symbol):
    """A symbol without a formula: a constant of the assumptions or a choice of the schedule."""

    def __init__(self) -> None:
        super().__init__(self.as_given)

    def as_given(self, p: Symbols) -> Number:
        """Return the number of the constants or of the schedule."""
        return p.fields[self.name]

    def evaluate(self, p: Symbols) -> Number:
        """Value as given, or what has been made of it."""
        value, change = self.as_given(p), p.changes.get(self.name)
        return value if change is None else change(value) if callable(change) else change


class Symbols:
    """Symbols of the paper at given constants and a given schedule; the sections of the paper extend it.

    Parameters
    ----------
    constants, schedule : what the symbols are made of. Fields of either are symbols themselves.
    changes : by name of a symbol, another value for it, or a function that gives one: of the field's own number for a
        field, of the unchanged paper for any other symbol, and of the unchanged paper and the arguments for a symbol
        with arguments. Every symbol that is computed from a changed one sees the change. A changed field need not be
        one that a run could have (counts may be any real numbers).

    Raises
    ------
    ValueError : a change names no symbol.
    """

    L, rho, sigma, sigma_g, sigma_H, b, b_sq = given(), given(), given(), given(), given(), given(), given()
    N, alpha, C_beta, B, S, D, T = given(), given(), given(), given(), given(), given(), given()
    B_prime, D_L, K, Delta = given(), given(), given(), given()

    def __init__(self, constants: Constants, schedule: Schedule, **changes: Any) -> None:
        self.constants, self.schedule, self.changes = constants, schedule, changes
        self.fields: dict[str, Real] = {**vars(constants), **vars(schedule)}
        self.powers: dict[tuple[str, float], Extended] = {}
        for name in changes:
            if name not in NAMES:
                raise ValueError(f"{name} is not a symbol of the paper{suggestion(name, sorted(NAMES))}")

    @cached_property
    def unchanged(self) -> Self:
        """The same without changes."""
        return type(self)(self.constants, self.schedule)

    def evaluate(self, name: str, formula: Callable[..., Any], *arguments: Any) -> Any:
        """Value of a symbol: by its formula, or by what has been put in its place."""
        change = self.changes.get(name)
        if change is None:
            return formula(self, *arguments)
        return change(self.unchanged, *arguments) if callable(change) else change


def power(formula: Callable[[Any, Number], Extended]) -> Callable[[Any, Number], Extended]:
    """Decorate the formula of a symbol with an exponent, a function of the paper `p` and of the exponent."""
    name = formula.__name__
    NAMES.add(name)

    @wraps(formula)
    def method(p: Symbols, j: Number) -> Extended:
        exponent = plain(j)
        if not isinstance(exponent, float):
            return Extended(p.evaluate(name, formula, exponent))
        if (name, exponent) not in p.powers:  # one bound asks for the same power several times
            p.powers[name, exponent] = Extended(p.evaluate(name, formula, exponent))
        return p.powers[name, exponent]

    return method


def bound(formula: Callable[Concatenate[Any, Arguments], Number]) -> Callable[Concatenate[Any, Arguments], Real]:
    """Decorate a bound that takes arguments, a function of the paper `p` and of them; its values are plain numbers.

    The formula gets its arguments as extended numbers, except for a number of steps `j`. Raises ValueError where `j`
    is no integer ≥ −1, or another argument is negative or NaN (or zero where it is divided by).
    """
    signature = inspect.signature(formula)
    name, names = formula.__name__, list(signature.parameters)[1:]
    NAMES.add(name)
    BOUNDS[name] = tuple(names)

    @wraps(formula)
    def method(p: Any, /, *arguments: Arguments.args, **named: Arguments.kwargs) -> Real:
        bind = named or len(arguments) != len(names)
        ordered = signature.bind(p, *arguments, **named).args[1:] if bind else arguments
        return plain(p.evaluate(name, formula, *map(_argument, names, ordered)))

    return method


def _argument(name: str, value: Any) -> Number:
    """Return a valid argument of a bound."""
    value = value.value if isinstance(value, Extended) else value
    if name == "j":
        integer(name, value, low=-1)
        return plain(value)
    real(name, value, infinite=True, open_low=name in POSITIVE)
    return Extended(plain(value))
