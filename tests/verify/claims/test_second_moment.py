from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from problems.registry import family
from theory.maml import adapt
from verify.cell import Cell, alpha_L
from verify.claim import claims
from verify.evidence.intervals import Interval, mean_interval
from verify.evidence.ranges import AlmostSure
from verify.running.records import Record
from verify.verdict import Values

Check = Callable[..., list[Record]]


@pytest.mark.parametrize("name", ["sigma_g", "sigma_H"])
def test_a_constant_of_noise_that_is_too_small_is_seen(name: str, check: Check) -> None:
    right = family("saddle-hessian-noise").build(2, alpha_L("near cap", 2))
    wrong = replace(right, constants=replace(right.constants, **{name: 0.9 * getattr(right.constants, name)}))
    records = check("sharper second moment per task", "saddle-hessian-noise", N=2, problem=wrong)
    assert "violated" in {record.verdict for record in records}


def test_large_problems_are_sampled_without_matrices(check: Check, monkeypatch: pytest.MonkeyPatch) -> None:
    conditional = check("second moment per task", "softmax-bandit", N=9)[0]
    monkeypatch.setattr("verify.claims.second_moment.LARGEST_MATRICES", 1)
    plain = check("second moment per task", "softmax-bandit", N=9)[0]
    for record in (conditional, plain):
        assert (record.verdict, record.method) == ("holds", "monte-carlo")
    assert conditional.upper is not None
    assert conditional.lower is not None
    assert plain.upper is not None
    assert plain.lower is not None
    assert conditional.upper - conditional.lower < 0.7 * (plain.upper - plain.lower)


def test_plain_squares_have_the_range_of_any_estimator(
    make_cell: Callable[..., Cell], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not that of their conditional mean, in which the noise of D and T data is averaged."""
    highs: list[Values] = []

    def recorded(samples: Values, delta: float, low: float, high: Values) -> Interval:
        highs.append(high)
        return mean_interval(samples, delta, low, high)

    monkeypatch.setattr("verify.claims.second_moment.mean_interval", recorded)
    cell = make_cell("second moment per task", "rotated-cosine", N=2)
    list(claims()["second moment per task"].check(cell))
    problem = cell.problem
    start = np.tile(problem.start, (problem.number_of_tasks, 1))
    last = np.linalg.norm(problem.inner.gradient(adapt(start, cell.alpha, [problem.inner] * 2)[-1]), axis=-1)
    np.testing.assert_allclose(highs[0][0], AlmostSure.of(problem, cell.alpha, 2).estimator(last) ** 2, rtol=1e-9)


def test_the_sharper_bound_is_tighter(check: Check) -> None:
    problem = family("softmax-bandit").build(3, 0.1)
    problem = replace(problem, probes=lambda count, rng: np.tile(problem.start, (count, 1)))
    paper, sharper = (
        check(claim, "softmax-bandit", N=3, problem=problem)[0]
        for claim in ("second moment per task", "sharper second moment per task")
    )
    assert paper.tightness is not None
    assert sharper.tightness is not None
    assert 0.1 < paper.tightness < sharper.tightness < 1


def test_the_finite_sum_form_is_attacked(check: Check) -> None:
    (record,) = check("second moment finite-sum", "quadratic-finite-sum", N=2, rule="recommended")
    assert (record.verdict, record.method) == ("holds", "attack")
    assert record.tightness is not None
    assert 0.05 < record.tightness < 1
    (record,) = check("second moment finite-sum", "quadratic-finite-sum", N=2, rule="past cap")
    assert record.verdict == "vacuous"


def test_sizes_that_an_instance_is_made_for_are_enumerated_and_never_sampled(check: Check) -> None:
    labels = [record.label for record in check("second moment", "coordinate-vee", N=1, rule="small")]
    assert labels[-1] == f"S, D, T = 1, 1, {10**9}"
    many = check("second moment", "coordinate-vee", N=2, rule="small")
    assert all(record.label != labels[-1] or record.method == "enumeration" for record in many)
