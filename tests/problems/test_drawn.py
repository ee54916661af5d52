"""Losses that a file draws are those that it draws, and what it draws wrongly is one line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from problems.drawn import Drawn, read_drawn
from problems.losses.curvature_spline import CurvatureSpline
from problems.losses.spline_population import PopulationNoise, SplinePopulation, spread
from verify.assertion import assert_claims

TENT: dict[str, Any] = {
    "L": 2.0,
    "rho": 4.0,
    "knots": [[-1.0, -0.5, 0.0, 1.0], [-3.0, 0.0, 0.5, 2.0]],
    "curvature": [[2.0, 0.0, -2.0, 2.0], [2.0, 1.0, -1.0, 2.0]],
    "gradient": [1.5, -0.25],
    "sigma_g": 0.5,
}


def random_population(members: int, tasks: int) -> tuple[SplinePopulation, list[CurvatureSpline]]:
    rng = np.random.default_rng(3)
    knots = np.sort(rng.normal(size=(members, tasks, 6)), axis=-1)
    curvature, gradient = rng.normal(size=(members, tasks, 6)), rng.normal(size=(members, tasks))
    curvature[..., [0, -1]] = 1.0
    alone = [CurvatureSpline.draw(*of, anchor=2) for of in zip(knots, curvature, strict=True)]
    flat = CurvatureSpline.draw(knots.reshape(-1, 6), curvature.reshape(-1, 6), anchor=2)
    assert gradient.shape == (members, tasks)
    return SplinePopulation.of(flat, members), alone


@pytest.mark.parametrize("between", [(), (4,), (4, 3)])
def test_each_member_of_a_population_meets_its_own_points(between: tuple[int, ...]) -> None:
    population, alone = random_population(5, 2)
    w = np.random.default_rng(0).normal(size=(5, *between, 2, 1))
    for member, losses in enumerate(alone):
        np.testing.assert_allclose(population.value(w)[member], losses.value(w[member]), rtol=1e-12, atol=1e-12)
        np.testing.assert_allclose(population.gradient(w)[member], losses.gradient(w[member]), rtol=1e-12, atol=1e-12)
        np.testing.assert_allclose(population.hvp(w, w)[member], losses.hvp(w[member], w[member]), rtol=1e-12)


def test_the_noise_of_a_member_is_its_own() -> None:
    population, _ = random_population(3, 2)
    sigma_g = np.array([0.5, 2.0, 0.0])
    noise = PopulationNoise(population, sigma_g)
    tasks = np.broadcast_to(np.arange(2), (4, 2))
    weights = np.broadcast_to([[0.75, 0.25]], (4, 2, 2))
    w = np.random.default_rng(0).normal(size=(3, 4, 2, 1))
    extra = noise.weighted(tasks, weights).gradient(w) - population.take(tasks).gradient(w)
    np.testing.assert_allclose(extra, np.broadcast_to((sigma_g / 2)[:, None, None, None], extra.shape), atol=1e-12)
    value = noise.weighted(tasks, weights).value(w) - population.take(tasks).value(w)
    np.testing.assert_allclose(value, (sigma_g / 2)[:, None, None] * w[..., 0], atol=1e-12)


def test_the_spread_of_two_tasks_is_the_largest_half_of_their_difference() -> None:
    population, alone = random_population(6, 2)
    far = np.linspace(-6, 6, 200_001)[:, None, None]
    for member, losses in enumerate(alone):
        gradient = losses.gradient(far)[..., 0]
        assert spread(population)[member] == pytest.approx(np.abs(gradient[:, 0] - gradient[:, 1]).max() / 2, rel=1e-6)


def test_two_tasks_that_bend_apart_for_ever_have_an_infinite_spread() -> None:
    losses = CurvatureSpline.draw([[0.0, 1.0]] * 2, [[1.0, 1.0], [1.0, 0.5]], anchor=0)
    assert spread(SplinePopulation.of(losses, members=1)).tolist() == [np.inf]


def test_the_problem_of_a_file_has_the_constants_that_it_should(tmp_path: Path) -> None:
    path = tmp_path / "loss.json"
    path.write_text(json.dumps({"loss": TENT, "found": "by hand"}))
    assert read_drawn(path) == Drawn(**TENT)
    problem = read_drawn(path).problem()
    at = np.zeros((1, 1, 1))
    np.testing.assert_allclose(problem.inner.gradient(at)[0, :, 0], TENT["gradient"])
    np.testing.assert_allclose(problem.inner.hvp(at, np.ones((1, 2, 1)))[0, :, 0], [-2.0, 1.0])
    assert (problem.constants.L, problem.constants.rho, problem.constants.sigma_g) == (2.0, 4.0, 0.5)
    assert 0 < problem.constants.sigma < np.inf
    records = assert_claims(str(path), ["path", "bias per task"], inner_steps=[1])
    assert {record.problem for record in records} == {"loss.json"}
    attained = {record.label: record.tightness for record in records if record.claim == "constants"}
    assert attained["sigma"] == pytest.approx(1, abs=1e-3)


@pytest.mark.parametrize(
    ("fields", "line"),
    [
        ({"L": 0.0}, r"L = 0 is not allowed: L must be a finite number > 0"),
        ({"L": 1.0}, r"curvature = 2 is not allowed: it must be within L = 1$"),
        ({"rho": 3.0}, r"curvature has the slope 4: it must be within rho = 3$"),
        ({"gradient": [1.0]}, r"knots \(2, 4\), curvature \(2, 4\) and gradient \(1,\) are not allowed"),
        ({"knots": [[0.0, 1.0, 1.0, 2.0]] * 2}, r"knots are not allowed: they must increase strictly, and 0"),
        ({"knots": [[1.0, 2.0, 3.0, 4.0]] * 2}, r"knots are not allowed: they must increase strictly, and 0"),
        ({"knots": [[0.0, 1.0], [2.0]]}, r"knots is not allowed: it must be lists of numbers of one length$"),
        ({"sigma_g": "x"}, r"sigma_g = 'x' is not allowed"),
        ({"points": []}, r"are not allowed"),
        ({"colour": 1}, r"holds no loss: its field loss must have L, rho, knots"),
    ],
)
def test_a_file_that_draws_no_such_losses_is_one_line(tmp_path: Path, fields: dict[str, Any], line: str) -> None:
    path = tmp_path / "loss.json"
    path.write_text(json.dumps({"loss": {**TENT, **fields}}))
    with pytest.raises(ValueError, match=line) as caught:
        read_drawn(path)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"loss": 3}', "\x00"])
def test_a_file_that_is_something_else_is_one_line(tmp_path: Path, text: str) -> None:
    path = tmp_path / "loss.json"
    path.write_text(text)
    with pytest.raises(ValueError, match="holds no loss: "):
        read_drawn(path)
    with pytest.raises(ValueError, match=r"cannot read .*: No such file or directory"):
        read_drawn(tmp_path / "missing.json")
