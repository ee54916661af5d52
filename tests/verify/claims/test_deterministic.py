"""Claims without sampling: they hold where they should, fail where they should, and are as tight as they say."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from problems.problem import Problem
from problems.registry import family
from verify.claim import Cell, Claim, alpha_L, claims
from verify.claims import descent, gradient_growth, path, smoothness
from verify.running.records import Record

Check = Callable[..., list[Record]]

ATTACKED = ("path", "gradient growth", "link", "smoothness", "task smoothness", "descent", "meta-gradient")
MODULES = (
    "attained",
    "constants",
    "descent",
    "gradient_growth",
    "larger_cap",
    "link",
    "link_sharper",
    "meta_gradient",
    "path",
    "smoothness",
    "stepsize_cap",
    "stepsize_past_cap",
)
OWN = [claim for claim in claims().values() if claim.check.__module__.rpartition(".")[2] in MODULES]
ATTAINED = [claim for claim in OWN if " on " in claim.name]
SHORT_DISTANCES = ("teeth", "teeth-finite-sum", "kink")
"""Instances that are attacked by pairs of points so near each other that rounding is seen."""
MUTANTS = [(claim.name, mutant.name) for claim in OWN for mutant in claim.mutants]


def verdicts(records: list[Record]) -> set[str]:
    return {record.verdict for record in records}


@pytest.mark.parametrize("name", ["quadratic-finite-sum", "rotated-cosine-finite-noise", "welsch"])
@pytest.mark.parametrize("claim", ATTACKED)
def test_holds_on_ordinary_problems_at_every_stepsize_rule(claim: str, name: str, check: Check) -> None:
    for rule in claims()[claim].rules:
        found = check(claim, name, N=2, rule=rule)
        assert verdicts(found) <= {"holds", "vacuous"}
        if claim != "meta-gradient":
            assert all(r.tightness is None or 0.02 < r.tightness <= 1 + 1e-9 for r in found if r.verdict == "holds")


@pytest.mark.parametrize(("claim", "rule"), [("link", "fixed"), ("link", "past cap"), ("sharper link", "fixed")])
def test_link_is_vacuous_past_its_cap(claim: str, rule: str, check: Check) -> None:
    (found,) = check(claim, "convex-quadratic", N=10, rule=rule)
    assert found.verdict == "vacuous"
    assert "must be <" in found.note


def test_the_sharper_link_speaks_where_the_paper_does_not(check: Check) -> None:
    assert verdicts(check("link", "rotated-cosine-finite-noise", N=5, rule="past cap")) == {"vacuous"}
    assert verdicts(check("sharper link", "rotated-cosine-finite-noise", N=5, rule="past cap")) == {"holds"}
    assert verdicts(check("sharper link", "opposed-curvature", N=5)) == {"inapplicable"}


def test_descent_holds_past_the_cap(check: Check) -> None:
    for name in ("opposed-curvature", "twin-wells", "rotated-cosine-finite-noise"):
        assert verdicts(check("descent", name, N=5, rule="past cap")) == {"holds"}


@pytest.mark.parametrize("claim", ATTAINED, ids=lambda claim: claim.name)
def test_bounds_are_attained_on_their_sharp_instances(claim: Claim, check: Check) -> None:
    assert claim.problems is not None
    resolved = 1e-5 if claim.problems[0] in SHORT_DISTANCES else 1e-9  # or slack could pass for attainment
    for N in (1, 5):
        for rule in claim.rules:
            found = check(claim.name, claim.problems[0], N=N, rule=rule)
            assert verdicts(found) == {"holds"}
            assert all(record.tightness is not None and record.tightness >= 0.99 for record in found)
            assert all(record.slack <= resolved * record.bound for record in found)


@pytest.mark.parametrize("claim", ATTAINED, ids=lambda claim: claim.name)
def test_a_looser_bound_is_attained_nowhere_in_the_family(claim: Claim, check: Check) -> None:
    (looser,) = claim.mutants
    assert verdicts(check(claim.name, looser.problem, looser.N, looser.rule, mutant=looser.name)) == {"violated"}


@pytest.mark.parametrize(("claim", "mutant"), MUTANTS)
def test_every_mutant_is_refuted_where_the_right_formula_holds(claim: str, mutant: str, check: Check) -> None:
    place = next(m for m in claims()[claim].mutants if m.name == mutant)
    cell = (claim, place.problem, place.N, place.rule)
    assert "violated" in verdicts(check(*cell, mutant=mutant))
    if claim != "stepsize cap sweep":  # the right formula has a test of its own
        assert verdicts(check(*cell)) == {"holds"}


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
        (held,) = check("meta-gradient", "random-ridges", problem=replace(right, analytic=analytic))
        (caught,) = check("meta-gradient", "random-ridges", problem=replace(wrong, analytic=analytic))
        assert (held.verdict, held.label) == ("holds", label)
        assert caught.verdict == "violated"


def test_a_witness_replays_its_finding(make_cell: Callable[..., Cell]) -> None:
    def column(value: object) -> np.ndarray:
        return np.asarray(value, dtype=np.float64)[None, None]

    for module, claim in ((path, "path"), (smoothness, "smoothness")):
        cell = make_cell(claim, "rotated-cosine-finite-noise")
        (finding,) = claims()[claim].check(cell)
        measured, bound, _ = module.evaluate(cell, column(finding.witness["w"]), column(finding.witness["u"]))
        np.testing.assert_allclose([measured[0], bound[0]], [finding.measured, finding.bound], rtol=1e-8)
    cell = make_cell("gradient growth", "welsch")
    finding = next(iter(claims()["gradient growth"].check(cell)))
    measured, bound, _ = gradient_growth.evaluate_gradient(cell, column(finding.witness["w"]))
    np.testing.assert_allclose([measured[0], bound[0]], [finding.measured, finding.bound], rtol=1e-10)
    cell = make_cell("descent", "welsch")
    (finding,) = claims()["descent"].check(cell)
    C_beta = np.array([finding.witness["C_beta"]], dtype=np.float64)
    measured, bound, _ = descent.evaluate(cell, column(finding.witness["w"]), C_beta)
    np.testing.assert_allclose([measured[0], bound[0]], [finding.measured, finding.bound], rtol=1e-6)


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


def test_titles_tell_the_general_claims_from_those_that_are_attained() -> None:
    titles = [claim.title for claim in claims().values()]
    assert len(set(titles)) == len(titles)
    assert all(claim.title.endswith(f"; attained on {claim.problems[0]}") for claim in ATTAINED if claim.problems)
