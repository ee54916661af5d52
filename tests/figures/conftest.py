from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from figures import complexity, convergence, divergence
from figures.figure import Part, compute_part, named, registry
from figures.table import Row, Table

Compute = Callable[..., Table]


def matches(part: Part, where: dict[str, Any]) -> bool:
    return all(
        part[name] in allowed if isinstance(allowed, tuple) else part[name] == allowed
        for name, allowed in where.items()
    )


@pytest.fixture(scope="session")
def compute() -> Compute:
    """Compute the parts of a figure whose fields are, or are among, those given."""

    def compute(name: str, **where: Any) -> Table:
        chosen = [part for part in named(name).parts if matches(part, where)]
        assert chosen
        return Table(row for part in chosen for row in compute_part((name, part, 0)))

    return compute


def invented(name: str) -> Table:
    """Rows of the shape that a costly figure computes, without the computation."""
    return Table({**row, "seed": 0} for row in _INVENTED[name]())


def _divergence() -> list[Row]:
    return [
        {
            **part,
            "critical_alpha_L": 3.0 + part["draw"]
            if part["series"] == divergence.TYPICAL
            else np.expm1(np.log(2) / 2 / part["N"]),
        }
        for part in divergence.parts()
    ]


def _convergence() -> list[Row]:
    return [
        {
            "series": part["series"],
            "x": x,
            "measured": x**-0.5,
            "low": 0.8 * x**-0.5,
            "high": 1.2 * x**-0.5,
            "bound": 3 * x**-0.5,
        }
        for part in convergence.parts()
        for x in part["values"]
    ]


def _complexity() -> list[Row]:
    def numbers(part: Part) -> Row:
        K = {
            "measured": 9 * part["x"] ** -2,
            "low": 8 * part["x"] ** -2,
            "high": 10 * part["x"] ** -2,
            "theory": 50 * part["x"] ** -2,
        }
        if part["rule"] == "fixed" and part["N"] > 5:
            K["theory"] = np.inf
        return {**part, "B": 1, **K, **{f"calls_{name}": (2 * part["N"] + 2) * value for name, value in K.items()}}

    return [numbers(part) for part in complexity.parts()]


def _tightness() -> list[Row]:
    names = [
        ("quadratic", "ordinary"),
        ("rotated-cosine-finite-noise", "ordinary"),
        ("teeth", "sharp"),
        ("saddle", "sharp"),
    ]
    return [
        {"claim": claim, "problem": problem, "role": role, "tightness": tightness, "rounding": claim == "meta-gradient"}
        for claim in ("meta-gradient", "path", "sharper second moment per task", "bias", "typical stepsize")
        for (problem, role), tightness in zip(names, (0.0, 0.5, 0.99, 1.0), strict=True)
        if (claim, problem) != ("bias", "quadratic")
    ]


_SOME = {"phase": {"N": (1, 8, 50)}, "smoothness": {"N": (1, 5, 20)}}
_INVENTED = {"divergence": _divergence, "convergence": _convergence, "complexity": _complexity, "tightness": _tightness}


@pytest.fixture(scope="session", params=registry())
def drawable(request: pytest.FixtureRequest, compute: Compute) -> tuple[str, Table]:
    """A figure's name, and data to draw it from: its own, or some of them, where that is cheap."""
    name = request.param
    return name, invented(name) if name in _INVENTED else compute(name, **_SOME.get(name, {}))
