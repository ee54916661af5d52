"""How time and memory grow: with replicas R, tasks B, dimension d and inner steps N, with cells and with records."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from problems.registry import family
from tests.benchmarks.cases import ALPHA, Case
from tests.benchmarks.timing import alternate
from theory.maml import meta_gradient
from verify.evidence.fits import power_law
from verify.reporting.compare import compare
from verify.running.evaluation import stamp
from verify.running.queue import Gate, Queue
from verify.running.records import RECORDS, CellName, Header, Record, header_path

SIZES = {
    "R": (200, 640, 2000, 6400, 20_000),
    "B": (64, 200, 640, 2000, 6400),
    "d": (4, 12, 40, 120, 400),
    "N": (5, 15, 50, 150, 500),
}
MANY = (100, 300, 1000, 3000, 10_000)
"""Cells of a run, or checks of each of two runs."""


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


def growth(times: Mapping[str, float]) -> str:
    """The exponent of a power law over `MANY`, and the share of one of the most."""
    fit = power_law(MANY, list(times.values()))
    each = 1e6 * times[str(MANY[-1])] / MANY[-1]
    return f"^{fit.slope:.3f} (between {fit.lower:.3f} and {fit.upper:.3f}), {MANY}, {each:.1f} µs each"


def record(number: int) -> Record:
    """A check of a cell of its own."""
    name = CellName(
        claim="path",
        problem=f"problem {number // 100}",
        problem_spec=f"problem {number // 100}",
        N=number % 100,
        rule="fixed",
        profile="quick",
        seed=0,
    )
    numbers = {"measured": 0.5, "bound": 1.0, "lower": 0.5, "upper": 0.5, "slack": 1e-12, "tightness": 0.5}
    witness = {"w": [0.1, 0.2, 0.3], "u": [0.4, 0.5, 0.6]}
    return stamp(name, [{"verdict": "holds", "label": "mean", "method": "attack", "witness": witness, **numbers}])[0]


def test_time_of_the_queue(report: Callable[[str], None]) -> None:
    """Everything that a run does with a cell but to evaluate it and to write its records."""
    named = [record(number) for number in range(MANY[-1])]

    def pass_through(count: int) -> None:
        gate, queue = Gate([one.cell for one in named[:count]], done=()), Queue()
        ready, _ = gate.admit(one.cell for one in named[:count])
        queue.add(ready)
        while queue:
            for cell in queue.take():
                queue.learn(cell, 0.1)

    report(f"queue: time grows as cells{growth(alternate({str(n): partial(pass_through, n) for n in MANY}))}")


def test_time_and_memory_of_comparing_records(report: Callable[[str], None], tmp_path: Path) -> None:
    """Two runs that agree; memory of what remains of a check that both have."""
    for count in MANY:
        run = tmp_path / str(count)
        run.mkdir()
        header_path(run / RECORDS).write_text(Header.new({}).to_json(), encoding="utf-8")
        (run / RECORDS).write_text(
            "".join(f"{record(number).to_json()}\n" for number in range(count)), encoding="utf-8"
        )
    calls = {str(n): partial(compare, tmp_path / str(n), tmp_path / str(n), 0.01) for n in MANY}
    report(f"compare: time grows as checks{growth(alternate(calls))}")
    peaks = {}
    for count in MANY[-2:]:
        tracemalloc.start()
        compare(tmp_path / str(count), tmp_path / str(count), 0.01)
        peaks[count] = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    report("compare: " + ", ".join(f"{peak / 1e6:.2f} MB of {count} checks" for count, peak in peaks.items()))
    assert peaks[MANY[-1]] < 400 * MANY[-1]


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
