"""Times that can be compared on a shared machine."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping

AT_LEAST = 2e-3


def alternate(functions: Mapping[str, Callable[[], object]], seconds: float = 0.5) -> dict[str, float]:
    """Least time of each function in seconds, called in turn so that what slows the machine slows them all.

    The least of many rounds is what other processes disturb least. Time of the clock, since a peer may work in a thread
    of its own, whose CPU time some systems add up only now and then. Short functions are called several times a round.
    Each gets about `seconds`, and at least three rounds.
    """
    calls = {}
    for name, function in functions.items():
        function()
        calls[name] = max(1, round(AT_LEAST / max(_time(function, 1), 1e-7)))
    times = dict.fromkeys(functions, math.inf)
    end = time.perf_counter() + seconds * len(functions)
    rounds = 0
    while time.perf_counter() < end or rounds < 3:
        rounds += 1
        for name, function in functions.items():
            times[name] = min(times[name], _time(function, calls[name]))
    return times


def _time(function: Callable[[], object], calls: int) -> float:
    started = time.perf_counter()
    for _ in range(calls):
        function()
    return (time.perf_counter() - started) / calls
