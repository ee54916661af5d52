"""What a check of an implementation shows: a table and a line, or JSON."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby
from typing import Any

from verify.implementation.check import Result

TITLES = {"numpy": "NumPy", "torch": "PyTorch", "jax": "JAX"}
WIDTH = 19
"""Columns that the name of a problem takes."""


def text(result: Result) -> str:
    """Table of relative errors, problem and α down, N across; and the diagnosis."""
    return "\n".join([*_table(result), "", diagnosis(result)])


def diagnosis(result: Result) -> str:
    """One line: what the implementation computes."""
    return f"{result.diagnosis.name}: {result.diagnosis.says}"


def _table(result: Result) -> Iterator[str]:
    yield f"{result.name} ({TITLES[result.framework]}): relative error of the meta-gradient"
    yield ""
    steps = sorted({cell.N for cell in result.cells})
    yield f"{'problem':{WIDTH}}{'alpha':>7}" + "".join(f"{f'N = {N}':>10}" for N in steps)
    rows = zip(result.cells, result.relative_error, strict=True)
    for (problem, alpha), row in groupby(rows, key=lambda entry: (entry[0].problem, entry[0].alpha)):
        yield f"{problem:{WIDTH}}{alpha:7.3g}" + "".join(f"{error:10.1e}" for _, error in row)


def to_dict(result: Result) -> dict[str, Any]:
    """All of a result, for JSON."""
    return {
        "implementation": result.name,
        "framework": result.framework,
        "diagnosis": result.diagnosis.name,
        "says": result.diagnosis.says,
        "exact": result.diagnosis.is_exact,
        "cells": [
            {
                "problem": cell.problem,
                "N": cell.N,
                "alpha": cell.alpha,
                "w": cell.w[0].tolist(),
                "returned": returned.tolist(),
                "exact": exact.tolist(),
                "relative_error": float(error),
                "tolerance": float(tolerance),
            }
            for cell, returned, exact, error, tolerance in zip(
                result.cells, result.returned, result.exact, result.relative_error, result.tolerance, strict=True
            )
        ],
    }
