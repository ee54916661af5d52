"""A symbol that is changed is seen changed by all that use it, and by nothing else."""

import math
from dataclasses import fields

import numpy as np
import pytest

from theory.constants import Constants, Schedule
from theory.convergence import Exact, FiniteSum, Resampling, Theorem
from theory.paper import Paper
from theory.symbols import NAMES
from theory.validation import PremiseError

c = Constants(L=2.3, rho=1.7, sigma=0.6, sigma_g=1.9, sigma_H=0.8, b=0.4, b_sq=0.31)
s = Schedule(N=3, alpha=0.01, C_beta=60.0, B=50, S=40, D=3, T=5, B_prime=7, D_L=11, K=500, Delta=3.7)
Q = 1.023


def test_a_changed_field_is_a_number_of_the_old_one() -> None:
    wrong = Paper(c, s, D=lambda D: D**2, sigma_H=0.5)
    V = (Q**2 + 0.01**2 * 0.5**2 / 9) ** 3
    assert pytest.approx(V, rel=1e-13, abs=0) == wrong.V
    assert wrong.C_sq1 == pytest.approx(4 * V * Q**6 / (2 - Q**6) ** 2, rel=1e-12, abs=0)
    assert wrong.D == 9
    assert wrong.T == 5


def test_a_changed_field_need_not_be_one_of_a_run() -> None:
    assert pytest.approx(500**1.1, rel=1e-15, abs=0) == Paper(c, s, K=lambda K: K**1.1).K
    two = Paper(c, s, B=np.array([1.5, 2.5]))
    np.testing.assert_allclose(FiniteSum(c, s, B=1.5).noise, np.asarray(FiniteSum(c, s, B=two.B).noise)[0], rtol=1e-15)


def test_a_changed_symbol_is_made_of_the_unchanged_paper() -> None:
    wrong = Paper(c, s, C_1=lambda p: 1 - p.e(p.N))
    assert pytest.approx(2 - Q**3, rel=1e-14, abs=0) == wrong.C_1
    m = Q**3 * (Q**3 - 1) * 0.4
    assert wrong.link(0.9) == pytest.approx((0.9 + (Q**6 - 1) * 0.6 + m) / (2 - Q**3), rel=1e-13, abs=0)
    both = Paper(c, s, C_1=lambda p: 2 * p.C_1, C_2=lambda p: 3 * p.C_1)
    assert pytest.approx(2 * (2 - Q**6), rel=1e-13, abs=0) == both.C_1
    assert pytest.approx(3 * (2 - Q**6), rel=1e-13, abs=0) == both.C_2
    assert both.unchanged.C_2 == Paper(c, s).C_2


def test_a_changed_power_or_bound_gets_its_arguments() -> None:
    wrong = Paper(c, s, q=lambda p, j: p.q(j - 1))
    assert wrong.path(2, 0.7) == pytest.approx(Q * 0.7, rel=1e-13, abs=0)
    assert wrong.gradient_growth(2, 0.7) == pytest.approx(Q * 0.7, rel=1e-13, abs=0)
    assert wrong.displacement(2, 0.7) == Paper(c, s).displacement(2, 0.7)
    linear = Paper(c, s, path=lambda p, j, distance: (1 + j * p.alpha * p.L) * distance)
    np.testing.assert_allclose(linear.path(np.array([1, 2]), 0.7), [0.7 * 1.023, 0.7 * 1.046], rtol=1e-14)
    assert linear.gradient_growth(2, 0.7) == Paper(c, s).gradient_growth(2, 0.7)
    with pytest.raises(ValueError, match=r"^distance = -1 is not allowed"):
        linear.path(1, -1.0)


def test_a_dropped_symbol_costs_nothing_even_where_it_meets_infinity() -> None:
    unknown = Constants(L=2.3, rho=1.7)  # σ is infinite
    assert Paper(unknown, s).a == Paper(unknown, s, G=0).A
    assert Paper(unknown, s, C_2=0.0, m=0).link(0.9) == 0.9  # C_1 = 1 − C_2


@pytest.mark.parametrize("theorem", [Exact, FiniteSum, Resampling])
def test_the_symbols_of_a_theorem_can_be_changed(theorem: type[Theorem]) -> None:
    right = theorem(c, s)
    halved = theorem(c, s, R=lambda p: p.R / 2).guarantee
    G, A, R = float(right.G), float(right.A), float(right.R)
    assert halved.bound == pytest.approx((G * R / 2 + math.sqrt((G * R / 2) ** 2 + 2 * A * R)) / 2, rel=1e-13, abs=0)
    assert theorem(c, s, G=0).guarantee.bound == pytest.approx(math.sqrt(float(right.a) * R), rel=1e-13, abs=0)
    assert pytest.approx(2 * R, rel=1e-14, abs=0) == theorem(c, s, c_1=lambda p: p.c_1 / 2).R
    longer = theorem(c, s, K=5e300, noise=0).guarantee
    assert longer.bound < 1e-140


def test_the_paper_hands_its_changes_to_its_theorems() -> None:
    changes = {"R": lambda p: p.R / 2, "sigma": 0.5, "path": lambda p, j, distance: distance}
    wrong = Paper(c, s, **changes)
    assert wrong.exact == Exact(c, s, **changes).guarantee != Paper(c, s).exact
    assert wrong.finite_sum == FiniteSum(c, s, **changes).guarantee
    assert wrong.resampling == Resampling(c, s, **changes).guarantee
    resampling_case = Constants(L=2.3, rho=1.7, sigma=0.6, b=0.0, b_sq=0.0)
    assert Paper(resampling_case, s, R=0).exact_sharper.bound == 0


def test_premises_are_asked_for_where_they_are_divided_by() -> None:
    past = Schedule(N=3, alpha=0.2)
    with pytest.raises(PremiseError, match=r"^alpha = 0\.2000.* the cap at N = 3$"):
        Paper(c, past).link(1.0)
    assert Paper(c, past, C_1=0.5).link(0.0) > 0
    with pytest.raises(PremiseError, match=r"^c_1 = -1 is not allowed: c_1 must be > 0"):
        FiniteSum(c, s, c_1=-1.0).R  # noqa: B018


def test_unknown_names_are_refused_with_the_nearest() -> None:
    with pytest.raises(ValueError, match=r"^C_l is not a symbol of the paper; did you mean C_L\?$"):
        Paper(c, s, C_l=1.0)
    with pytest.raises(ValueError, match=r"^lower_bound is not a symbol of the paper"):
        Paper(c, s, lower_bound=0.0)


def test_every_field_is_a_symbol() -> None:
    given = {field.name for kind in (Constants, Schedule) for field in fields(kind)} - {"lower_bound"}
    assert given <= NAMES
    p = Paper(c, s)
    assert all(getattr(p, name) == {**vars(c), **vars(s)}[name] for name in given)


def test_bounds_take_arguments_in_order_or_by_name() -> None:
    p = Paper(c, s)
    assert p.path(2, 0.7) == p.path(2, distance=0.7) == p.path(distance=0.7, j=2)
    with pytest.raises(TypeError, match="distance"):
        p.path(2)  # type: ignore[call-arg]
    with pytest.raises(TypeError, match="too many"):
        p.path(2, 0.7, 1.0)  # type: ignore[call-arg]
