from __future__ import annotations

import re
import time

import pytest

from verify.running import heartbeat as module
from verify.running.heartbeat import heartbeat


def test_what_takes_long_is_named_now_and_then_and_what_does_not_is_not(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "TICK", 0.005)
    monkeypatch.setattr(module, "SECONDS", 0.1)
    began = time.monotonic()
    told: list[str] = []
    with heartbeat(lambda: [(began, "link on mine"), (time.monotonic(), "path on mine")], told.append):
        while len(told) < 2:
            time.sleep(0.01)
    assert time.monotonic() - began >= 0.2
    assert all(re.fullmatch(r"still running: link on mine \(\d+ s\)", line) for line in told)
    count = len(told)
    time.sleep(0.15)
    assert len(told) == count


def test_a_few_are_named_and_the_others_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "TICK", 0.005)
    monkeypatch.setattr(module, "SECONDS", 0.01)
    told: list[str] = []
    with heartbeat(lambda: [(0.0, f"cell {n}") for n in range(7)], told.append):
        while not told:
            time.sleep(0.01)
    assert told[0].endswith(" and 3 more")
    assert told[0].count("cell") == 4
