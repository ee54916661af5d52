"""COMPLEXITY: orders and counts hold, mutants fall, and reading `K(ε)` off a run is exact."""

from collections.abc import Callable

import numpy as np
import pytest

from problems.registry import families
from theory.algorithms import Trajectory
from verify.claims.complexity import steps_needed
from verify.running.records import Record

Check = Callable[..., list[Record]]
ORDINARY = [name for name, family in families().items() if family.role == "ordinary"]


def trajectory(norms: list[float]) -> Trajectory:
    norm = np.array([norms])
    nothing = np.zeros((1, 0))
    return Trajectory(norm, nothing, nothing, nothing, nothing, np.zeros((1, 0, 1)), np.array([-1]), 0, 0)


def test_the_steps_needed_are_counted_on_the_running_mean() -> None:
    run = trajectory([4.0, 2.0, 3.0, 1.0])  # running means 4, 3, 3, 2.5
    needed = steps_needed(run, [5.0, 4.0, 3.5, 3.0, 2.5, 2.4])
    assert needed.tolist() == [1, 1, 2, 2, 4, np.inf]


@pytest.mark.parametrize("problem", ORDINARY)
@pytest.mark.parametrize("N", [0, 3])
def test_oracle_calls_are_equal_to_the_formulas(check: Check, problem: str, N: int) -> None:
    records = check("oracle calls", problem, N, "recommended")
    assert len(records) == 4
    assert all(record.verdict == "holds" and record.measured == record.bound for record in records)


@pytest.mark.parametrize("problem", ORDINARY)
def test_the_theorems_certify_the_promised_orders(check: Check, problem: str) -> None:
    for N in (1, 10):
        records = check("complexity certified", problem, N, "recommended")
        assert [record.verdict for record in records] == ["holds", "holds"]
        assert all(record.tightness is not None and record.tightness > 0.99 for record in records)
        assert all(record.slack is not None and 0 < record.slack < 5e-3 for record in records)


@pytest.mark.parametrize("problem", ["ramp", "ramp-finite-sum", "noise-floor", "noise-floor-data"])
def test_less_than_the_promised_orders_is_no_fault_where_there_is_no_noise_or_no_gap(
    check: Check, problem: str
) -> None:
    records = check("complexity certified", problem, 1, "recommended")
    assert [record.verdict for record in records] == ["holds", "holds"]


@pytest.mark.parametrize(
    ("name", "problem", "N", "rule"),
    [
        ("complexity in accuracy", "slow-slope", 1, "recommended"),
        ("complexity in inner steps", "slow-slope", 5, "recommended"),
        ("complexity at fixed stepsize", "ramp", 5, "fixed"),
    ],
)
def test_measured_orders_are_those_promised(check: Check, name: str, problem: str, N: int, rule: str) -> None:
    records = check(name, problem, N, rule)
    assert {record.verdict for record in records} == {"holds"}
    assert records[-1].tightness is not None
    assert records[-1].tightness > 0.9
