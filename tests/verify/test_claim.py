from __future__ import annotations

import pytest

from verify import claim as claim_module
from verify.claim import claims


def test_claims_come_in_one_order_whichever_was_imported_first(monkeypatch: pytest.MonkeyPatch) -> None:
    expected = list(claims())
    by_name = dict(claim_module._CLAIMS)
    last_first = sorted(by_name, key=lambda name: by_name[name].check.__module__, reverse=True)
    monkeypatch.setattr(claim_module, "_CLAIMS", {name: by_name[name] for name in last_first})
    assert list(claims()) == expected
