"""The audit of constants: right ones pass, and one that is 1 % off is named, on the declared problem itself."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from problems.convex_quadratic import IsotropicQuadratic
from problems.noise import DataNoise
from problems.problem import Problem
from problems.registry import families, family
from problems.user.functions import from_functions
from theory.loss import Loss, TaskIndex
from verify.cell import Cell, alpha_L
from verify.claim import claims
from verify.evidence.intervals import Interval, mean_interval
from verify.running.records import Record

Check = Callable[..., list[Record]]
NAMES = {
    "resampling": ["L", "rho", "sigma", "sigma_g", "sigma_H", "lower_bound"],
    "finite-sum": ["L", "rho", "sigma", "b", "b_sq", "lower_bound"],
}


def build(name: str) -> Problem:
    return family(name).build(5, alpha_L("near cap", 5))


@pytest.mark.parametrize("name", [name for name in families() if name != "sigmoid-classification"])
def test_every_registered_problem_passes_and_every_constant_is_examined(name: str, check: Check) -> None:
    found = check("constants", name)
    assert {record.verdict for record in found} == {"holds"}
    problem = build(name)
    finite = [field for field in NAMES[problem.case] if np.isfinite(getattr(problem.constants, field))]
    bounded = ["gradient_bound"] if np.isfinite(problem.gradient_bound) else []
    assert [record.label for record in found] == finite + bounded


@pytest.mark.parametrize(
    ("name", "field"),
    [
        ("convex-quadratic", "L"),
        ("rotated-cosine", "L"),
        ("opposed-curvature", "rho"),
        ("twin-wells", "rho"),
        ("rotated-cosine", "sigma"),
        ("quadratic-finite-sum", "sigma"),
        ("quadratic", "sigma_g"),
        ("rotated-cosine", "sigma_g"),
        ("rotated-cosine", "sigma_H"),
        ("saddle-hessian-noise", "sigma_H"),
        ("quadratic-finite-sum", "b"),
        ("rare-mismatch", "b"),
        ("rare-mismatch", "b_sq"),
    ],
)
def test_a_constant_that_is_one_percent_too_small_is_named(name: str, field: str, check: Check) -> None:
    problem = build(name)
    changes = {field: 0.99 * getattr(problem.constants, field)}
    if field == "b_sq":
        changes["b"] = min(problem.constants.b, np.sqrt(changes["b_sq"]))
    wrong = replace(problem, constants=replace(problem.constants, **changes))
    found = {record.label: record.verdict for record in check("constants", name, problem=wrong, profile="default")}
    assert found[field] == "violated"
    assert {verdict for label, verdict in found.items() if label not in changes} == {"holds"}


@pytest.mark.parametrize("which", ["inner", "outer"])
def test_the_smoothness_of_training_and_test_losses_is_examined(which: str, check: Check) -> None:
    problem = build("noise-floor")
    assert isinstance(problem.inner, IsotropicQuadratic)
    steeper = replace(problem.inner, curvature=1.01 * problem.inner.curvature)
    wrong = replace(problem, **{which: steeper})
    found = {record.label: record.verdict for record in check("constants", "noise-floor", problem=wrong)}
    assert found["L"] == "violated"


def test_a_lower_bound_above_the_minimum_is_named(check: Check) -> None:
    problem = build("opposed-curvature")
    wrong = replace(problem, constants=replace(problem.constants, lower_bound=0.99 * problem.constants.lower_bound))
    found = {record.label: record.verdict for record in check("constants", "opposed-curvature", problem=wrong)}
    assert [label for label, verdict in found.items() if verdict == "violated"] == ["lower_bound"]


class Opaque(DataNoise):
    """Noise that can only be sampled, and whose range is not known."""

    def __init__(self, noise: DataNoise) -> None:
        self.noise = noise

    def minibatch(self, tasks: TaskIndex, size: int, rng: np.random.Generator) -> Loss:
        return self.noise.minibatch(tasks, size, rng)


@pytest.mark.parametrize("field", ["sigma_g", "sigma_H"])
def test_sampled_noise_accuses_no_right_constant_and_finds_one_that_is_much_too_small(field: str, check: Check) -> None:
    problem = build("rotated-cosine")
    assert problem.noise is not None
    opaque = replace(problem, noise=Opaque(problem.noise))
    held = {record.label: record for record in check("constants", "rotated-cosine", problem=opaque)}
    assert {record.verdict for record in held.values()} == {"holds"}
    assert held[field].method == "monte-carlo"
    half = replace(opaque, constants=replace(problem.constants, **{field: 0.5 * getattr(problem.constants, field)}))
    found = {record.label: record.verdict for record in check("constants", "rotated-cosine", problem=half)}
    assert [label for label, verdict in found.items() if verdict == "violated"] == [field]


def test_the_noise_of_the_loudest_task_counts(check: Check) -> None:
    """The mean square over both tasks is within the constant, that of one of them is not."""

    def tilted(slope: float) -> dict[str, Any]:
        return {
            "value": lambda w: float(0.5 * w @ w + slope * w.sum()),
            "gradient": lambda w: w + slope,
            "hvp": lambda w, v: v,
        }

    tasks = [
        {**tilted(0.0), "sample": lambda rng, level=level: tilted(level * rng.choice([-1, 1]))} for level in (0.1, 0.4)
    ]
    constants = {"L": 1.0, "rho": 0.0, "sigma": 0.0, "sigma_g": 0.3, "sigma_H": 0.0, "lower_bound": 0.0}
    bounds = {"gradient_bound": 9.0, "gradient_sup": 0.4, "hessian_sup": 0.0}
    problem = from_functions(tasks, dim=1, constants={**constants, **bounds})
    found = {record.label: record.verdict for record in check("constants", "two tasks", problem=problem)}
    assert [label for label, verdict in found.items() if verdict != "holds"] == ["sigma_g"]


def test_sampled_noise_shares_the_error_probability(
    make_cell: Callable[..., Cell], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[float] = []

    def recorded(samples: np.ndarray, delta: float, low: float, high: float) -> Interval:
        asked.append(delta)
        return mean_interval(samples, delta, low, high)

    monkeypatch.setattr("verify.evidence.audit.mean_interval", recorded)
    problem = build("rotated-cosine")
    assert problem.noise is not None
    cell = make_cell("constants", replace(problem, noise=Opaque(problem.noise)))
    list(claims()["constants"].check(cell))
    entries = 2 * problem.number_of_tasks  # two points, all tasks
    assert asked == [pytest.approx(cell.delta / 2 / entries)] * 2


def test_noise_where_none_is_declared_is_named(check: Check) -> None:
    problem = build("rotated-cosine")
    assert problem.noise is not None
    wrong = replace(
        problem, noise=Opaque(problem.noise), constants=replace(problem.constants, sigma_g=0.0, sigma_H=0.0)
    )
    found = {record.label: record.verdict for record in check("constants", "rotated-cosine", problem=wrong)}
    assert [label for label, verdict in found.items() if verdict == "violated"] == ["sigma_g", "sigma_H"]
