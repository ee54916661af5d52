"""Claims without sampling: they hold where they should, fail where they should, and are as tight as they say."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from problems.problem import Problem
from problems.registry import family
from theory.maml import pull_back
from verify.cell import Cell, alpha_L
from verify.claim import claims
from verify.evidence.attack import worst_of
from verify.running.records import Record

Check = Callable[..., list[Record]]

ATTACKED = ("path", "gradient growth", "link", "smoothness", "task smoothness", "descent", "meta-gradient")


def verdicts(records: list[Record]) -> set[str]:
    return {record.verdict for record in records}


@pytest.mark.parametrize("name", ["quadratic-finite-sum", "rotated-cosine-finite-noise", "welsch"])
@pytest.mark.parametrize("claim", ATTACKED)
def test_holds_on_ordinary_problems_at_every_stepsize_rule(claim: str, name: str, check: Check) -> None:
    for rule in claims()[claim].at:
        found = check(claim, name, N=2, rule=rule)
        assert verdicts(found) <= {"holds", "vacuous"}
        if claim != "meta-gradient":
            assert all(r.tightness is None or 0.02 < r.tightness <= 1 + 1e-9 for r in found if r.verdict == "holds")


@pytest.mark.parametrize(("claim", "rule"), [("link", "fixed"), ("link", "past cap"), ("sharper link", "fixed")])
def test_link_is_vacuous_past_its_cap(claim: str, rule: str, check: Check) -> None:
    (found,) = check(claim, "convex-quadratic", N=10, rule=rule)
    assert found.verdict == "vacuous"
    cap = "larger cap" if claim == "sharper link" else "cap"
    assert found.note == f"α is past the {cap}: the statement does not speak"


def test_the_sharper_link_speaks_where_the_paper_does_not(check: Check) -> None:
    assert verdicts(check("link", "rotated-cosine-finite-noise", N=5, rule="past cap")) == {"vacuous"}
    assert verdicts(check("sharper link", "rotated-cosine-finite-noise", N=5, rule="past cap")) == {"holds"}
    assert verdicts(check("sharper link", "opposed-curvature", N=5)) == {"inapplicable"}


def test_descent_holds_past_the_cap(check: Check) -> None:
    for name in ("opposed-curvature", "twin-wells", "rotated-cosine-finite-noise"):
        assert verdicts(check("descent", name, N=5, rule="past cap")) == {"holds"}


def misdeclared(name: str, N: int, rule: str, **factors: float) -> Problem:
    """A problem some of whose constants are declared too small by these factors."""
    problem = family(name).build(N, alpha_L(rule, N))
    c = problem.constants
    wrong = {field: getattr(c, field) * factor for field, factor in factors.items()}
    return replace(problem, constants=replace(c, **wrong))


@pytest.mark.parametrize(
    ("claim", "name", "rule", "factors"),
    [
        ("path", "saddle", "near cap", {"L": 0.97}),
        ("gradient growth", "saddle", "near cap", {"L": 0.97}),
        ("link", "cusp", "small", {"sigma": 0.97}),
        ("link", "cusp-mismatch", "small", {"b": 0.97}),
        ("sharper link", "convex-quadratic", "near cap", {"L": 0.97}),
        ("smoothness", "saddle", "near cap", {"L": 0.97}),
        ("smoothness", "teeth", "near cap", {"rho": 0.97}),
        ("smoothness", "teeth-finite-sum", "fixed", {"b": 0.9}),
        ("task smoothness", "kink", "near cap", {"rho": 0.97}),
        ("descent", "opposed-curvature-quadratic", "near cap", {"L": 0.97}),
    ],
)
def test_is_violated_on_a_problem_with_constants_that_are_too_small(
    claim: str, name: str, rule: str, factors: dict[str, float], check: Check
) -> None:
    assert "violated" in verdicts(check(claim, name, rule=rule, problem=misdeclared(name, 5, rule, **factors)))


def test_a_wrong_hessian_is_caught_by_either_independent_derivative(check: Check) -> None:
    right = family("random-ridges").build(5, 0.1)

    class WrongHessian(type(right.inner)):  # type: ignore[misc]
        def _hvp(self, angle: np.ndarray, v: np.ndarray) -> np.ndarray:
            return np.asarray((1 + 1e-4) * super()._hvp(angle, v))

    wrong = replace(right, inner=WrongHessian(**vars(right.inner)))
    for analytic, label in ((True, "complex step"), (False, "central difference")):
        held, _ = check("meta-gradient", "random-ridges", problem=replace(right, analytic=analytic))
        caught, _ = check("meta-gradient", "random-ridges", problem=replace(wrong, analytic=analytic))
        assert (held.verdict, held.label) == ("holds", label)
        assert caught.verdict == "violated"


def test_a_wrong_pull_back_is_caught(check: Check, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        "verify.claims.meta_gradient.pull_back", lambda v, path, alpha, losses: pull_back(v, path[1:], alpha, losses)
    )
    derivative, pulled_back = check("meta-gradient", "random-ridges")
    assert (derivative.verdict, pulled_back.verdict) == ("holds", "violated")


@pytest.mark.parametrize("name", ["path", "smoothness", "gradient growth", "descent"])
def test_a_witness_replays_its_finding(name: str, make_cell: Callable[..., Cell]) -> None:
    claim, cell = claims()[name], make_cell(name, "rotated-cosine-finite-noise")
    finding = next(iter(claim.check(cell)))
    points = {key: np.asarray(value, dtype=np.float64)[None, None] for key, value in finding.witness.items()}
    if "C_beta" in points:
        points["C_beta"] = points["C_beta"][0]
    part = {"part": finding.label} if finding.label else {}
    value, bound, _ = worst_of(claim.measure(cell, **points, **part))
    np.testing.assert_allclose([value[0], bound[0]], [finding.measured, finding.bound], rtol=1e-6)


def test_the_attack_finds_more_than_its_probes_and_is_reproducible(check: Check) -> None:
    name = "rotated-cosine-finite-noise"
    (first,), (again,) = check("smoothness", name), check("smoothness", name)
    assert (first.measured, first.bound, first.witness) == (again.measured, again.bound, again.witness)
    (other,) = check("smoothness", name, seed=1)
    assert first.witness != other.witness
    (longer,) = check("smoothness", name, profile="default")
    assert longer.tightness is not None
    assert first.tightness is not None
    assert longer.tightness > first.tightness
