"""Without scikit-learn the problem says what to install."""

import sys

import pytest

from problems.registry import families


def test_without_scikit_learn_it_is_one_clear_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "sklearn.datasets", None)
    with pytest.raises(ModuleNotFoundError, match=r"classification needs scikit-learn: python -m pip install"):
        families()["sigmoid-classification"].build(1, 0.1)
