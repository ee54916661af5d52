"""The evaluation of one cell: a function of names, strings and numbers only, so that any process can do it."""

from __future__ import annotations

import math
import time
import traceback
from collections.abc import Sequence
from dataclasses import fields, replace
from typing import Any

from problems.problem import Problem
from problems.user.constants import BOUNDS
from theory.validation import Float64Error, PremiseError, one_line, printable
from verify.cell import PROFILES, Cell, alpha_L
from verify.claim import Claim, find
from verify.evidence.intervals import RangeError
from verify.running.loading import load_claims, load_problem
from verify.running.records import CellName, Record, plain
from verify.running.user_code import contained
from verify.verdict import Finding, fault, judge

MAX_STATISTICAL = 10_000
DELTA = 1e-6 / MAX_STATISTICAL
"""Chance that the interval of one statistical check misses; constant, so that no result depends on what else ran."""


def evaluate(cell: CellName, problem: Problem | None = None) -> list[Record]:
    """Return the records of one cell: at least one, whatever happens in it.

    `problem` stands in for the one that the cell names, where the caller has it at hand.

    A premise that fails is the verdict vacuous, a claim that does not apply inapplicable, and any exception an error
    with its traceback.
    """
    started = time.perf_counter()
    found: list[dict[str, Any]] = []
    estimated: tuple[str, ...] = ()
    try:
        with contained():
            problem = problem or _problem(cell.problem_spec, cell.N, alpha_L(cell.rule, cell.N))
            estimated = problem.estimated
            claim = _claim(cell)
            if reason := claim.inapplicable(problem) or claim.elsewhere(cell.problem, cell.N):
                found.append({"verdict": "inapplicable", "note": reason})
            else:
                found.extend(map(_judged, claim.check(_cell(cell, problem, claim))))
    except MissingExtra as error:
        found.append({"verdict": "inapplicable", "note": _one_line(error)})
    except PremiseError as error:
        told = f"{error.why}: the statement does not speak" if error.why else _one_line(error)
        found.append({"verdict": "vacuous", "note": told})
    except Float64Error as error:
        found.append({"verdict": "inapplicable", "note": f"float64 cannot build the instance: {error}"})
    except RangeError as error:
        found.append(_out_of_range(error, estimated))
    except (Exception, SystemExit) as error:
        found.append(_failed(error))
    if not found:
        found.append({"verdict": "inapplicable", "note": "the claim has nothing to check here"})
    return stamp(cell, found, estimated, time.perf_counter() - started)


def stamp(
    cell: CellName, found: Sequence[dict[str, Any]], estimated: tuple[str, ...] = (), seconds: float = 0.0
) -> list[Record]:
    """Make records of what was found in a cell that took `seconds`; a check of the audit rests on its constant only."""
    place = {field.name: getattr(cell, field.name) for field in fields(CellName)}
    return [
        Record(
            **place,
            **_of_an_estimate(cell, values, estimated),
            alpha_L=alpha_L(cell.rule, cell.N),
            index=index,
            checks=len(found),
            estimated=tuple(name for name in estimated if not cell.is_audit or name == values.get("label")),
            seconds=seconds / len(found),
        )
        for index, values in enumerate(found)
    ]


def _of_an_estimate(cell: CellName, values: dict[str, Any], estimated: Sequence[str]) -> dict[str, Any]:
    """What is met above an estimate of the suite itself refutes nobody: the estimate is too small."""
    label = values.get("label", "")
    if values["verdict"] != "violated" or not cell.examines_an_estimate(label, estimated):
        return values
    note = f"the estimate of {label} is too small: more was met; give {label} in constants, or another region"
    return {**values, "verdict": "inconclusive", "note": note}


def replay(record: Record) -> Record:
    """Evaluate the check of a record again: the same record, apart from the time, where nothing has changed.

    Raises ValueError if its cell no longer has that check.
    """
    again = evaluate(record.cell)
    if record.index >= len(again):
        raise ValueError(f"claim {record.claim} makes {len(again)} checks there now, not {record.checks}")
    return again[record.index]


class MissingExtra(Exception):
    """A problem needs a package that is not installed."""


def _problem(spec: str, N: int, alpha_L: float) -> Problem:
    try:
        return load_problem(spec, N, alpha_L)
    except ModuleNotFoundError as error:
        raise MissingExtra(str(error)) from error


def _claim(cell: CellName) -> Claim:
    if cell.claim_spec:
        load_claims(cell.claim_spec)
    claim = find(cell.claim)
    if claim is None:
        raise ValueError(f"claim = {cell.claim!r} is unknown in this process")
    return claim


def _cell(cell: CellName, problem: Problem, claim: Claim) -> Cell:
    mutant = next(mutant for mutant in claim.mutants if mutant.name == cell.mutant) if cell.mutant else None
    return Cell(
        claim=cell.claim,
        problem_name=cell.problem,
        problem=problem,
        N=cell.N,
        rule=cell.rule,
        effort=PROFILES[cell.profile],
        seed=cell.seed,
        delta=DELTA,
        formula=claim.formula if mutant is None or mutant.formula is None else mutant.formula,
        changes={} if mutant is None else mutant.symbols,
    )


def _failed(error: BaseException) -> dict[str, Any]:
    return {"verdict": "error", "note": _one_line(error), "traceback": "".join(traceback.format_exception(error))}


def _out_of_range(error: RangeError, estimated: Sequence[str]) -> dict[str, Any]:
    """No finite number of samples shows the bound of a noise, and unbounded noise has none: no failure, no evidence."""
    guessed = ", ".join(name for name in BOUNDS if name in estimated)
    if not guessed:
        return _failed(error)
    note = f"samples exceed an estimate ({guessed}): the noise of one datum may have no bound"
    return {"verdict": "inapplicable", "note": note}


def _judged(finding: Finding) -> dict[str, Any]:
    numbers = ("measured", "bound", "lower", "upper", "slack", "tightness")
    verdict = judge(finding)
    if finding.silent:
        return {"verdict": verdict, "note": printable(finding.silent), "label": printable(finding.label)}
    if verdict == "error":
        finding = replace(finding, note=fault(finding))
    return {
        "verdict": verdict,
        **{name: _real(getattr(finding, name)) for name in numbers},
        **{name: getattr(finding, name) for name in ("method", "samples", "attained", "shortfall", "signed")},
        **{name: printable(getattr(finding, name)) for name in ("label", "note")},
        "witness": plain(finding.witness),
    }


def _real(value: float | None) -> float | None:
    return None if value is None or math.isnan(value) else float(value)


def _one_line(error: BaseException) -> str:
    return printable(str(error)) if isinstance(error, PremiseError | MissingExtra) else one_line(error)
