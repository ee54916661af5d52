"""Workers that are told what this process has found out about a user's problems: constants are estimated once."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from typing import Any, TypeAlias

from problems.user import memory
from verify.running.execution import Argument, Result, Workers

Told: TypeAlias = tuple[Callable[[Argument], Result], Argument, memory.Memory]


class Informed:
    """The given workers, each call of which brings along what is known by then."""

    def __init__(self, workers: Workers) -> None:
        self._workers = workers
        self.slots, self.lost = workers.slots, workers.lost

    def submit(self, function: Callable[[Argument], Result], argument: Argument) -> Future[Result]:
        """Call, some time."""
        return self._workers.submit(_learn_and_call, (function, argument, memory.everything()))

    def busy(self) -> list[tuple[float, Any]]:
        """Calls that are being worked on, by their own arguments."""
        return [(began, argument) for began, (_, argument, _) in self._workers.busy()]

    def close(self, *, kill: bool) -> None:
        """Stop the workers."""
        self._workers.close(kill=kill)


def _learn_and_call(told: Told[Argument, Result]) -> Result:
    function, argument, known = told
    memory.learn(known)
    return function(argument)
