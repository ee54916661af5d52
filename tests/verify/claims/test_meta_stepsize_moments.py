from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from problems.registry import family
from theory.constants import Schedule
from theory.paper import Paper
from verify.cell import alpha_L
from verify.running.records import Record

Check = Callable[..., list[Record]]
CLAIMS = ["stepsize lambda", "stepsize kappa", "sharper stepsize kappa", "sharper stepsize mean"]


@pytest.mark.parametrize("claim", CLAIMS)
@pytest.mark.parametrize("problem", ["softmax-bandit", "rotated-cosine-finite-noise", "quadratic-finite-sum", "welsch"])
def test_draws_of_tasks_and_data_are_enumerated(claim: str, problem: str, check: Check) -> None:
    records = check(claim, problem, N=2)
    assert {(record.verdict, record.method) for record in records} == {("holds", "enumeration")}
    sizes = {record.label for record in records}
    assert {"D_L = 1, B' = 1", "D_L = 1, B' = 2"} <= sizes
    assert ("D_L = 4, B' = 1" in sizes) == (family(problem).case == "resampling")


@pytest.mark.parametrize("claim", CLAIMS)
def test_continuous_noise_is_sampled_even_if_unbounded_since_the_stepsize_is_bounded(claim: str, check: Check) -> None:
    records = check(claim, "rotated-cosine", N=2)
    assert len(records) == 4
    assert {(record.verdict, record.method) for record in records} == {("holds", "monte-carlo")}
    unbounded = family("rotated-cosine").build(2, 0.1)
    assert unbounded.noise is not None
    unbounded.noise.gradient_sup = np.inf
    records = check("stepsize kappa", "rotated-cosine", N=2, problem=unbounded)
    assert {(record.verdict, record.method) for record in records} == {("holds", "monte-carlo")}


def test_the_moments_are_those_of_the_stepsize(check: Check) -> None:
    problem = family("quadratic-finite-sum").build(2, 0.1)
    problem = replace(
        problem,
        constants=replace(problem.constants, rho=1.9),  # any number above the true one, so that L̂ is not constant
        probes=lambda count, rng: np.tile(problem.start, (count, 1)),
    )
    c, s = problem.constants, Schedule(N=2, alpha=alpha_L("near cap", 2) / problem.constants.L)
    norms = np.linalg.norm(problem.outer.gradient(problem.start), axis=-1)
    ratio = np.asarray(Paper(c, s).L_w(float(norms.mean()))) / np.asarray(Paper(c, s).L_w(norms))
    first = check("stepsize lambda", problem.name, N=2, problem=problem)[0]
    second = check("stepsize kappa", problem.name, N=2, problem=problem)[0]
    assert np.ptp(ratio) > 0.1
    assert first.measured == pytest.approx(1 / ratio.mean(), rel=1e-13)
    assert second.measured == pytest.approx((ratio**2).mean(), rel=1e-13)
    assert (first.bound, second.bound) == (1.0, 2.0)


def test_sampling_finds_what_enumeration_finds(check: Check, monkeypatch: pytest.MonkeyPatch) -> None:
    exact = check("stepsize lambda", "softmax-bandit", N=2)
    monkeypatch.setattr("verify.claims.meta_stepsize_moments.number_of_minibatches", lambda problem, size: np.inf)
    monkeypatch.setattr("verify.claims.meta_stepsize_moments.few_points", lambda cell: cell.problem.start[None])
    sampled = check("stepsize lambda", "softmax-bandit", N=2)
    monkeypatch.undo()
    monkeypatch.setattr("verify.claims.meta_stepsize_moments.few_points", lambda cell: cell.problem.start[None])
    exact = check("stepsize lambda", "softmax-bandit", N=2)
    by_size = {record.label: record for record in sampled}
    assert {record.label for record in exact} <= set(by_size)
    for record in exact:
        other = by_size[record.label]
        assert (record.method, other.method) == ("enumeration", "monte-carlo")
        assert record.measured is not None
        assert other.lower is not None
        assert other.upper is not None
        assert other.lower <= record.measured <= other.upper
