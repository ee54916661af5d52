from __future__ import annotations

from pathlib import Path

import pytest

from figures.advice import FORMATS, draw, save
from problems.registry import family
from verify.advice import Advice, advise


@pytest.fixture(scope="module")
def advice() -> Advice:
    return advise(family("convex-quadratic").build(1, 0.1), [1, 5], steps=3)


def test_lines_are_certificates_and_markers_measurements(advice: Advice) -> None:
    (ax,) = draw(advice).axes
    labels = [line.get_label() for line in ax.lines]
    assert labels[:4] == ["paper's cap (certified below)", "$1/(8NL)$", "larger cap", "cap with the $L$ of the paths"]
    assert all(line.get_marker() == "none" for line in ax.lines[:4])
    assert all(line.get_linestyle() in ("none", "None") for line in ax.lines[4:])
    assert ax.lines[0].get_ydata().tolist() == [known.cap for known in advice.advised]
    assert any("diverge" in str(label) for label in labels[4:])


@pytest.mark.parametrize("kind", FORMATS)
def test_it_is_saved_by_its_ending(advice: Advice, kind: str, tmp_path: Path) -> None:
    save(advice, tmp_path / f"advice.{kind}")
    assert (tmp_path / f"advice.{kind}").stat().st_size > 1000
