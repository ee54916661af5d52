from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from verify import claim as claim_module
from verify.cell import Cell
from verify.claim import Claim, claims
from verify.verdict import Finding


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
