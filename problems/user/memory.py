"""What was found out about the problems of a user's file, so that it is found out once.

A factory makes the same problems in the same order in every process. So what is known of each is kept by the place of
its factory and its number there, and a worker that was told what its parent knows asks nothing again.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Hashable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any, TypeAlias

Memory: TypeAlias = Mapping[Hashable, tuple[Any, ...]]
"""What is known at each place, problem by problem."""

_memory: defaultdict[Hashable, list[Any]] = defaultdict(list)


@dataclass
class _Visit:
    """One call of a factory: how many problems it has made so far."""

    place: Hashable
    made: int = field(default=0)


_visit: ContextVar[_Visit | None] = ContextVar("visit", default=None)


@contextmanager
def building(place: Hashable) -> Iterator[None]:
    """Keep what is found out inside under `place`; only what was found in full counts."""
    token = _visit.set(_Visit(place))
    try:
        yield
    finally:
        _visit.reset(token)


def once(find: Callable[[], Any]) -> Any:
    """What is known of the problem that is being made, or what `find` finds out; outside of `building`, the latter."""
    visit = _visit.get()
    if visit is None:
        return find()
    known = _memory[visit.place]
    if visit.made == len(known):
        known.append(find())
    visit.made += 1
    return known[visit.made - 1]


def everything() -> Memory:
    """What this process knows."""
    return {place: tuple(known) for place, known in _memory.items()}


def learn(memory: Memory) -> None:
    """Take over what another process knows, where it knows more."""
    for place, known in memory.items():
        if len(known) > len(_memory[place]):
            _memory[place] = list(known)
