"""A bound of your own in place of the ledger's: measured and attacked as the claim that it is to replace."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import wraps
from typing import Any

import numpy as np

from theory.extended import Extended, plain
from theory.paper import Paper
from theory.symbols import BOUNDS, NAMES, Symbols, given, signed
from theory.validation import PremiseError, as_numbers, printable, real, suggestion
from verify.cell import Cell, as_it_is
from verify.claim import Claim, Mutant, Way, named, own
from verify.running.user_code import describe
from verify.verdict import Finding, Measured, Values

LEDGER = "bound of the ledger"
"""In the witness of a finding: what the claim that is to be replaced says where the finding was made."""


def bound(
    of: str,
    *,
    name: str,
    formula: Callable[..., Any] | None = None,
    says: str = "",
    mutants: Sequence[Mutant] = (),
    **symbols: Any,
) -> Claim:
    """Make a claim of your own: one of the ledger with another bound.

    It is measured and attacked as that claim, with the same draws, on all problems that the claim applies to, those
    included on which a bound is attained.

    Parameters
    ----------
    of : the claim of the ledger. `python -m verify explain` shows which bounds of the paper it tests.
    name : of your claim, which no other one has.
    formula : stands in for the bound of the claim's name, or the only one that it tests: `(p, …) ↦ bound`, where `p` is
        the paper, whose symbols are its attributes, and the other arguments are those that `explain` shows: arrays, of
        which the bound is to be computed elementwise.
    symbols : other bounds or symbols of the paper, each a number or a function, as `formula` for a bound, of `p` for
        a symbol, of the number itself for a constant. What is computed from a symbol that is changed changes too.
    says : the inequality in words, for tables; what the claim of the ledger says where it is left out.
    mutants : wrong versions of it that must be refuted.

    Returns
    -------
    The claim, which is registered: `python -m verify run --claim FILE.py` finds it.

    Raises
    ------
    ValueError : one line, for a claim or a symbol that there is not, a name in use, a formula that takes other
        arguments or that the claim does not test, and where nothing is changed.

    >>> bound("path", name="half of path", path=lambda p, j, distance: p.q(j) * distance / 2).statement
    'PATH'
    """
    ledgers = named(of)
    if ledgers.of or ledgers.audit:
        raise ValueError(f"of = {of!r} is not allowed: it must be a claim with a bound{_instead(ledgers)}")
    if not name.strip() or printable(name) != name or ":" in name:
        raise ValueError(f"name = {name!r} is not allowed: it must be one line without a colon")
    changes = {**_of_formula(ledgers, formula), **symbols}
    if not changes:
        raise ValueError(f"{name} changes nothing: give formula, or a symbol of the paper by its name")
    checked = {symbol: _checked(symbol, change) for symbol, change in changes.items()}
    makes = replace(
        ledgers,
        name=name,
        title=f"{ledgers.name}, with another bound",
        says=says or f"another bound in place of: {ledgers.says}",
        source=own(f"in place of {ledgers.name}"),
        by=Instead(ledgers, {symbol: change for symbol, change in checked.items() if symbol != "formula"}),
        at=tuple(dict.fromkeys((*ledgers.at, *(rule for on in ledgers.attained for rule in on.at)))),
        also=tuple(dict.fromkeys((*(on.instance for on in ledgers.attained), *ledgers.also))),
        everywhere=ledgers.problems is None and not ledgers.by.long,
        attained=(),
        sharp="not known",
        mutants=tuple(mutants),
        formula=checked.get("formula", ledgers.formula),
    )

    @wraps(ledgers.measure)
    def measure(*arguments: Any, **more: Any) -> Any:
        return ledgers.measure(*arguments, **more)

    measure.__module__ = sys._getframe(1).f_globals.get("__name__", "__main__")
    return makes(measure)


def _instead(claim: Claim) -> str:
    return f", here {claim.of!r}" if claim.of else ""


def _of_formula(claim: Claim, formula: Callable[..., Any] | None) -> dict[str, Any]:
    """What `formula` changes: the claim's own formula, or a bound of the paper; raises ValueError where none does."""
    if formula is None:
        return {}
    if claim.formula is not as_it_is:
        return {"formula": formula}
    tested, own_name = claim.bounds, claim.name.replace(" ", "_")
    if own_name in tested:
        return {own_name: formula}
    if len(tested) == 1:
        return {tested[0]: formula}
    which = f"name the one that you mean ({', '.join(tested)})" if tested else "change symbols of the paper"
    raise ValueError(f"formula is not allowed for {claim.name}: {which}")


def _checked(name: str, change: Any) -> Any:
    """A change that tells what is wrong with it by its name."""
    if name not in (*NAMES, "formula"):
        raise ValueError(f"{name} is not a symbol of the paper{suggestion(name, sorted(NAMES))}")
    if not callable(change):
        real(name, change, low=-np.inf if isinstance(getattr(Paper, name, None), signed) else 0.0, infinite=True)
        return change
    arguments = _arguments(name)
    if arguments and not _takes(change, len(arguments)):
        raise ValueError(f"{name} is not allowed: its function must take ({', '.join(arguments)})")
    return Change(name, change)


def _arguments(name: str) -> tuple[str, ...]:
    """What the function takes that stands in for a symbol; none where the claim says so."""
    if name == "formula":
        return ()
    if name in BOUNDS:
        return "p", *BOUNDS[name]
    if name in ("q", "e"):
        return "p", "j"
    return (name,) if isinstance(getattr(Paper, name, None), given) else ("p",)


def _takes(function: Callable[..., Any], count: int) -> bool:
    """Whether a function can be called with so many arguments; True also where Python cannot tell."""
    try:
        inspect.signature(function).bind(*range(count))
    except TypeError:
        return False
    except ValueError:
        return True
    return True


class FormulaError(Exception):
    """A formula of a user fails, or gives what is no bound; told in one line."""


@dataclass(frozen=True)
class Change:
    """A function of a user that stands in for a symbol of the paper."""

    name: str
    function: Callable[..., Any]

    def __call__(self, *arguments: Any) -> Any:
        """Return what the function gives; raises FormulaError where that is no bound, or where it fails."""
        try:
            value = self.function(*arguments)
        except PremiseError:
            raise
        except Exception as error:
            file = getattr(getattr(self.function, "__code__", None), "co_filename", "")
            raise FormulaError(f"{self.name}: {describe(error, file)}") from error
        if self.name != "formula":
            self._require_bound(value, arguments)
        return value

    def _require_bound(self, value: Any, arguments: Sequence[Any]) -> None:
        may_be_negative = isinstance(getattr(Paper, self.name, None), signed)
        allowed = "a number, not NaN" if may_be_negative else "a number >= 0"
        try:
            numbers = as_numbers(self.name, value, allowed)
        except (TypeError, ValueError) as error:
            raise FormulaError(f"{self.name} gives {printable(repr(value))}: it must give {allowed}") from error
        wrong = np.isnan(numbers) | (False if may_be_negative else numbers < 0)
        if wrong.any():
            raise FormulaError(f"{self.name} gives {numbers[wrong].flat[0]:g}: it must give {allowed}")
        shape = _shape(arguments)
        if numbers.ndim and not _fits(numbers.shape, shape):
            raise FormulaError(f"{self.name} gives an array {numbers.shape} where its arguments have {shape}")


def _shape(arguments: Sequence[Any]) -> tuple[int, ...]:
    """Shape that arguments have together, those of the paper's own constants and schedule among them."""
    numbers = [x for p in arguments for x in (p.fields.values() if isinstance(p, Symbols) else [p])]
    return np.broadcast_shapes(*(np.shape(plain(x)) for x in numbers))


def _fits(shape: tuple[int, ...], whole: tuple[int, ...]) -> bool:
    try:
        return np.broadcast_shapes(shape, whole) == whole
    except ValueError:
        return False


@dataclass(frozen=True)
class Instead(Way):
    """The findings of a claim of the ledger with another bound, each with what the ledger says there.

    Attributes
    ----------
    claim : the claim of the ledger. Its draws are used: with the same bound, the findings are the same.
    changes : symbols of the paper that are changed.
    """

    claim: Claim
    changes: Mapping[str, Any]

    def findings(self, cell: Cell, measure: Callable[..., Any]) -> Iterator[Finding]:
        """Measure as the claim does."""
        changed = replace(cell, claim=self.claim.name, changes={**self.changes, **cell.changes})
        calls = Calls(measure)
        for finding in self.claim.by.findings(changed, calls):
            beside = calls.of_ledger(finding)
            yield finding if beside is None else replace(finding, witness={**finding.witness, LEDGER: beside})


class Calls:
    """What the function of a claim was asked for and gave, so that a bound is found again where a finding was made."""

    def __init__(self, measure: Callable[..., Any]) -> None:
        self._measure = measure
        self._calls: list[tuple[Any, Callable[[], Any]]] = []

    def __call__(self, teller: Cell | Paper, *arguments: Any, **more: Any) -> Any:
        """Measure, and remember."""
        measured = self._measure(teller, *arguments, **more)
        self._calls.append((measured, lambda: self._measure(_unchanged(teller), *arguments, **more)))
        return measured

    def of_ledger(self, finding: Finding) -> float | None:
        """The ledger's own bound where a finding was made; None where that cannot be told, or it is silent there."""
        for measured, by_ledger in self._calls:
            bounds = _bounds(measured)
            at = np.flatnonzero((bounds == finding.bound) & _may_be(measured, finding.measured))
            if at.size:
                self._calls.clear()
                with suppress(PremiseError):
                    return float(np.broadcast_to(_bounds(by_ledger()), bounds.shape).flat[at[0]])
                break
        return None


def _may_be(measured: Any, value: float) -> Any:
    """Where a value was measured, if the function measures and does not give the bound alone: then anywhere."""
    return np.equal(measured.value, value) if isinstance(measured, Measured) else True


def _unchanged(teller: Cell | Paper) -> Cell | Paper:
    return replace(teller, changes={}) if isinstance(teller, Cell) else teller.unchanged


def _bounds(measured: Any) -> Values:
    """Bounds in what the function of a claim gave: a `Measured`, a guarantee, or the bound itself; else none."""
    if isinstance(measured, Measured):
        return np.broadcast_arrays(*measured)[1]
    limit = getattr(measured, "bound", measured)
    return np.asarray(plain(limit)) if isinstance(limit, Extended | float | np.ndarray) else np.empty(0)
