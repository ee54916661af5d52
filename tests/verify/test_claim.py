from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace

import pytest

from problems.registry import family
from verify import claim as claim_module
from verify.cell import PROFILES, Cell
from verify.claim import Claim, On, Way, claim, claims, own
from verify.verdict import Finding, judge


def test_claims_come_in_one_order_whichever_was_imported_first(monkeypatch: pytest.MonkeyPatch) -> None:
    expected = list(claims())
    by_name = dict(claim_module._CLAIMS)
    last_first = sorted(by_name, key=lambda name: by_name[name].module, reverse=True)
    monkeypatch.setattr(claim_module, "_CLAIMS", {name: by_name[name] for name in last_first})
    assert list(claims()) == expected


def test_the_claims_of_users_come_last_as_they_came(monkeypatch: pytest.MonkeyPatch) -> None:
    def made(module: str) -> Claim:
        def check(cell: Cell) -> Iterator[Finding]:
            yield from ()

        check.__module__ = module
        return replace(claims()["path"], name=f"of {module}", measure=check)

    theirs = {f"of {module}": made(module) for module in ("zebra", "aardvark", "verifying")}
    monkeypatch.setattr(claim_module, "_CLAIMS", {**theirs, **claims()})
    assert list(claims())[-3:] == list(theirs)


def test_a_name_belongs_to_one_module(monkeypatch: pytest.MonkeyPatch) -> None:
    path = claims()["path"]
    monkeypatch.setattr(claim_module, "_CLAIMS", dict(claim_module._CLAIMS))
    assert path(path.measure) == path  # a module that is loaded again

    def check(cell: Cell) -> Iterator[Finding]:
        yield from ()

    with pytest.raises(ValueError, match=r"^two claims are named 'path'$"):
        path(check)


def finding(label: str = "", **more: object) -> Finding:
    return Finding(**{"measured": 0.96, "bound": 1.0, "label": label, "witness": {"w": [0.0]}, **more})


def made(measure: Callable[[Cell], Iterable[Finding]], by: Way, **more: object) -> tuple[Claim, Claim]:
    """A claim that is attained on the saddle, and the claim which says so."""
    on = On("saddle", "it is flat", within=0.05, at=("fixed", "small"), N=(2, 3), only="S = 1", called="flat")
    of = claim("mine", "MINE", "x is small", says="x ≤ 1", source=own(), measured="x", by=by, attained=(on,), **more)
    return of(measure), claims()["mine on flat"]


@pytest.fixture
def forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    claims()
    monkeypatch.setattr(claim_module, "_CLAIMS", dict(claim_module._CLAIMS))


@pytest.mark.usefixtures("forgotten")
def test_an_instance_that_attains_a_claim_makes_a_claim_of_its_own() -> None:
    of, on = made(lambda cell: (), Way(), needs=("rho",), also=("cusp", "saddle"))
    assert (on.of, on.instance, on.problems, on.instances) == ("mine", "saddle", ("saddle",), ())
    assert (on.at, on.inner_steps, on.needs, on.source.own) == (("fixed", "small"), (2, 3), ("rho",), True)
    assert (on.title, on.says) == (
        "x is small; attained within 5 % on saddle",
        "attained within 5 % on saddle at S = 1: x ≤ 1",
    )
    assert of.instances == ("saddle", "cusp")
    assert of.sharpness == on.sharpness == "saddle: it is flat"
    assert on.elsewhere("cusp", 1) == "speaks of saddle only"
    assert on.elsewhere("saddle", 1) == of.elsewhere("cusp", 1) == ""


@pytest.mark.usefixtures("forgotten")
def test_a_claim_has_a_least_number_of_steps_that_its_way_may_raise() -> None:
    class Late(Way):
        least_N = 2

    of, on = made(lambda cell: (), Late(), least_N=1)
    assert (of.least_N, on.least_N) == (2, 2)
    assert [N for N in range(5) if of.speaks_at(N)] == [2, 3, 4]
    assert [N for N in range(5) if on.speaks_at(N)] == [2, 3]
    assert of.elsewhere("cusp", 1) == "says nothing of N < 2"


@pytest.mark.usefixtures("forgotten")
def test_a_way_that_takes_long_leaves_its_instances_to_the_claims_that_are_attained_there() -> None:
    class Long(Way):
        long = True

    of, _ = made(lambda cell: (), Long(), also=("cusp",))
    assert of.instances == ("cusp",)


@pytest.mark.usefixtures("forgotten")
def test_what_is_measured_must_come_near_the_bound_on_an_instance_and_on_its_relatives() -> None:
    class Twice(Way):
        def relatives(self, cell: Cell) -> Iterator[tuple[Cell, dict[str, float]]]:
            yield cell, {}
            yield cell, {"L": 2.0}

    def measure(cell: Cell) -> Iterator[Finding]:
        yield finding("S = 1", bound=cell.formula(1.0))
        yield finding("S = 4")
        yield finding("S = 1", method="monte-carlo")

    _, on = made(measure, Twice(), formula=lambda bound: 1.001 * bound)
    cell = Cell("mine on flat", "saddle", family("saddle").build(2, 0.1), 2, "fixed", PROFILES["quick"], 0, 1e-10)
    first, second = on.check(cell)
    assert (first.label, second.label) == ("S = 1", "S = 1, L = 2")
    assert second.witness == {"w": [0.0], "L": 2.0}
    assert (first.attained, first.shortfall, first.bound) == (True, 0.05, 1.001)
    assert judge(first) == "holds"
    (mutant,) = on.mutants
    assert (mutant.name, mutant.on, mutant.N, mutant.rule) == ("a bound 2 % larger", "saddle", 2, "fixed")
    assert mutant.formula is not None
    (wrong, _) = on.check(replace(cell, formula=mutant.formula))
    assert judge(wrong) == "violated"


def test_a_mutant_is_the_paper_with_symbols_changed() -> None:
    problem = family("saddle").build(2, 0.1)
    cell = Cell("path", "saddle", problem, 2, "fixed", PROFILES["quick"], 0, 1e-10, changes={"S": lambda S: S**2})
    assert float(cell.paper_at(cell.schedule(S=3)).S) == 9
    with pytest.raises(ValueError, match="sigme is not a symbol of the paper"):
        replace(cell, changes={"sigme": 0.0}).paper  # noqa: B018
