"""The search for violations: what it makes of losses that fail."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from verify.claim import PROFILES
from verify.evidence.search import Values, attack, worst
from verify.verdict import judge


def test_what_a_loss_raises_in_the_search_is_told_as_it_is() -> None:
    def evaluate(points: Values) -> tuple[Values, Values, Values]:
        if np.abs(points).max() > 1:
            raise ValueError("task 0: gradient is wrong far away")
        return np.abs(points).max(axis=1), np.ones(len(points)), np.zeros(len(points))

    rng = np.random.default_rng(0)
    with pytest.raises(ValueError, match="task 0: gradient is wrong far away"):
        attack(evaluate, rng.uniform(-1, 1, size=(64, 2)), PROFILES["quick"], rng)


@pytest.mark.parametrize("broken", ["measured", "bound"])
def test_nothing_is_worse_than_a_nan(broken: str) -> None:
    values = {"measured": np.array([0.5, 0.0, 0.9]), "bound": np.ones(3)}
    values[broken] = np.array([*values[broken][:1], np.nan, *values[broken][2:]])
    finding, _ = worst(lambda points: (values["measured"], values["bound"], np.zeros(3)), np.arange(3.0)[:, None])
    assert finding.witness == {"point": [1.0]}
    assert judge(finding) == "error"


def test_the_simplex_goes_on_where_the_population_has_stopped() -> None:
    def evaluate(points: Values) -> tuple[Values, Values, Values]:
        return np.exp(-np.square(points - [0.3, -0.7]).sum(axis=1)), np.ones(len(points)), np.zeros(len(points))

    starts = np.random.default_rng(1).uniform(-1, 1, size=(40, 2))
    effort = replace(PROFILES["quick"], attack=3)
    missed = [
        1 - attack(evaluate, starts, replace(effort, simplex=simplex), np.random.default_rng(2)).measured
        for simplex in (0, 100)
    ]
    assert missed[1] < 1e-3 * missed[0]
