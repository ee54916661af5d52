from __future__ import annotations

import pickle
from collections.abc import Callable, Iterable
from concurrent.futures import BrokenExecutor, Future
from dataclasses import replace
from typing import Any

import pytest

from figures import generation
from figures.figure import Figure, Part, named, registry
from figures.generation import generate
from figures.table import Row
from verify.running.execution import InProcess, open_workers
from verify.running.records import RunError

Place = tuple[str, Part, int]


def rows_of(place: Place) -> list[Row]:
    name, part, seed = place
    return [{"figure": name, **part, "seed": seed, "at": at} for at in range(2)]


@pytest.fixture
def fakes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(generation, "compute_part", rows_of)


def figure(name: str, *seconds: float) -> Figure:
    def unused(*args: Any) -> Any:
        raise NotImplementedError

    return Figure(
        name=name,
        question="?",
        parts=[{"x": x} for x in seconds],
        compute=unused,
        draw=unused,
        caption=unused,
        cost=lambda part: part["x"],
    )


class Backwards:
    """Does what it was asked for last first, as soon as its slots are full or nothing more comes."""

    slots = 3
    lost: tuple[type[BaseException], ...] = (BrokenExecutor,)

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.under_way: list[tuple[Future[Any], Callable[[Any], Any], Any]] = []
        self.submitted: list[Place] = []
        monkeypatch.setattr(generation, "wait", self.wait)

    def submit(self, function: Callable[[Any], Any], argument: Any) -> Future[Any]:
        self.submitted.append(argument)
        future: Future[Any] = Future()
        self.under_way.append((future, function, argument))
        assert len(self.under_way) <= self.slots
        return future

    def wait(self, futures: Any, return_when: str) -> Any:
        future, function, argument = self.under_way.pop()
        future.set_result(function(argument))
        return type("Done", (), {"done": {future}})

    def close(self, *, kill: bool) -> None:
        raise NotImplementedError


@pytest.mark.usefixtures("fakes")
def test_rows_come_in_the_order_of_the_parts_whatever_finishes_first(monkeypatch: pytest.MonkeyPatch) -> None:
    figures = [figure("a", 1, 5, 2), figure("b", 3), figure("c", 4, 0.5)]
    alone = {made.name: table.rows for made, table in generate(figures, 7, InProcess())}
    told: list[tuple[int, int, str]] = []

    def tell(finished: int, total: int, took: Iterable[tuple[str, float]], more: str) -> None:
        told.extend((finished, total, what) for what, _ in took)

    workers = Backwards(monkeypatch)
    together = {made.name: table.rows for made, table in generate(figures, 7, workers, tell)}
    assert together == alone
    assert [row["x"] for row in alone["a"]] == [1, 1, 5, 5, 2, 2]
    assert {row["seed"] for row in alone["c"]} == {7}
    assert [(finished, total) for finished, total, _ in told] == [(n, 6) for n in range(1, 7)]
    assert {what for *_, what in told} == {f"{made.name}, x = {part['x']}" for made in figures for part in made.parts}
    assert [part["x"] for _, part, _ in workers.submitted] == [5, 4, 3, 2, 1, 0.5]


def test_a_lost_worker_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    def dies(place: Place) -> list[Row]:
        raise BrokenExecutor

    monkeypatch.setattr(generation, "compute_part", dies)
    monkeypatch.setattr(InProcess, "lost", (BrokenExecutor,))
    with pytest.raises(RunError, match="a worker was lost while it computed figure a"):
        list(generate([figure("a", 1)], 0, InProcess()))


def test_processes_give_the_digits_of_one_process() -> None:
    made = replace(named("smoothness"), parts=named("smoothness").parts[-4:])
    with open_workers(1) as alone, open_workers(2) as two:
        ((_, expected),) = generate([made], 3, alone)
        ((_, actual),) = generate([made], 3, two)
    assert len(expected) == 4
    assert actual.rows == expected.rows


@pytest.mark.parametrize("name", registry())
def test_parts_are_distinct_plain_values_with_a_cost(name: str) -> None:
    made = registry()[name]
    texts = [repr(part) for part in made.parts]
    assert len(set(texts)) == len(texts) > 0
    assert [repr(pickle.loads(pickle.dumps(part))) for part in made.parts] == texts
    assert all(made.cost(part) > 0 for part in made.parts)
    assert made.question.endswith("?")
