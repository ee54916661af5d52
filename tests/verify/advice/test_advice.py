"""Advice: runs that are known in closed form, certificates that are told from them, and what it says."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

import problems
from problems.problem import Problem
from problems.registry import family
from theory.algorithms import run
from theory.constants import Schedule
from theory.growth import stepsize_cap
from theory.sharper import larger_cap
from verify.advice import advise
from verify.advice.advising import Verdict
from verify.advice.paths import on_paths
from verify.advice.runs import STABLE, Critical, ceiling, critical_of, run_all

L = 2.0


def parabola(curvature: float = L) -> dict[str, Any]:
    return {
        "value": lambda w: curvature / 2 * (w**2).sum(axis=-1),
        "gradient": lambda w: curvature * w,
        "hvp": lambda w, v: curvature * v,
    }


@pytest.fixture(scope="module")
def bowl() -> Problem:
    """One parabola: an inner step multiplies by 1 − αL, so that the meta objective is `L(1 − αL)^{2N}‖w‖²/2`."""
    constants = {"L": L, "rho": 0.0, "sigma": 0.0, "lower_bound": 0.0, "gradient_bound": 9.0}
    return problems.from_functions([parabola()], dim=2, vectorised=True, start=[1.0, -0.5], constants=constants)


@pytest.mark.parametrize("N", [1, 2, 5])
def test_the_critical_stepsize_of_a_parabola_is_found(bowl: Problem, N: int) -> None:
    """With β = 1/L a step multiplies by `1 − (1 − αL)^{2N}`: it diverges from `αL = 1 + 2^{1/(2N)}` on."""
    (known,) = advise(bowl, [N], steps=100).advised
    fixed, theorem = known.critical["β = 0.5"], known.critical["the theorem's β"]
    exact = (1 + 2 ** (1 / (2 * N))) / L
    assert fixed.stable < fixed.unstable < 1.05 * fixed.stable
    assert 0.99 * exact < fixed.unstable < 1.05 * exact
    # The theorem's β only descends; there the inner steps alone make the loss ten times as high.
    alone = (1 + 10 ** (1 / (2 * N))) / L
    assert theorem.stable <= alone <= theorem.unstable


def test_a_run_diverges_at_the_step_at_which_it_does(bowl: Problem) -> None:
    alpha, N, beta, steps = 1.3, 1, 0.5, 40
    factor = 1 - L * beta * (1 - alpha * L) ** (2 * N)
    objective = L / 2 * (1 - alpha * L) ** (2 * N) * 1.25 * factor ** (2.0 * np.arange(steps + 1))
    expected = int(np.argmax(objective > 10 * L / 2 * 1.25))
    assert expected > 0
    found = run_all(bowl, N, np.array([alpha, 0.1]), np.array([beta, beta]), steps)
    assert found.diverged_at.tolist() == [expected, STABLE]
    assert np.isfinite(found.points[0, : expected + 1]).all()
    assert np.isnan(found.points[0, expected + 1 :]).all()


@pytest.mark.parametrize("name", ["rotated-cosine", "opposed-curvature"])
@pytest.mark.parametrize("beta", [None, 0.3])
def test_runs_are_those_of_exact_maml(name: str, beta: float | None) -> None:
    problem = family(name).build(2, 0.1)
    alphas, K = np.array([0.05, 0.2]) / problem.constants.L, 6
    found = run_all(problem, 2, alphas, np.full(2, math.nan if beta is None else beta), K)
    for row, alpha in enumerate(alphas):
        s = Schedule(N=2, alpha=float(alpha), C_beta=1.0, K=K, Delta=1.0)
        one = run("exact", problem, problem.constants, s, problem.start, np.random.default_rng(0), meta_stepsize=beta)
        np.testing.assert_allclose(found.points[row], one.points[0], rtol=1e-10, atol=1e-14)


def test_the_first_failure_counts_whatever_the_order() -> None:
    alpha = np.array([4.0, 1.0, 3.0, 2.0])
    assert critical_of(alpha, np.array([False, False, True, False])) == Critical(2.0, 3.0)
    assert critical_of(alpha, np.zeros(4, dtype=bool)) == Critical(4.0, math.inf)
    assert critical_of(alpha, np.ones(4, dtype=bool)) == Critical(0.0, 1.0)


def test_the_ceiling_is_ten_times_as_far_above_the_lower_bound(bowl: Problem) -> None:
    loss = L / 2 * 1.25
    assert ceiling(bowl) == pytest.approx(10 * loss)
    lifted = replace(bowl, constants=replace(bowl.constants, lower_bound=-1.0))
    assert ceiling(lifted) == pytest.approx(10 * loss + 9)
    unknown = replace(bowl, constants=replace(bowl.constants, lower_bound=-math.inf))
    assert ceiling(unknown) == pytest.approx(10 * loss)


def test_curvature_is_that_of_the_paths_and_not_of_the_region() -> None:
    """`w³/6`: the Hessian is w, which falls along paths that start at 1, and the third derivative is 1."""
    task = {
        "value": lambda w: (w**3).sum(axis=-1) / 6,
        "gradient": lambda w: w**2 / 2,
        "hvp": lambda w, v: w * v,
    }
    constants = {"L": 3.0, "rho": 1.0, "sigma": 0.0, "lower_bound": -9.0, "gradient_bound": 9.0}
    problem = problems.from_functions([task], dim=1, vectorised=True, start=[1.0], region=2.0, constants=constants)
    met = on_paths(problem, 3, 0.1, np.array([[1.0], [0.8], [np.nan]]))
    assert pytest.approx(1.0, rel=1e-9) == met.L
    assert met.rho == pytest.approx(1.0, rel=1e-6)


def test_a_certificate_needs_the_theorems_meta_stepsize_and_a_stepsize_below_a_cap(bowl: Problem) -> None:
    c = bowl.constants
    cap, larger = float(stepsize_cap(c, 5)), float(larger_cap(c, 5))
    alphas = [0.99 * cap, 1.01 * cap, 0.99 * larger, 1.01 * larger]

    def certified(problem: Problem, rule: str) -> list[bool]:
        (known,) = advise(problem, 5, alpha=alphas, steps=2).advised
        return [verdict.certified for verdict in known.verdicts if verdict.meta_stepsize == rule][1:]

    assert certified(bowl, "the theorem's β") == [True, True, True, False]  # resampling: the larger cap
    assert certified(bowl, "β = 0.5") == [False] * 4
    finite_sum = replace(bowl, case="finite-sum", outer=bowl.inner.take(np.arange(1)))
    assert certified(finite_sum, "the theorem's β") == [True, False, False, False]
    without_rho = replace(bowl, constants=replace(c, rho=math.inf))
    assert advise(without_rho, 5, alpha=alphas, steps=2).rules == ("β = 0.5",)


@pytest.mark.parametrize(
    ("certified", "at", "words"),
    [
        (True, None, "certified"),
        (False, None, "stable in 30 steps, not certified"),
        (False, 7, "diverges at step 7"),
        (False, 0, "diverges at step 0 (inner steps alone)"),
        (True, 3, "diverges at step 3, though certified: a constant is wrong"),
    ],
)
def test_the_words_keep_a_stable_run_and_a_certificate_apart(certified: bool, at: int | None, words: str) -> None:
    assert Verdict(0.1, 5, "the theorem's β", certified, at).words(30) == words


def test_a_constant_that_is_too_small_is_found_out(bowl: Problem) -> None:
    wrong = replace(bowl, constants=replace(bowl.constants, L=L / 40))
    assert "though certified: a constant is wrong" in str(advise(wrong, 1, alpha=[10.0]))


def test_the_text_and_the_dictionary_say_the_same(bowl: Problem) -> None:
    advice = advise(replace(bowl, estimated=("L",)), [1, 5], alpha=[0.2], name="mine.py:bowl")
    text = str(advice)
    assert text.startswith("mine.py:bowl: 2 parameters, 1 task (resampling)\nL = 2, ρ = 0, estimated\n")
    assert "larger cap" in text
    assert "Stable is no certificate" in text
    assert "falls like N^-" in text
    plain = json.loads(json.dumps(advice.to_dict(), allow_nan=False))
    assert [entry["N"] for entry in plain["advised"]] == [1, 5]
    for known, entry in zip(advice.advised, plain["advised"], strict=True):
        assert entry["cap"] == float(stepsize_cap(bowl.constants, known.N))
        for verdict, line in zip(known.verdicts, entry["verdicts"], strict=True):
            assert line["words"] == verdict.words(advice.steps)
            assert line["words"] in text


def test_a_bounded_loss_never_diverges_and_that_is_said() -> None:
    advice = advise(family("softmax-bandit").build(1, 0.1), 1, steps=3)
    assert "none to " in str(advice)
    assert "no run diverged" in str(advice)


@pytest.mark.parametrize(
    ("change", "line"),
    [
        ({"N": []}, "N is empty"),
        ({"N": [0]}, "N = 0 is not allowed: N must be an integer >= 1"),
        ({"N": "many"}, "N = 'many' is not allowed"),
        ({"N": [1.5]}, "N = 1.5 is not allowed"),
        ({"alpha": [0.0]}, "alpha = 0 is not allowed"),
        ({"alpha": [math.nan]}, "alpha = nan is not allowed"),
        ({"beta": -1.0}, "beta = -1 is not allowed"),
        ({"steps": 0}, "steps = 0 is not allowed"),
    ],
)
def test_wrong_fields_are_one_line(bowl: Problem, change: dict[str, Any], line: str) -> None:
    call: Callable[..., Any] = advise
    with pytest.raises(ValueError, match=r"\w") as caught:
        call(bowl, **{"N": [1], **change})
    assert str(caught.value).startswith(line)
    assert "\n" not in str(caught.value)
