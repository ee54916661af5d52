"""Bad input gets one line that names the field, its value and what is allowed; extreme input never gives a NaN."""

import math
import re
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

import theory
from theory.constants import Constants, Schedule
from theory.growth import growth
from theory.meta_stepsize import meta_stepsize
from theory.validation import PremiseError

c = Constants(L=2.3, rho=1.7, sigma=0.6, sigma_g=1.9, sigma_H=0.8, b=0.0, b_sq=0.0)
s = Schedule(N=3, alpha=0.01, C_beta=60.0, B=50, S=40, K=5, Delta=1.0)


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
        (lambda: theory.path_bound(c, s, 1, -1.0), "distance", "-1"),
        (lambda: theory.path_bound(c, s, 1.5, 1.0), "j", "1.5"),
        (lambda: theory.gradient_growth_bound(c, s, 1, math.nan), "gradient_norm", "nan"),
        (lambda: theory.displacement_bound(c, s, 1, -2.0), "gradient_norm", "-2"),
        (lambda: theory.deviation_bound(c, s, -7), "j", "-7"),
        (lambda: theory.link_bound(c, s, math.nan), "meta_gradient_norm", "nan"),
        (lambda: theory.link_tasks_bound(c, s, -1.0), "meta_gradient_norm", "-1"),
        (lambda: theory.meta_smoothness(c, s, np.array([1.0, -4.0])), "mean_gradient_norm", "-4"),
        (lambda: theory.task_smoothness(c, s, 1.0, math.nan), "inner_norm", "nan"),
        (lambda: theory.task_bias_bound(c, s, -1.0), "gradient_norm", "-1"),
        (lambda: theory.bias_bound(c, s, -1.0), "meta_gradient_norm", "-1"),
        (lambda: theory.second_moment_bound(c, s, -1.0), "meta_gradient_norm", "-1"),
        (lambda: theory.task_second_moment_sharper(c, s, math.nan), "gradient_norm", "nan"),
        (lambda: meta_stepsize(c, s, 0.0), "L_hat", "0"),
        (lambda: theory.inverse_moment_bound(c, s, -1.0), "L_w", "-1"),
        (lambda: theory.descent_bound(c, s, 1.0, 0.0), "L_w", "0"),
        (lambda: theory.stepsize_cap(c, -1), "N", "-1"),
        (lambda: theory.stepsize_cap_limit(c, 1.5), "N", "1.5"),
        (lambda: theory.recommended_stepsize(c, math.nan), "N", "nan"),
        (lambda: theory.larger_cap(c, -2), "N", "-2"),
        (lambda: theory.oracle_calls(s, "both"), "case", "'both'"),
        (lambda: theory.oracle_calls(s, "exact", train_size=0), "train_size", "0"),
        (lambda: theory.step_oracle_calls(s, "finite-sum", test_size=2.5), "test_size", "2.5"),
        (lambda: theory.theorem(c, s, "Exact"), "case", "'Exact'"),
        (lambda: theory.steps_to_accuracy(c, s, 0.0, "exact"), "epsilon", "0"),
        (lambda: theory.steps_to_accuracy(c, s, math.inf, "exact"), "epsilon", "inf"),
    ],
)
def test_arguments(call: Callable[[], object], field: str, shown: str) -> None:
    with pytest.raises(ValueError, match=field) as error:
        call()
    one_line(error, field, shown)


EXTREMES = [0.0, 1e-300, 0.7, 1e200, math.inf]
N, ALPHA, DELTA = np.meshgrid([0, 1, 3, 1e4, 1e300], [0.0, 1e-300, 1e-3, 0.3, 40.0], [0.0, 2.0, math.inf])
SWEEP = Schedule(N=N, alpha=ALPHA, C_beta=100.0, B=7, S=5, D=3, T=2, B_prime=4, D_L=6, K=11, Delta=DELTA)
FUNCTIONS = [
    lambda c, s: growth(c, s, 2 * s.N),
    theory.excess_sum,
    lambda c, s: theory.path_bound(c, s, s.N, 1.3),
    lambda c, s: theory.displacement_bound(c, s, s.N, 0.0),
    lambda c, s: theory.deviation_bound(c, s, s.N),
    lambda c, s: theory.deviation_squared_bound(c, s, s.N),
    theory.C_1,
    theory.mismatch,
    lambda c, s: theory.meta_smoothness(c, s, 0.4),
    theory.C_b,
    lambda c, s: theory.task_smoothness(c, s, 0.4, 0.0),
    lambda c, s: theory.task_bias_bound(c, s, 0.4),
    lambda c, s: theory.task_second_moment_bound(c, s, 0.4),
    theory.moment_lambda,
    theory.moment_kappa,
    theory.least_B_prime,
    theory.least_D_L,
    lambda c, s: theory.steps_to_accuracy(c, s, 0.3, "exact"),
    lambda c, s: theory.steps_to_accuracy(c, s, 0.3, "finite-sum"),
    lambda c, s: theory.steps_to_accuracy(c, s, 0.3, "resampling"),
    lambda c, s: theory.task_bias_sharper(c, s, 0.4),
    lambda c, s: theory.task_second_moment_sharper(c, s, 0.4),
    theory.kappa_sharper,
    theory.mu,
]


WITHIN_THE_CAP = [
    lambda c, s: theory.link_bound(c, s, 0.4),
    lambda c, s: theory.link_tasks_bound(c, s, 0.4),
    lambda c, s: theory.bias_bound(c, s, 0.4),
    lambda c, s: theory.second_moment_bound(c, s, 0.4),
    lambda c, s: theory.finite_sum_second_moment_bound(c, s, 0.4),
    theory.finite_sum_c1,
    theory.finite_sum_noise,
    theory.resampling_c1,
    theory.resampling_noise,
    lambda c, s: theory.theorem_exact(c, s).bound,
]


@pytest.mark.parametrize("field", ["rho", "sigma", "sigma_g", "sigma_H", "b"])
@pytest.mark.parametrize("extreme", EXTREMES)
def test_no_formula_gives_a_nan(field: str, extreme: float) -> None:
    constants = Constants(
        **{
            "L": 2.3,
            "rho": 1.7,
            "sigma": 0.6,
            "sigma_g": 1.9,
            "sigma_H": 0.8,
            "b": 0.4,
            "b_sq": math.inf,
            field: extreme,
        }
    )
    inside = theory.within_cap(constants, SWEEP)
    assert 30 < inside.sum() < inside.size
    capped = replace(SWEEP, N=N[inside], alpha=ALPHA[inside], Delta=DELTA[inside])
    for functions, schedule in ((FUNCTIONS, SWEEP), (WITHIN_THE_CAP, capped)):
        for function in functions:
            assert not np.isnan(function(constants, schedule)).any(), function
    for theorem in (theory.theorem_finite_sum, theory.theorem_resampling, theory.theorem_exact_sharper):
        for index in np.flatnonzero(inside)[::4]:
            try:
                bound = theorem(constants, replace(SWEEP, N=N.flat[index], alpha=ALPHA.flat[index], Delta=0.0)).bound
            except PremiseError:
                continue
            assert not math.isnan(bound)


def test_constants_that_are_left_out_are_infinite_and_cost_only_where_they_count() -> None:
    unknown = Constants(L=2.3)
    for schedule in (Schedule(N=0, alpha=0.2, Delta=1.0, K=9), Schedule(N=4, alpha=0.0, Delta=1.0, K=9)):
        assert theory.theorem_exact(unknown, schedule).bound == theory.theorem_exact(c, schedule).bound
    assert theory.theorem_exact(unknown, s).bound == math.inf
    assert theory.link_bound(unknown, s, 1.0) == math.inf


def test_the_package_lists_what_it_exports() -> None:
    assert all(hasattr(theory, name) for name in theory.__all__)
    assert len(set(theory.__all__)) == len(theory.__all__)
