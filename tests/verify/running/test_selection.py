from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from problems.registry import families
from verify.cell import PROFILES
from verify.claim import claims
from verify.running.selection import Selection, find_claims, plan


def test_the_default_run_covers_every_claim_on_ordinary_and_sharp_problems() -> None:
    cells = plan(Selection())
    assert len(set(cells)) == len(cells)
    assert {cell.claim for cell in cells} == set(claims())
    ordinary = {name for name, family in families().items() if family.role == "ordinary"}
    path = {cell.problem for cell in cells if cell.claim == "path"}
    assert path == ordinary | set(claims()["path"].instances)
    assert {cell.N for cell in cells if cell.claim == "path"} == set(PROFILES["default"].inner_steps)


def test_claims_name_registered_problems_and_their_mutants_have_names_of_their_own() -> None:
    for claim in claims().values():
        named = {*claim.instances, *(claim.problems or ()), *(mutant.on for mutant in claim.mutants)}
        assert named <= set(families()), claim.name
        assert max(Counter(mutant.name for mutant in claim.mutants).values(), default=1) == 1, claim.name


def test_a_claim_runs_on_the_problems_of_its_case_only() -> None:
    for cell in plan(Selection(profile="quick")):
        assert families()[cell.problem].case in claims()[cell.claim].cases


def test_a_claim_that_says_most_on_a_few_problems_runs_there_and_wherever_it_is_asked_to(fakes: str) -> None:
    dear = claims()["tight theorem resampling"]
    by_default = {cell.problem for cell in plan(Selection(profile="quick")) if cell.claim == dear.name}
    assert by_default == set(dear.by_default) == {"quadratic", "softmax-bandit"}
    asked = plan(Selection(claims=(dear.name,), problems=(fakes, "rotated-cosine"), profile="quick"))
    assert len({cell.problem for cell in asked if cell.claim == dear.name}) == 2


def test_an_instance_where_sampling_would_not_tell_is_left_to_the_claim_that_it_attains() -> None:
    cells = plan(Selection(profile="quick"))
    (alone,) = (on for on in claims()["tight bias"].attained if on.alone)
    assert {cell.claim for cell in cells if cell.problem == alone.instance and "tight bias" in cell.claim} == {
        f"tight bias on {alone.instance}"
    }


def test_audits_come_first_and_come_along(fakes: str) -> None:
    cells = plan(Selection(claims=("fake draws",), problems=(fakes, "kink"), inner_steps=(5,)))
    audits = [cell.is_audit for cell in cells]
    assert audits == sorted(audits, reverse=True)
    assert {cell.problem for cell in cells if cell.claim == "constants of fakes"} == {"fakes.py:make", "kink"}
    # an audit of N = 1 only is made at the selected N where N = 1 is not selected
    assert {cell.N for cell in cells if cell.claim == "constants of fakes"} == {5}


def test_a_users_problem_is_named_by_its_file_wherever_it_lies(fakes: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(Path(fakes).parent)
    one, other = (plan(Selection(claims=("fake-draws",), problems=(spec,))) for spec in (fakes, "fakes.py:make"))
    assert one == other
    assert {(cell.problem, cell.problem_spec) for cell in one} == {("fakes.py:make", fakes)}


def test_a_claim_that_does_not_apply_says_so_once_where_it_was_asked_for(fakes: str) -> None:
    cells = plan(Selection(claims=("fake needs", "fake draws"), problems=(fakes,), inner_steps=(1, 2)))
    counts = Counter(cell.claim for cell in cells)
    assert (counts["fake needs"], counts["fake draws"]) == (1, 4)


def test_mutants_are_planned_on_their_cell_after_the_right_formula(fakes: str) -> None:
    cells = plan(Selection(claims=("fake draws",), problems=(fakes, "quadratic"), mutants=True))
    assert [cell.mutant for cell in cells] == ["", "half", "loose", "crashing"]
    assert {(cell.problem, cell.N, cell.rule) for cell in cells} == {("quadratic", 2, "fixed")}


def test_claims_are_found_however_they_are_spelled() -> None:
    assert find_claims("Gradient-Growth") == find_claims(" gradient_growth ") == ["gradient growth"]


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"claims": ("gradent growth",)}, r"claim = 'gradent growth' is unknown; did you mean 'gradient growth'\?"),
        ({"claims": ("",)}, "claim = '' is unknown"),
        ({"problems": ("quadratics",)}, r"problem = 'quadratics' is unknown; did you mean quadratic\?"),
        ({"problems": ("missing.py:make",)}, "there is no file"),
        ({"inner_steps": (1, -1)}, "N = -1 is not allowed: N must be an integer from 0 to 10000"),
        ({"inner_steps": (10**6,)}, "N = 1000000 is not allowed"),
        ({"profile": "slow"}, "profile = 'slow' is not allowed: it must be one of quick, default, full"),
        ({"seed": -1}, "seed = -1 is not allowed"),
        ({"claims": ("path",), "inner_steps": (3,), "mutants": True}, "selected claims has a mutant for the selected"),
    ],
)
def test_what_cannot_be_selected_is_one_clear_line(fields: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message) as caught:
        plan(Selection(**fields))
    assert "\n" not in str(caught.value)


def test_two_files_of_one_name_need_two_runs(fakes: str, tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "fakes.py").write_text("from problems.quadratic import quadratic as make")
    with pytest.raises(ValueError, match="they need two runs"):
        plan(Selection(problems=(fakes, f"{tmp_path / 'other' / 'fakes.py'}:make")))
