"""What this machine's NumPy can do, measured in the run that uses it: the rates of which rooflines are made."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

import numpy as np

from problems.losses.half_angle import ONE, POLES, TWO, fractions, partial_fractions
from problems.losses.penalty import Penalty
from problems.losses.workspace import workspace
from tests.benchmarks.timing import alternate
from theory.loss import Array

SIZES = (2_000, 4_000, 8_000, 16_000, 32_000)
"""Lengths of the arrays; the best one counts, so neither call overhead nor memory is in a rate."""


@dataclass(frozen=True)
class Rates:
    """Seconds a sine with its cosine (the cheapest of three ways), a tangent, an exponential, and a flop of a GEMM."""

    sine_cosine: float
    tangent: float
    exponential: float
    flop: float

    def __str__(self) -> str:
        nanoseconds = {"sine and cosine": self.sine_cosine, "tangent": self.tangent, "exp": self.exponential}
        listed = ", ".join(f"{name} {1e9 * value:.2f} ns" for name, value in nanoseconds.items())
        return f"rates of this machine: {listed}, GEMM {1e-9 / self.flop:.0f} Gflop/s"


def measure_rates() -> Rates:
    square = np.random.default_rng(0).normal(size=(500, 500))
    product = np.empty_like(square)
    gemm = alternate({"gemm": lambda: np.matmul(square, square, out=product)})["gemm"]
    return Rates(
        sine_cosine=min(map(per_number, (_library_tangent, _partial_fractions, _sine_then_cosine))),
        tangent=per_number(lambda x, a, b: np.tan(x, out=a)),
        exponential=per_number(lambda x, a, b: np.exp(x, out=a)),
        flop=gemm / (2 * 500**3),
    )


def per_number(function: Callable[[Array, Array, Array], object]) -> float:
    """Least time a number of `function(x, a, b)`, which may write to a and b, over the lengths of `SIZES`."""
    rng = np.random.default_rng(1)

    def call(size: int) -> Callable[[], object]:
        x, a, b = rng.normal(size=size), np.empty(size), np.empty(size)
        return lambda: function(x, a, b)

    times = alternate({str(size): call(size) for size in SIZES}, seconds=0.1)
    return min(times[str(size)] / size for size in SIZES)


@cache
def penalty_rate(penalty: Penalty) -> float:
    """Seconds a residual for first and second derivative of a penalty's profile."""

    def derivatives(x: Array, a: Array, b: Array) -> None:
        penalty.slope(x, a, b)
        penalty.curvature(b, a)

    return per_number(derivatives)


def _library_tangent(x: Array, a: Array, b: Array) -> None:
    np.tan(x, out=a)
    _from_half_angle(a, b)


def _partial_fractions(x: Array, a: Array, b: Array) -> None:
    partial_fractions(x, a, b, fractions(*workspace((len(POLES), len(x)))))
    _from_half_angle(a, b)


def _from_half_angle(a: Array, b: Array) -> None:
    np.square(a, out=b)
    np.add(b, ONE, out=b)
    np.divide(TWO, b, out=b)
    np.multiply(a, b, out=a)
    np.subtract(b, ONE, out=b)


def _sine_then_cosine(x: Array, a: Array, b: Array) -> None:
    np.sin(x, out=a)
    np.cos(x, out=b)
