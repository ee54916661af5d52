from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from problems.registry import family
from theory.maml import adapt
from verify.cell import Cell, alpha_L
from verify.claims.deviation import squares_and_stretch, squares_interval
from verify.running.records import Record

Check = Callable[..., list[Record]]


def test_every_step_that_can_be_enumerated_is_checked(check: Check) -> None:
    first, second = check("deviation second moment", "rotated-cosine-finite-noise", N=20)
    assert (first.label, second.label) == ("S = 1, all j ≤ 5", "S = 4, all j ≤ 1")
    assert first.samples == 5 * 3 * 4  # steps, points, tasks


def test_an_equality_is_decided_by_sampling_with_the_audited_noise(check: Check) -> None:
    # At j = 1 cosine noise attains the bound: no interval of the plain mean could be within it.
    (record,) = check("deviation second moment", "rotated-cosine", N=1)
    assert record.verdict == "holds"
    assert record.upper == pytest.approx(record.bound, rel=1e-12)
    assert record.lower is not None
    assert record.bound is not None
    assert record.measured is not None
    assert 0.5 * record.bound < record.lower < record.measured <= record.bound * (1 + 1e-12)


@pytest.mark.parametrize("problem", ["saddle-noise", "rotated-cosine"])
@pytest.mark.parametrize("claim", ["deviation mean", "deviation second moment", "sharper deviation mean"])
def test_a_constant_of_noise_that_is_too_small_is_seen(claim: str, problem: str, check: Check) -> None:
    right = family(problem).build(1, alpha_L("near cap", 1))
    wrong = replace(right, constants=replace(right.constants, sigma_g=0.6 * right.constants.sigma_g))
    assert "violated" in {record.verdict for record in check(claim, problem, N=1, problem=wrong)}


def test_the_mean_is_far_below_the_papers_bound_for_many_steps_and_near_the_sharper_one(check: Check) -> None:
    paper, sharper = (check(name, "rotated-cosine", N=10)[0] for name in ("deviation mean", "sharper deviation mean"))
    assert paper.tightness is not None
    assert sharper.tightness is not None
    assert paper.tightness < 0.4
    assert sharper.tightness > 0.75


def test_without_noise_the_square_of_a_deviation_grows_by_the_stretch_alone(make_cell: Callable[..., Cell]) -> None:
    """Two noiseless paths from different points."""
    cell = make_cell("deviation second moment", "rotated-cosine")
    w = cell.problem.probes(2, np.random.default_rng(4))
    starts = (np.tile(x, (cell.problem.number_of_tasks, 1)) for x in w)
    one, other = (adapt(start, cell.alpha, [cell.problem.inner] * 5) for start in starts)
    squares, stretch = squares_and_stretch(cell, one, other)
    np.testing.assert_allclose(squares, np.square(w[0] - w[1]).sum() + stretch, rtol=1e-12)
    assert np.abs(stretch).min() > 0


def test_the_measured_squares_decide_where_the_noise_is_much_less_than_is_assumed(
    make_cell: Callable[..., Cell],
) -> None:
    cell = make_cell("deviation second moment", "rotated-cosine", N=1)
    samples = np.zeros((10_000, 1, 2))
    interval = squares_interval(cell, 1, samples, 0.1)
    assert interval.upper[0] < 0.1 * (cell.alpha * cell.constants.sigma_g) ** 2


def test_a_witness_replays(check: Check) -> None:
    first, _ = check("deviation second moment", "softmax-bandit", N=2)
    w = np.array(first.witness["w"])
    there = replace(family("softmax-bandit").build(2, 0.1), start=w, probes=lambda count, rng: np.tile(w, (count, 1)))
    again, _ = check("deviation second moment", "softmax-bandit", N=2, problem=there)
    assert again.measured == pytest.approx(first.measured, rel=1e-12)
    assert again.witness == first.witness
