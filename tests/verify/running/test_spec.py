from __future__ import annotations

from pathlib import Path

import pytest

from verify.running.spec import Spec


@pytest.mark.parametrize(
    ("text", "place", "name"),
    [
        ("kink", "", "kink"),
        ("package.module:waves", "package.module", "waves"),
        ("/there/mine.py:waves", "/there/mine.py", "waves"),
        ("/a:b/mine.py:waves", "/a:b/mine.py", "waves"),
        ("/there/mine.py", "/there/mine.py", ""),
        ("/a:b/mine.py", "/a:b/mine.py", ""),
        ("/there/mine.py:", "/there/mine.py", ""),
        (":", "", ":"),
        ("", "", ""),
    ],
)
def test_a_name_is_taken_apart_in_one_way(text: str, place: str, name: str) -> None:
    found = Spec.parse(text)
    assert (found.place, found.name) == (place, name)
    assert found.file == (Path(place) if place.endswith(".py") else None)


def test_a_file_is_shown_by_its_name_and_found_by_its_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    found = Spec.parse("mine.py:waves")
    assert (found.shown, found.full) == ("mine.py:waves", f"{tmp_path}/mine.py:waves")
    assert Spec.parse(found.full).full == found.full
    for registered in ("kink", "package.module:waves"):
        assert Spec.parse(registered).shown == Spec.parse(registered).full == registered
