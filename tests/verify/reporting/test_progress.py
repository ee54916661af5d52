from __future__ import annotations

import io
import sys
import time

import pytest

from verify.reporting.progress import longest, meter


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_piped_run_tells_named_times_and_what_took_longest(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = iter([0.0, 5.0, 20.0])
    monkeypatch.setattr(time, "monotonic", lambda: next(clock))
    with meter("cells") as tell:
        tell(5, 25, [], "")  # five of a run that goes on; 10 s later a line is due, and none before
        tell(15, 25, [("link on kink, N = 5", 7.25), ("path on kink, N = 1", 0.01)], "15 holds")
    (line,) = capsys.readouterr().err.splitlines()
    assert line == "15 of 25 cells after 20 s, 20 s left at this rate; 15 holds; longest: link on kink, N = 5 (7.2 s)"


def test_a_terminal_shows_named_times_and_what_took_longest(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stderr", terminal := Terminal())
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "80")
    with meter("cells") as tell:
        tell(15, 25, [("link on kink, N = 5", 7.25)], "15 holds")
    shown = terminal.getvalue()
    for part in ("cells", "15/25", "elapsed", "left", "15 holds; longest: link on kink, N = 5 (7.2 s)"):
        assert part in shown


def test_only_the_longest_are_named_and_nothing_that_was_quick() -> None:
    assert longest([("a", 0.5)]) == ""
    assert longest([("a", 3.0), ("b", 0.5)]) == "longest: a (3.0 s)"
