"""Where exact MAML with a fixed meta stepsize diverges: measured by iterating it, beside the paper's cap."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from problems.opposed_curvature import opposed_curvature, opposed_curvature_quadratic
from problems.registry import family
from theory.growth import stepsize_cap
from theory.maml import mean_over_tasks, meta_gradient
from verify.cell import Cell
from verify.claim import claims
from verify.claims.larger_cap import kept_to_its_side
from verify.claims.stepsize_cap import critical_stepsize, farthest
from verify.evidence.critical import Bracket, contracts, first_failure, fixed_steps
from verify.running.records import Record
from verify.verdict import Finding, judge

Check = Callable[..., list[Record]]


@pytest.mark.parametrize(
    ("name", "steps"),
    [
        ("opposed-curvature", range(1, 51)),
        ("opposed-curvature-quadratic", range(1, 51)),
        ("twin-wells", range(1, 25)),
        ("twin-wells", range(25, 40)),
        ("twin-wells", range(40, 51)),
    ],
)
def test_the_critical_stepsize_is_the_cap_to_one_in_a_million_at_every_N(name: str, steps: range) -> None:
    for N in steps:
        problem, found = critical_stepsize(name, N)
        cap = float(stepsize_cap(problem.constants, N))
        assert abs(found.low / cap - 1) < 1e-6
        assert abs(found.high / cap - 1) < 1e-6
        assert found.low < found.high


def test_the_sweep_reports_the_N_that_is_farthest_from_the_formula(check: Check) -> None:
    (found,) = check("stepsize cap sweep", "opposed-curvature", N=1)
    assert found.verdict == "holds"
    assert found.samples == 50
    assert found.tightness == pytest.approx(1, abs=1e-6)
    assert "is farthest" in found.note


def test_the_sweep_finds_one_N_at_which_the_formula_is_too_large(make_cell: Callable[..., Cell]) -> None:
    cell = make_cell("stepsize cap sweep", "opposed-curvature", N=1)
    wrong = replace(cell, changes={"cap": lambda p: p.cap * (1.001 if p.N == 7 else 1)})
    (finding,) = claims()["stepsize cap sweep"].check(wrong)
    assert (finding.label, judge(finding)) == ("N = 7", "violated")


def test_the_typical_stepsize_is_the_first_at_which_iterates_do_not_settle(make_cell: Callable[..., Cell]) -> None:
    cell = make_cell("typical stepsize", "rotated-cosine-finite-noise", N=5)
    problem, L = cell.problem, cell.constants.L
    (finding,) = claims()["typical stepsize"].check(cell)
    for alpha, settles in ((finding.bound / 32 ** (1 / 25), True), (finding.bound, False)):
        w, _ = fixed_steps(problem, 5, alpha, 1 / L, problem.start[None], 200)
        gradient = mean_over_tasks(meta_gradient(w[:, None], alpha, 5, problem.inner, problem.outer))
        assert (np.linalg.norm(gradient) < 1.5e-8 * L * problem.scale) == settles


def test_the_cap_has_nothing_to_say_elsewhere(check: Check) -> None:
    for claim in ("stepsize cap", "two-cycle"):
        assert [record.verdict for record in check(claim, "quadratic")] == ["inapplicable"]


def test_first_failure_brackets_a_threshold() -> None:
    found = first_failure(lambda x: x < 0.7310585, 0.0, 2.0)
    assert found.low < 0.7310585 <= found.high
    assert found.high - found.low < 2 / 256**3 * 1.01
    first = first_failure(lambda x: (x < 0.7310585) | (x > 1.2), 0.0, 2.0)  # what is stable again comes too late
    assert first.low < 0.7310585 <= first.high
    assert first_failure(lambda x: x < 3, 0.0, 2.0) == Bracket(2.0, np.inf)
    assert first_failure(lambda x: x < -1, 0.0, 2.0) == Bracket(0.0, 0.0)


def test_contraction_follows_the_linear_map_of_opposed_quadratics() -> None:
    problem = opposed_curvature_quadratic(L=0.4)
    alpha_L = np.array([0.05, 0.10, 0.107, 0.2])  # N = 3: q^6 = 1.34, 1.77, 1.84, 2.99 against 2/(βL) = 1.8
    found = contracts(problem, 3, alpha_L / 0.4, 1 / (0.9 * 0.4), 0.7)
    np.testing.assert_array_equal(found, [True, True, False, False])
    previous, last = fixed_steps(problem, 3, alpha_L / 0.4, 1 / (0.9 * 0.4), np.full((4, 2), 0.7), 5)
    factor = 1 - (1 + alpha_L) ** 6 / 0.9
    np.testing.assert_allclose(last, (0.7 * factor**5)[:, None] * np.ones(2), rtol=1e-12)
    np.testing.assert_allclose(previous, (0.7 * factor**4)[:, None] * np.ones(2), rtol=1e-12)


def test_divergence_does_not_warn() -> None:
    problem = family("opposed-curvature-quadratic").build(5, 0.1)
    _, last = fixed_steps(problem, 5, np.array([5.0]), 1.0, np.ones((1, 2)), 400)
    assert not np.isfinite(last).any()


@pytest.mark.parametrize("N", [1, 7])
def test_past_the_cap_opposed_cosines_alternate_and_do_not_blow_up(N: int) -> None:
    L, omega = 0.8, 2.3
    problem = opposed_curvature(L=L, omega=omega)
    cap = float(stepsize_cap(problem.constants, N))
    alpha = cap * np.array([0.9, 1.1, 3.0])
    start = np.full((3, 1), 0.2 / omega)
    before, after = fixed_steps(problem, N, alpha, 1 / L, start, 300)
    assert np.linalg.norm(after[0]) < 1e-6 / omega
    assert np.linalg.norm(after[1]) > 0.1 / omega
    np.testing.assert_allclose(after[1], -before[1], rtol=1e-9)
    assert abs(after[2, 0]) < 10 / omega


def test_typical_problems_are_stable_well_beyond_the_cap(check: Check) -> None:
    for N in (1, 5):
        (found,) = check("typical stepsize", "rotated-cosine-finite-noise", N=N)
        assert found.verdict == "holds"
        assert found.tightness is not None
        assert found.tightness < 0.5


def test_products_of_reflections_turn_by_a_right_angle_just_past_the_larger_cap() -> None:
    for factors in (2, 10, 40):
        edge = np.sin(np.pi / (2 * factors))
        np.testing.assert_array_equal(
            kept_to_its_side(edge * np.array([0.5, 0.999, 1.001]), factors), [True, True, False]
        )


def test_no_product_of_symmetric_factors_turns_farther_than_the_reflections() -> None:
    rng = np.random.default_rng(2)
    factors, x = 6, 0.999 * np.sin(np.pi / 12)
    S = rng.normal(size=(factors, 20_000, 3, 3))
    S = S + S.swapaxes(-1, -2)
    S /= np.linalg.norm(S, ord=2, axis=(-2, -1), keepdims=True)
    v = first = rng.normal(size=(20_000, 3))
    for step in S:
        v = v + x * np.einsum("pij,pj->pi", step, v)
    assert ((v * first).sum(axis=1) > 0).all()


def test_the_sweep_reports_the_N_that_its_bracket_explains_least() -> None:
    wide, narrow = (
        Finding(measured=1 - error, bound=1.0, slack=slack) for error, slack in ((1e-6, 2e-6), (5e-7, 1e-8))
    )
    assert farthest(narrow) > 0 > farthest(wide)
