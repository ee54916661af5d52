"""The search for violations: what it makes of losses that fail."""

from __future__ import annotations

import numpy as np
import pytest

from verify.claim import PROFILES
from verify.evidence.search import Values, attack


def test_what_a_loss_raises_in_the_search_is_told_as_it_is() -> None:
    def evaluate(points: Values) -> tuple[Values, Values, Values]:
        if np.abs(points).max() > 1:
            raise ValueError("task 0: gradient is wrong far away")
        return np.abs(points).max(axis=1), np.ones(len(points)), np.zeros(len(points))

    rng = np.random.default_rng(0)
    with pytest.raises(ValueError, match="task 0: gradient is wrong far away"):
        attack(evaluate, rng.uniform(-1, 1, size=(64, 2)), PROFILES["quick"], rng)
