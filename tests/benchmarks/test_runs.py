"""Algorithm 1, an enumeration, and the default suite claim by claim."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from problems.registry import family
from tests.benchmarks.rates import Rates
from tests.benchmarks.timing import alternate
from theory.algorithms import run
from theory.constants import Schedule
from verify.claim import claims
from verify.evidence.tree import enumerate_paths, mean_estimator
from verify.running.evaluation import evaluate
from verify.running.selection import Selection, plan


@pytest.mark.benchmark(group="runs")
def test_algorithm_1(benchmark: Any, rates: Rates, report: Callable[[str], None]) -> None:
    """Sixty-four replicas; the least time counts three cosines a coordinate for every gradient and Hessian."""
    problem, R = family("rotated-cosine").build(5, 0.1), 64
    s = Schedule(N=5, alpha=0.1 / problem.constants.L, B=8, S=4, D=4, T=4, B_prime=4, D_L=4, K=10)

    def call() -> object:
        rng = np.random.default_rng(82)
        return run("resampling", problem, problem.constants, s, problem.start, rng, replicas=R)

    benchmark.pedantic(call, rounds=5)
    measured = alternate({"run": call})["run"]
    evaluations = R * 10 * (8 * (2 * 5 + 1) + 4)
    examined = R * 11 * problem.number_of_tasks * (2 * (5 + 1) + 1)
    least = (3 * evaluations + 2 * examined) * problem.dim * rates.sine_cosine
    report(
        f"Algorithm 1, 64 replicas of 10 steps: {1e3 * measured:.2f} ms, least {1e3 * least:.2f} ms, "
        f"ratio {measured / least:.2f}"
    )


@pytest.mark.benchmark(group="runs")
def test_enumeration(benchmark: Any, rates: Rates, report: Callable[[str], None]) -> None:
    """Every path of three steps with six kinds of minibatch, and the mean estimator pulled back through the tree."""
    problem = family("rotated-cosine-finite-noise").build(3, 0.1)
    w, alpha = problem.probes(8, np.random.default_rng(83)), 0.1 / problem.constants.L

    def call() -> object:
        return mean_estimator(problem, enumerate_paths(problem, w, alpha, 3, 1), alpha)

    benchmark.pedantic(call, rounds=5)
    measured = alternate({"enumeration": call})["enumeration"]
    points = len(w) * problem.number_of_tasks * problem.dim
    noisy, exact = 6 + 36 + 216, 216 + 36 + 6 + 1
    least = (3 * noisy + 2 * exact) * points * rates.sine_cosine
    report(
        f"enumeration of 216 paths: {1e3 * measured:.2f} ms, least {1e3 * least:.2f} ms, ratio {measured / least:.2f}"
    )


@pytest.mark.benchmark(group="default suite by claim")
@pytest.mark.parametrize("claim", list(claims()))
def test_claim(claim: str, benchmark: Any, report: Callable[[str], None]) -> None:
    """All cells of one claim in the default profile, in one process."""
    cells = [cell for cell in plan(Selection(claims=(claim,))) if cell.claim == claim]
    records = benchmark.pedantic(lambda: [record for cell in cells for record in evaluate(cell)], rounds=1)
    assert records
    report(f"claim {claim:<55} {benchmark.stats['mean']:5.2f} s, {len(cells):3} cells, {len(records):3} checks")
