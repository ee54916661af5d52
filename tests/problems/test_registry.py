"""The registry names its problems, holds them to their case, and knows their free parameters."""

import numpy as np
import pytest

from problems import registry
from problems.cases import resampling
from problems.convex_quadratic import IsotropicQuadratic
from problems.probes import gaussian_probes
from problems.problem import Case, Problem
from problems.registry import Family, register
from theory.constants import Constants


@pytest.fixture
def scratch(monkeypatch: pytest.MonkeyPatch) -> dict[str, Family]:
    known: dict[str, Family] = {}
    monkeypatch.setattr(registry, "_FAMILIES", known)
    return known


def built(curvature: float) -> Problem:
    loss = IsotropicQuadratic(np.array([curvature]), np.zeros((1, 2)))
    return resampling(loss, Constants(L=abs(curvature)), start=[1, 2], probes=gaussian_probes(2, 1.0))


def test_registered_problems_are_named_whoever_builds_them(scratch: dict[str, Family]) -> None:
    @register("mine", case="resampling", role="sharp")
    def mine(N: int, alpha_L: float, *, L: float = 1, tasks: int = 3) -> Problem:
        """A line.

        More.
        """
        return built(L * N * alpha_L)

    known = scratch["mine"]
    assert (known.name, known.case, known.role, known.summary) == ("mine", "resampling", "sharp", "A line.")
    assert mine(2, 0.5).name == known.build(2, 0.5).name == "mine"
    assert known.scheduled
    assert known.build(2, 0.5, L=3.0).constants.L == 3.0


def test_free_parameters_are_the_numbers_whatever_their_defaults_look_like(scratch: dict[str, Family]) -> None:
    @register("mine", case="resampling")
    def mine(*, L: float = 1, rho: float = 2.5, tasks: int = 3) -> Problem:
        return built(L)

    assert scratch["mine"].free == {"L": 1.0, "rho": 2.5}
    assert not scratch["mine"].scheduled


@pytest.mark.parametrize("case", ["finite-sum"])
def test_another_case_than_the_registered_one_is_an_error(scratch: dict[str, Family], case: Case) -> None:
    @register("mine", case=case)
    def mine() -> Problem:
        return built(1.0)

    with pytest.raises(ValueError, match="problem mine is registered as finite-sum, but it is built as resampling"):
        mine()
