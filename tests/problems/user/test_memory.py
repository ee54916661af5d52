"""What is found out about a user's problems is found out once."""

from __future__ import annotations

from functools import partial

import pytest

from problems.user import memory


@pytest.fixture(autouse=True)
def forgetful(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "_memory", type(memory._memory)(list))


def build(*answers: int) -> list[int]:
    """A factory that makes as many problems, each of which finds out something."""
    return [memory.once(partial(int, answer)) for answer in answers]


def test_each_problem_of_a_place_is_known_by_its_number() -> None:
    with memory.building("here"):
        assert build(1, 2) == [1, 2]
    with memory.building("here"):
        assert build(7, 8, 9) == [1, 2, 9]
    with memory.building("there"):
        assert build(5) == [5]


def test_outside_of_a_place_nothing_is_kept() -> None:
    assert (build(1), build(2)) == ([1], [2])
    assert memory.everything() == {}


def test_what_fails_is_not_known() -> None:
    with memory.building("here"), pytest.raises(ZeroDivisionError):
        memory.once(lambda: 1 // 0)
    with memory.building("here"):
        assert build(3) == [3]


def test_another_process_learns_it() -> None:
    memory.learn({"here": (1, 2)})
    memory.learn({"here": (4,)})  # less than is known
    with memory.building("here"):
        assert build(7, 8) == [1, 2]
    assert memory.everything() == {"here": (1, 2)}
