"""Verdicts: where the limits of a measurement lie beside its bound, to the last digit."""

from __future__ import annotations

import math
from typing import Any

import pytest

from verify.verdict import Finding, fault, judge

ULP = 2.0**-52


@pytest.mark.parametrize(
    ("fields", "verdict"),
    [
        ({}, "holds"),
        ({"measured": 2.0}, "holds"),
        ({"measured": 2 * (1 + ULP)}, "violated"),
        ({"measured": 2.25, "slack": 0.25}, "holds"),
        ({"measured": 2.25 * (1 + ULP), "slack": 0.25}, "violated"),
        ({"lower": 1.0, "upper": 2.0}, "holds"),
        ({"lower": 1.0, "upper": 2 * (1 + ULP)}, "inconclusive"),
        ({"measured": 3.0, "lower": 2.0, "upper": 4.0}, "inconclusive"),
        ({"measured": 3.0, "lower": 2 * (1 + ULP), "upper": 4.0}, "violated"),
        ({"measured": 2.0, "attained": True}, "holds"),
        ({"measured": 2 * (1 - ULP), "attained": True}, "violated"),
        ({"measured": 1.5, "attained": True, "shortfall": 0.25}, "holds"),
        ({"measured": 1.25, "attained": True, "shortfall": 0.25, "slack": 0.25}, "holds"),
        ({"measured": 1.25 * (1 - ULP), "attained": True, "shortfall": 0.25, "slack": 0.25}, "violated"),
        ({"measured": 1.5, "attained": True, "lower": 1.0, "upper": 2.0}, "inconclusive"),
        ({"bound": math.inf}, "vacuous"),
        ({"measured": math.inf}, "violated"),
        ({"measured": math.nan}, "error"),
        ({"bound": math.nan}, "error"),
        ({"bound": -1.0}, "error"),
        ({"bound": -math.inf}, "error"),
        ({"bound": -math.inf, "signed": True}, "error"),
        ({"bound": -1e-9, "measured": 0.0, "slack": 1e-9}, "holds"),
        ({"bound": -1.0, "measured": -1.5, "signed": True}, "holds"),
        ({"bound": -1.0, "measured": -0.5, "signed": True}, "violated"),
        ({"slack": math.nan}, "error"),
        ({"lower": math.nan}, "error"),
    ],
)
def test_verdict(fields: dict[str, Any], verdict: str) -> None:
    assert judge(Finding(**{"measured": 1.5, "bound": 2.0, **fields})) == verdict


@pytest.mark.parametrize(
    ("measured", "bound", "slack", "tightness"),
    [
        (3.0, 4.0, 0.5, 0.75),
        (3.0, math.inf, 0.0, 0.0),
        (1e-9, 0.0, 1e-9, 0.0),
        (-1e-9, 0.0, 1e-9, 0.0),
        (2e-9, 0.0, 1e-9, math.inf),
    ],
)
def test_tightness(measured: float, bound: float, slack: float, tightness: float) -> None:
    assert Finding(measured=measured, bound=bound, slack=slack).tightness == tightness


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"measured": math.nan}, "NaN was measured: the losses are not finite at the record's witness"),
        ({"upper": math.nan}, "NaN was measured: the losses are not finite at the record's witness"),
        ({"bound": math.nan}, "the formula gives NaN as the bound"),
        ({"bound": -0.25}, "the formula gives the negative bound -0.25"),
        ({}, ""),
    ],
)
def test_what_cannot_be_judged_says_why(fields: dict[str, Any], reason: str) -> None:
    assert fault(Finding(**{"measured": 1.5, "bound": 2.0, **fields})) == reason
