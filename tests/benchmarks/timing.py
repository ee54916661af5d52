"""Times that can be compared on a shared machine."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Mapping

AT_LEAST = 2e-4


def alternate(functions: Mapping[str, Callable[[], object]], seconds: float = 0.5) -> dict[str, float]:
    """Median CPU time of each function in seconds, called in turn so that what slows the machine slows them all.

    CPU time of the whole process, so a peer's own threads count and other processes do not. Short functions are called
    several times a round. Each gets about `seconds`, and at least three rounds.
    """
    calls = {}
    for name, function in functions.items():
        function()
        calls[name] = max(1, round(AT_LEAST / max(_time(function, 1), 1e-7)))
    times: dict[str, list[float]] = {name: [] for name in functions}
    end = time.perf_counter() + seconds * len(functions)
    while time.perf_counter() < end or len(times[name]) < 3:
        for name, function in functions.items():
            times[name].append(_time(function, calls[name]))
    return {name: statistics.median(values) for name, values in times.items()}


def _time(function: Callable[[], object], calls: int) -> float:
    started = time.process_time()
    for _ in range(calls):
        function()
    return (time.process_time() - started) / calls
