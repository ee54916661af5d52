"""What a search kept is still as near to the bound, measured as any problem is, and its constants hold."""

from __future__ import annotations

from pathlib import Path

import pytest

import problems.data
from problems.drawn import kept, read_drawn
from verify.assertion import assert_claims
from verify.verdict import JUDGED

FOLDER = Path(problems.data.__file__).with_name("found")
NAMES = sorted(file.stem for file in FOLDER.glob("*.json"))
LEAST = {"smoothness": 0.99, "descent": 0.99, "link": 0.95, "bias per task": 0.95}


@pytest.mark.parametrize("name", NAMES)
def test_a_kept_loss_is_replayed(name: str) -> None:
    held = kept(name)
    assert LEAST[held["claim"]] < held["ratio"] <= 1
    records = assert_claims(str(FOLDER / f"{name}.json"), held["claim"], inner_steps=held["N"])
    reached = [
        record.tightness or 0.0
        for record in records
        if record.claim == held["claim"] and record.rule == held["rule"] and record.verdict in JUDGED
    ]
    assert max(reached) > held["ratio"] - 2e-3


def test_on_a_kept_loss_the_term_of_the_gradient_is_most_of_the_bound() -> None:
    for name in ("smoothness-1", "smoothness-2"):
        held = kept(name)
        q, N, gradient = 1 + held["alpha_L"], held["N"], read_drawn(FOLDER / f"{name}.json").gradient[0]
        assert q ** (2 * N - 1) * (q**N - 1) * gradient > q ** (2 * N)
