"""Bad input gets one line that names the field, its value and what is allowed; extreme input never gives a NaN."""

import math
import re
from collections.abc import Callable
from dataclasses import replace
from operator import attrgetter
from pkgutil import iter_modules
from typing import Any

import numpy as np
import pytest

import theory
from theory.complexity import oracle_calls, step_oracle_calls, steps_to_accuracy, theorem
from theory.constants import Constants, Schedule
from theory.convergence import Exact, FiniteSum, Resampling
from theory.extended import Number, plain
from theory.growth import recommended_stepsize, stepsize_cap, stepsize_cap_limit
from theory.paper import Paper
from theory.sharper import ExactSharper, larger_cap
from theory.symbols import Symbols, signed, symbol
from theory.validation import PremiseError

c = Constants(L=2.3, rho=1.7, sigma=0.6, sigma_g=1.9, sigma_H=0.8, b=0.0, b_sq=0.0)
s = Schedule(N=3, alpha=0.01, C_beta=60.0, B=50, S=40, K=5, Delta=1.0)
p = Paper(c, s)


def one_line(error: pytest.ExceptionInfo[ValueError], field: str, value: str) -> None:
    message = str(error.value)
    assert "\n" not in message
    assert re.match(rf"{field} = {re.escape(value)} is not allowed: {field} must be ", message), message


@pytest.mark.parametrize(
    ("field", "value", "shown"),
    [
        ("L", 0.0, "0"),
        ("L", -1.0, "-1"),
        ("L", math.nan, "nan"),
        ("L", math.inf, "inf"),
        ("rho", -2.0, "-2"),
        ("sigma", math.nan, "nan"),
        ("sigma_g", -0.5, "-0.5"),
        ("sigma_H", math.nan, "nan"),
        ("b", -1e-9, "-1e-09"),
        ("b_sq", 0.01, "0.01"),
        ("lower_bound", math.nan, "nan"),
        ("lower_bound", math.inf, "inf"),
        ("rho", True, "True"),
        ("sigma", "1", "'1'"),
    ],
)
def test_constants(field: str, value: object, shown: str) -> None:
    good = {"L": 2.3, "rho": 1.7, "sigma": 0.6, "sigma_g": 1.9, "sigma_H": 0.8, "b": 0.4, "b_sq": 0.31}
    with pytest.raises(ValueError, match=field) as error:
        Constants(**{**good, field: value})
    one_line(error, field, shown)


@pytest.mark.parametrize(
    ("field", "value", "shown"),
    [
        ("N", -1, "-1"),
        ("N", 2.5, "2.5"),
        ("N", math.inf, "inf"),
        ("N", np.array([1, 2, -3]), "-3"),
        ("alpha", -0.1, "-0.1"),
        ("alpha", math.nan, "nan"),
        ("alpha", math.inf, "inf"),
        ("C_beta", 0.0, "0"),
        ("C_beta", math.nan, "nan"),
        ("B", 0, "0"),
        ("S", 0.5, "0.5"),
        ("D", -1, "-1"),
        ("T", math.nan, "nan"),
        ("B_prime", 0, "0"),
        ("D_L", math.inf, "inf"),
        ("K", 0, "0"),
        ("Delta", -1e-3, "-0.001"),
        ("Delta", math.nan, "nan"),
        ("alpha", None, "None"),
        ("B", True, "True"),
    ],
)
def test_schedule(field: str, value: object, shown: str) -> None:
    with pytest.raises(ValueError, match=field) as error:
        Schedule(**{"N": 3, "alpha": 0.1, field: value})
    one_line(error, field, shown)


@pytest.mark.parametrize(
    ("call", "field", "shown"),
    [
        (lambda: p.path(1, -1.0), "distance", "-1"),
        (lambda: p.path(1.5, 1.0), "j", "1.5"),
        (lambda: p.gradient_growth(1, math.nan), "gradient_norm", "nan"),
        (lambda: p.displacement(1, -2.0), "gradient_norm", "-2"),
        (lambda: p.deviation(-7), "j", "-7"),
        (lambda: p.link(math.nan), "meta_gradient_norm", "nan"),
        (lambda: p.link_tasks(-1.0), "meta_gradient_norm", "-1"),
        (lambda: p.L_w(np.array([1.0, -4.0])), "mean_gradient_norm", "-4"),
        (lambda: p.task_smoothness(1.0, math.nan), "inner_norm", "nan"),
        (lambda: p.task_bias(-1.0), "gradient_norm", "-1"),
        (lambda: p.bias(-1.0), "meta_gradient_norm", "-1"),
        (lambda: p.second_moment(-1.0), "meta_gradient_norm", "-1"),
        (lambda: p.task_second_moment_sharper(math.nan), "gradient_norm", "nan"),
        (lambda: p.beta(0.0), "L_hat", "0"),
        (lambda: p.inverse_moment(-1.0), "L_w", "-1"),
        (lambda: p.descent(1.0, 0.0), "L_w", "0"),
        (lambda: stepsize_cap(c, -1), "N", "-1"),
        (lambda: stepsize_cap_limit(c, 1.5), "N", "1.5"),
        (lambda: recommended_stepsize(c, math.nan), "N", "nan"),
        (lambda: larger_cap(c, -2), "N", "-2"),
        (lambda: oracle_calls(s, "both"), "case", "'both'"),
        (lambda: oracle_calls(s, "exact", train_size=0), "train_size", "0"),
        (lambda: step_oracle_calls(s, "finite-sum", test_size=2.5), "test_size", "2.5"),
        (lambda: theorem(c, s, "Exact"), "case", "'Exact'"),
        (lambda: steps_to_accuracy(c, s, 0.0, "exact"), "epsilon", "0"),
        (lambda: steps_to_accuracy(c, s, math.inf, "exact"), "epsilon", "inf"),
    ],
)
def test_arguments(call: Callable[[], object], field: str, shown: str) -> None:
    with pytest.raises(ValueError, match=field) as error:
        call()
    one_line(error, field, shown)


EXTREMES = [0.0, 1e-300, 0.7, 1e200, math.inf]
N, ALPHA, DELTA = np.meshgrid([0, 1, 3, 1e4, 1e300], [0.0, 1e-300, 1e-3, 0.3, 40.0], [0.0, 2.0, math.inf])
SWEEP = Schedule(N=N, alpha=ALPHA, C_beta=100.0, B=7, S=5, D=3, T=2, B_prime=4, D_L=6, K=11, Delta=DELTA)
SYMBOLS = [name for name in dir(Paper) if isinstance(getattr(Paper, name), symbol | signed)]
BOUNDS = [
    lambda p: plain(p.q(2 * p.N)),
    lambda p: p.path(p.N, 1.3),
    lambda p: p.gradient_growth(p.N, 0.0),
    lambda p: p.displacement(p.N, 0.0),
    lambda p: p.deviation(p.N),
    lambda p: p.deviation_squared(p.N),
    lambda p: p.link(0.4),
    lambda p: p.link_tasks(0.4),
    lambda p: p.L_w(0.4),
    lambda p: p.task_smoothness(0.4, 0.0),
    lambda p: p.task_bias(0.4),
    lambda p: p.bias(0.4),
    lambda p: p.task_second_moment(0.4),
    lambda p: p.second_moment(0.4),
    lambda p: p.finite_sum_second_moment(0.4),
    lambda p: p.beta(0.4),
    lambda p: p.inverse_moment(0.4),
    lambda p: p.inverse_square_moment(0.4),
    lambda p: p.descent(0.4, 3.0),
    lambda p: p.task_bias_sharper(0.4),
    lambda p: p.task_second_moment_sharper(0.4),
    lambda p: p.inverse_moment_sharper(0.4),
    lambda p: p.link_sharper(0.4),
    lambda p: p.directions(1.3, 0.2, 0.4),
    lambda p: p.gradients(0.3, 0.2),
    lambda p: p.first_order_distance(0.4),
    lambda p: p.first_order_bias(),
    lambda p: p.first_order_second_moment(0.4),
    lambda p: p.first_order_floor(0.2, 0.4),
    lambda p: p.first_order_floor_line(0.2, 0.4),
    lambda p: p.first_order_floor_smooth(0.2),
    lambda p: p.half_step_distance(0.4),
    lambda p: p.hessian_free_error(0.1, 0.4),
    lambda p: p.hessian_free_error_raw(0.1, 0.4),
    lambda p: p.hessian_free_floor(0.1, 0.2),
    lambda p: p.hessian_free_rounding(0.1, 1e-9, 0.4),
    lambda p: p.reptile_floor(0.2),
    lambda p: p.reptile_floor_line(0.2, 0.4),
    lambda p: p.more_steps_distance(2.0, 0.4),
    lambda p: p.more_steps_floor(2.0, 0.2),
    lambda p: p.more_steps_floor_line(2.0, 0.2, 0.4),
    lambda p: p.missed_descent(0.4, 0.1),
    lambda p: p.link_prox(0.4),
    lambda p: p.L_w_prox(0.4),
    lambda p: p.solve_error(0.4),
    lambda p: p.linear_solve_error(0.4),
    lambda p: p.anil_stretch(0.3, 2.0),
    lambda p: p.anil_smoothness(0.3, 0.4),
    lambda p: p.L_w_one_step(0.4),
]
THEOREMS = [FiniteSum, Resampling, Exact, ExactSharper]


def speaks(formula: Callable[[Any], Number], p: Symbols) -> bool:
    """Whether the formula has a value at `p`, which must not be a NaN."""
    try:
        value = plain(formula(p))
    except PremiseError:
        return False
    assert not np.isnan(value).any(), formula
    return True


@pytest.mark.parametrize("field", ["rho", "sigma", "sigma_g", "sigma_H", "b"])
@pytest.mark.parametrize("extreme", EXTREMES)
def test_no_formula_gives_a_nan(field: str, extreme: float) -> None:
    given = {"L": 2.3, "rho": 1.7, "sigma": 0.6, "sigma_g": 1.9, "sigma_H": 0.8, "b": 0.4, "b_sq": math.inf}
    constants = Constants(**{**given, field: extreme})
    inside = Paper(constants, SWEEP).within_cap
    assert 30 < inside.sum() < inside.size
    capped = replace(SWEEP, N=N[inside], alpha=ALPHA[inside], Delta=DELTA[inside])
    formulas = [attrgetter(name) for name in SYMBOLS] + BOUNDS
    everywhere, below_the_cap = (sum(speaks(f, Paper(constants, s)) for f in formulas) for s in (SWEEP, capped))
    assert len(formulas) - 50 < everywhere < below_the_cap <= len(formulas) - 1  # one speaks of N = 1 only
    for case in ("exact", "finite-sum", "resampling"):
        assert not np.isnan(steps_to_accuracy(constants, SWEEP, 0.3, case)).any()
    for stochastic in (FiniteSum, Resampling):
        p = stochastic(constants, capped)
        assert speaks(attrgetter("c_1"), p)
        assert speaks(attrgetter("noise"), p)
    for each in THEOREMS:
        for index in np.flatnonzero(inside)[::4]:
            one = replace(SWEEP, N=N.flat[index], alpha=ALPHA.flat[index], Delta=0.0)
            speaks(lambda p: p.guarantee.bound, each(constants, one))


def test_constants_that_are_left_out_are_infinite_and_cost_only_where_they_count() -> None:
    unknown = Constants(L=2.3)
    for schedule in (Schedule(N=0, alpha=0.2, Delta=1.0, K=9), Schedule(N=4, alpha=0.0, Delta=1.0, K=9)):
        assert Paper(unknown, schedule).exact.bound == Paper(c, schedule).exact.bound
    assert Paper(unknown, s).exact.bound == math.inf
    assert Paper(unknown, s).link(1.0) == math.inf


def test_the_package_lists_what_it_exports_and_hides_no_module() -> None:
    assert all(hasattr(theory, name) for name in theory.__all__)
    assert len(set(theory.__all__)) == len(theory.__all__)
    modules = {module.name for module in iter_modules(theory.__path__)}
    assert modules.isdisjoint(theory.__all__)
    assert modules >= {"growth", "paper", "planner"}
