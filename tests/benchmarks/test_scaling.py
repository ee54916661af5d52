"""How time and memory grow with replicas R, tasks B and inner steps N."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import numpy as np
import pytest

from problems.registry import family
from tests.benchmarks.cases import ALPHA, Case
from tests.benchmarks.timing import alternate
from theory.maml import meta_gradient
from verify.evidence.fits import power_law

SIZES = {"R": (200, 640, 2000, 6400, 20_000), "B": (64, 200, 640, 2000, 6400), "N": (5, 15, 50, 150, 500)}


def case(kind: str, axis: str, size: int) -> Case:
    return Case(kind, **{"R": 128, "B": 8, "d": 10, "N": 5, axis: size})


@pytest.mark.parametrize("axis", SIZES)
@pytest.mark.parametrize("kind", ["cosine", "regression"])
def test_time(kind: str, axis: str, report: Callable[[str], None]) -> None:
    """The exponent of a power law over two decades, fitted to least times."""
    calls = {}
    for size in SIZES[axis]:
        inner, outer, w = case(kind, axis, size).build()
        N = size if axis == "N" else 5
        calls[str(size)] = lambda inner=inner, outer=outer, w=w, N=N: meta_gradient(w, ALPHA, N, inner, outer)
    times = alternate(calls, seconds=1.0)
    grown = "(N + 1)" if axis == "N" else axis
    work = [size + 1 if axis == "N" else size for size in SIZES[axis]]  # N inner gradients and the outer one
    fit = power_law(work, list(times.values()))
    report(
        f"{kind}: time grows as {grown}^{fit.slope:.3f} (between {fit.lower:.3f} and {fit.upper:.3f}), {SIZES[axis]}"
    )


def extra_memory(call: Callable[[], np.ndarray]) -> int:
    """Peak of the memory allocated during a call, beyond its result, in bytes.

    In a thread of its own, since work arrays stay with a thread that has called before.
    """

    def trace() -> int:
        tracemalloc.start()
        result = call()
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return peak - result.nbytes

    with ThreadPoolExecutor(max_workers=1) as thread:
        return thread.submit(trace).result()


@pytest.mark.parametrize("kind", ["cosine", "regression"])
def test_memory_is_flat_in_replicas_beyond_a_block(kind: str, report: Callable[[str], None]) -> None:
    peaks = {}
    for R in (2_000, 20_000):
        inner, outer, w = case(kind, "R", R).build()
        peaks[R] = extra_memory(partial(meta_gradient, w, ALPHA, 5, inner, outer))
    report(f"{kind}: " + ", ".join(f"{peak / 1e6:.2f} MB beyond the result at R = {R}" for R, peak in peaks.items()))
    assert peaks[20_000] < 1.25 * peaks[2_000]  # blocks of equal length differ a little in length


def test_memory_of_the_general_way_is_linear_in_steps(report: Callable[[str], None]) -> None:
    """The softmax has no way of its own: the path is kept, N points and what its Hessians share."""
    problem = family("softmax-bandit").build(1, 0.1)
    w = problem.probes(300, np.random.default_rng(84))[:, None]
    steps = (10, 30, 100, 300)
    peaks = [extra_memory(partial(meta_gradient, w, 0.1, N, problem.inner, problem.outer)) for N in steps]
    fit = power_law(list(steps), peaks)
    report(f"general way: memory grows as N^{fit.slope:.3f} (between {fit.lower:.3f} and {fit.upper:.3f}), N = {steps}")
    assert abs(fit.slope - 1) < 0.1
