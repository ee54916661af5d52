"""What holds of every claim, those of new files included: mutants fall, instances attain, fields are complete."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from problems.registry import families, family
from verify.cell import Cell
from verify.claim import Claim, Mutant, claims
from verify.evidence.attack import Attack
from verify.running.records import Record
from verify.statements import NEIGHBOURS, STATEMENTS

Check = Callable[..., list[Record]]
MakeCell = Callable[[Mutant], Cell]

ALL = list(claims().values())
MUTANTS = [(claim.name, mutant) for claim in ALL for mutant in claim.mutants]
ATTAINED = [claim for claim in ALL if claim.of]
SHORT_DISTANCES = (
    *("teeth", "teeth-finite-sum", "kink", "tooth", "valleys", "convex-head"),
    *("weighted-cusp", "weighted-cusp-finite-sum"),
)
"""Instances that are attacked by points so near each other that rounding is seen."""
FAR_PATHS = ("spikes", "tooth-twins", "late-bend", "offset-cusp", "parabola")
"""Instances on which small differences are seen beside long steps."""


def verdicts(records: list[Record]) -> set[str]:
    return {record.verdict for record in records}


def by_name(value: object) -> str:
    return value.name if isinstance(value, Mutant | Claim) else str(value)


@pytest.mark.parametrize(("name", "mutant"), MUTANTS, ids=by_name)
def test_every_mutant_is_refuted_where_the_right_version_holds(name: str, mutant: Mutant, check: Check) -> None:
    cell = (name, mutant.on, mutant.N, mutant.rule)
    assert verdicts(check(*cell)) == {"holds"}
    assert "violated" in verdicts(check(*cell, mutant=mutant.name))


@pytest.mark.parametrize("claim", ALL, ids=by_name)
def test_every_claim_can_fail_and_says_what_it_needs_to(claim: Claim) -> None:
    assert claim.mutants
    assert claim.statement in (*STATEMENTS, *NEIGHBOURS)
    assert all((claim.title, claim.says, claim.source.text, claim.measured, claim.sharpness))
    assert not claim.title.startswith(claim.statement)
    assert len({mutant.name for mutant in claim.mutants}) == len(claim.mutants)


@pytest.mark.parametrize("claim", ALL, ids=by_name)
def test_every_name_of_a_problem_is_registered_and_of_a_case_of_the_claim(claim: Claim) -> None:
    named = {*claim.instances, *(claim.problems or ()), *(m.on for m in claim.mutants), *filter(None, [claim.instance])}
    assert {family(name).case for name in named} <= claim.cases
    assert not {on.instance for on in claim.attained} - families().keys()


@pytest.mark.parametrize(("name", "mutant"), MUTANTS, ids=by_name)
def test_a_mutant_changes_symbols_of_the_paper_or_the_formula(name: str, mutant: Mutant, bare_cell: MakeCell) -> None:
    assert bool(mutant.symbols) != (mutant.formula is not None)
    assert bare_cell(mutant).paper.changes == mutant.symbols  # a name that is no symbol raises


@pytest.mark.parametrize("claim", ATTAINED, ids=by_name)
def test_a_bound_that_is_attained_is_so_at_every_rule(claim: Claim, check: Check) -> None:
    of = claims()[claim.of]
    on = next(on for on in of.attained if claim.name == f"{of.name} on {on.called or on.instance}")
    resolved = 1e-9 if isinstance(of.by, Attack) and claim.instance not in SHORT_DISTANCES + FAR_PATHS else 1e-4
    for N in {1, 2, 5} & set(claim.inner_steps or (1, 5)):
        for rule in claim.at:
            found = check(claim.name, claim.instance, N, rule)
            assert verdicts(found) == {"holds"}
            for record in found:
                assert record.method != "monte-carlo"
                assert record.tightness is not None
                assert record.bound is not None
                assert record.slack is not None
                assert record.tightness >= 1 - on.within - resolved
                assert record.slack <= resolved * record.bound  # or slack could pass for attainment


@pytest.mark.parametrize("claim", ALL, ids=by_name)
def test_every_statement_is_attained_improved_by_an_own_one_or_open_with_what_is_known(claim: Claim) -> None:
    assert bool(claim.standing) != bool(claim.of or claim.audit)
    if claim.improved_by:
        better = claims()[claim.improved_by]
        assert better.source.own
        assert (better.statement, better.standing) == (claim.statement, "attained")
    if claim.standing == "open":
        assert claim.sharpness != "not known"


def test_of_the_paper_only_rates_that_no_single_loss_has_are_open() -> None:
    assert [claim.name for claim in ALL if claim.standing == "open" and not claim.source.own] == [
        "complexity in accuracy"
    ]


def test_titles_tell_claims_apart() -> None:
    assert len({(claim.statement, claim.title) for claim in ALL}) == len(ALL)
    assert all(claim.title.endswith(f"on {claim.instance}") for claim in ATTAINED)


@pytest.mark.parametrize("claim", ATTAINED, ids=by_name)
def test_elsewhere_there_is_nothing_to_attain(claim: Claim, check: Check) -> None:
    (case, *_) = sorted(claim.cases)
    (record,) = check(claim.name, {"resampling": "quadratic", "finite-sum": "quadratic-finite-sum"}[case], 2)
    assert (record.verdict, record.note) == ("inapplicable", f"speaks of {claim.instance} only")
