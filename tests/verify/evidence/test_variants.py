"""Members of an instance's family: other parameters, valid constants, reproducible."""

from __future__ import annotations

from problems.registry import family
from verify.claim import PROFILES, Cell, alpha_L
from verify.evidence.variants import variants


def cell(name: str, seed: int = 0) -> Cell:
    problem = family(name).build(5, alpha_L("near cap", 5))
    return Cell("variants", name, problem, 5, "near cap", PROFILES["quick"], seed, 1e-10, lambda: None)


def test_free_parameters_are_the_real_ones_of_the_factory() -> None:
    assert family("saddle").free == {"L": 1.7, "rho": 2.3}
    assert "tasks" not in family("two-point-stepsize").free
    assert family("saddle").build(1, 0.1, L=0.6).constants.L == 0.6
    assert family("convex-quadratic").build(1, 0.1, L=0.6).constants.L == 0.6


def test_variants_are_other_problems_of_the_same_family_and_reproducible() -> None:
    found = list(variants(cell("saddle"), 3))
    assert len({variant.constants.L for variant, _ in found}) == 3
    for variant, free in found:
        assert (variant.constants.L, variant.constants.rho) == (free["L"], free["rho"])
        assert 1.7 / 3.2 < free["L"] < 1.7 * 3.2
    smaller = [free["rho"] < 2.3 for _, free in variants(cell("saddle"), 20)]
    assert 0 < sum(smaller) < 20
    assert [free for _, free in variants(cell("saddle"), 3)] == [free for _, free in found]
    assert [free for _, free in variants(cell("saddle", seed=1), 3)] != [free for _, free in found]
