"""Models of PyTorch and JAX agree with the same losses written out, and say what is wrong with them."""

from __future__ import annotations

import importlib.util
import logging
from functools import cached_property
from typing import Any

import numpy as np
import pytest

import problems
from problems.problem import Problem
from theory.maml import meta_gradient

RNG = np.random.default_rng(3)
H, SHOTS = 3, 5
DIM = 3 * H + 1
START = 0.5 * RNG.normal(size=DIM)
TASKS = [tuple((x := RNG.uniform(-2, 2, SHOTS), a * np.sin(x + a)) for _ in range(2)) for a in (0.5, 1.0, 2.0)]
CONSTANTS = {"L": 50.0, "rho": 100.0, "sigma": 5.0, "b": 9.0, "b_sq": 81.0, "lower_bound": 0.0, "gradient_bound": 50.0}


def installed(package: str) -> Any:
    absent = importlib.util.find_spec(package) is None
    return pytest.param(package, marks=pytest.mark.skipif(absent, reason=f"the extra {package} is not installed"))


FRAMEWORKS = [installed("torch"), installed("jax")]


@pytest.fixture(autouse=True, scope="module", params=FRAMEWORKS)
def framework(request: pytest.FixtureRequest) -> Any:
    """The framework of the test, and what its arrays and functions are called."""
    return Framework(request.param)


@pytest.fixture
def unexamined(monkeypatch: pytest.MonkeyPatch) -> None:
    """Take constants and losses as they are: what is found out about them is tested elsewhere, and takes long."""
    monkeypatch.setattr("problems.user.assembly.loose_L", lambda given, estimator: "")
    monkeypatch.setattr("problems.user.assembly.find_kink", lambda *places: None)


class Framework:
    def __init__(self, name: str) -> None:
        self.name = name
        if name == "jax":
            import jax

            jax.config.update("jax_enable_x64", True)
            import jax.numpy as jnp

            self.np: Any = jnp
            self.array, self.problem = jnp.asarray, problems.from_jax
        else:
            import torch

            self.np = torch
            self.array, self.problem = torch.as_tensor, problems.from_torch

    def loss(self, w: Any, data: Any) -> Any:
        x, y = data
        a, b, c, d = w["in"][:H], w["in"][H:], w["out"][0], w["out"][1][0]
        return ((self.np.tanh(x[:, None] * a + b) @ c + d - y) ** 2).mean()

    @cached_property
    def model(self) -> Problem:
        """The problem of the tests, as it is built by default."""
        return self.build()

    @property
    def parameters(self) -> Any:
        w = self.array(START)
        return {"in": w[: 2 * H], "out": (w[2 * H : 3 * H], w[3 * H :])}

    def build(self, tasks: Any = TASKS, **options: Any) -> Problem:
        return self.problem(self.loss, self.parameters, tasks, **{"constants": CONSTANTS, **options})


def written_out(x: Any, y: Any) -> dict[str, Any]:
    """The same loss in NumPy, for many points."""

    def parts(w: Any) -> Any:
        a, b, c = w[..., None, :H], w[..., None, H : 2 * H], w[..., None, 2 * H : 3 * H]
        t = np.tanh(x[:, None] * a + b)
        return t, c, (t * c).sum(axis=-1) + w[..., None, 3 * H] - y

    def gradient(w: Any) -> Any:
        t, c, error = parts(w)
        back = 2 / len(x) * error[..., None]
        inner = back * c * (1 - t**2)
        columns = [inner * x[:, None], inner, back * t, back]
        return np.concatenate([column.sum(axis=-2) for column in columns], axis=-1)

    return {"value": lambda w: (parts(w)[2] ** 2).mean(axis=-1), "gradient": gradient}


def test_values_and_derivatives_are_those_of_the_loss_written_out(framework: Framework) -> None:
    model = framework.model
    tasks = [{"train": written_out(*train), "test": written_out(*test)} for train, test in TASKS]
    plain = problems.from_functions(
        tasks, dim=DIM, start=START, vectorised=True, constants=CONSTANTS, region=1.0, train_size=SHOTS, test_size=SHOTS
    )
    assert (model.case, model.dim, model.number_of_tasks) == ("finite-sum", DIM, 3)
    assert (model.train_size, model.test_size) == (SHOTS, SHOTS)
    assert np.array_equal(model.start, START)
    w, v = np.random.default_rng(0).normal(size=(2, 7, 1, DIM))
    for mine, theirs in ((model.inner, plain.inner), (model.outer, plain.outer)):
        np.testing.assert_allclose(mine.value(w), theirs.value(w), rtol=1e-13)
        np.testing.assert_allclose(mine.gradient(w), theirs.gradient(w), rtol=1e-11, atol=1e-13)
        np.testing.assert_allclose(mine.hvp(w, v), theirs.hvp(w, v), rtol=1e-7, atol=1e-7)
    chosen = np.array([[2, 0], [1, 1]])
    np.testing.assert_allclose(model.inner.take(chosen).value(w[:, None])[4, 0, 0], plain.inner.value(w)[4, 2])
    found, exact = (meta_gradient(w, 0.01, 3, p.inner, p.outer) for p in (model, plain))
    np.testing.assert_allclose(found, exact, rtol=1e-7, atol=1e-7)


def test_constants_are_estimated_as_for_plain_functions(framework: Framework) -> None:
    model = framework.build(constants=None)
    tasks = [{"train": written_out(*train), "test": written_out(*test)} for train, test in TASKS]
    plain = problems.from_functions(tasks, dim=DIM, start=START, vectorised=True, region=1.0)
    assert model.estimated == plain.estimated == ("L", "rho", "sigma", "b", "b_sq", "lower_bound", "gradient_bound")
    for name in ("L", "rho", "sigma", "b"):
        # the Hessians of the plain functions are numerical, and fewer points are looked at
        assert getattr(plain.constants, name) == pytest.approx(getattr(model.constants, name), rel=0.2)


def test_rows_that_diverged_are_nan_and_leave_the_others_alone(framework: Framework) -> None:
    loss = framework.model.inner
    w = np.stack([START, np.full(DIM, np.nan), 2 * START])[:, None]
    gradient = loss.gradient(w)
    assert np.isnan(gradient[1]).all()
    np.testing.assert_array_equal(gradient[[0, 2]], loss.gradient(w[[0, 2]]))
    assert loss.gradient(w[:0]).shape == (0, 3, DIM)
    assert loss.value(w[:0]).shape == (0, 3)


def test_chunks_do_not_change_results(framework: Framework, monkeypatch: pytest.MonkeyPatch) -> None:
    loss = framework.model.inner
    w = np.random.default_rng(1).normal(size=(40, 1, DIM))
    whole = loss.hvp(w, w)
    monkeypatch.setattr("problems.user.model_loss.CHUNK_BYTES", 100_000)
    np.testing.assert_allclose(loss.hvp(w, w), whole, rtol=1e-12, atol=1e-14)


def test_tasks_of_unequal_shapes_are_evaluated_too(framework: Framework, unexamined: None) -> None:
    cut = [((x[: 2 + n], y[: 2 + n]), test) for n, ((x, y), test) in enumerate(TASKS)]
    loss, w = framework.build(cut).inner, np.random.default_rng(2).normal(size=(4, 1, DIM))
    for n, ((x, y), _) in enumerate(cut):
        np.testing.assert_allclose(loss.value(w)[:, n], written_out(x, y)["value"](w[:, 0]), rtol=1e-13)


def test_data_alone_are_the_resampling_case_and_mappings_name_the_sets(framework: Framework, unexamined: None) -> None:
    constants = {name: CONSTANTS[name] for name in CONSTANTS if not name.startswith("b")}
    alone = framework.build([train for train, _ in TASKS], constants=constants)
    assert (alone.case, alone.train_size, alone.inner is alone.outer) == ("resampling", 1, True)
    named = framework.build([{"train": train, "test": test} for train, test in TASKS])
    pairs = framework.model
    assert named.case == "finite-sum"
    np.testing.assert_array_equal(named.outer.value(START), pairs.outer.value(START))


@pytest.mark.parametrize(
    ("tasks", "line"),
    [
        ([], "tasks is empty"),
        (3, "tasks is a int, must be a list of tasks"),
        ([{"train": TASKS[0][0]}], "task 0: test is missing"),
        ([{"train": TASKS[0][0], "tset": TASKS[0][1]}], "task 0: 'tset' is not allowed; did you mean test?"),
        ([TASKS[0], TASKS[1][0]], "task 1 and task 0 differ"),
        ([("a", "b")], "task 0 is no data: "),
        ([TASKS[0], (TASKS[1][0][:1], TASKS[1][1])], "task 1: train has data of another form than task 0"),
    ],
)
def test_wrong_tasks_are_one_line(framework: Framework, tasks: Any, line: str) -> None:
    with pytest.raises(ValueError, match=r"\w") as caught:
        framework.build(tasks)
    assert line in str(caught.value)
    assert "\n" not in str(caught.value)


def test_wrong_losses_are_one_line(framework: Framework) -> None:
    xp = framework.np

    def line(loss: Any, parameters: Any = None) -> str:
        with pytest.raises(ValueError, match=r"\w") as caught:
            framework.problem(loss, framework.parameters if parameters is None else parameters, TASKS)
        assert "\n" not in str(caught.value)
        return str(caught.value)

    assert "loss cannot be evaluated at many points at once: " in line(lambda w, data: 1 / 0)
    assert "loss cannot be evaluated" in line(lambda w, data: w["in"].sum() if w["in"][0] > 0 else w["in"][0])
    assert "must be a float64 scalar" in line(lambda w, data: w["in"])
    assert "loss at w = (" in line(lambda w, data: xp.log(-(w["in"] ** 2).sum()))
    assert "the gradient jumps by" in line(lambda w, data: xp.abs(w["in"]).sum() + w["out"][0].sum())
    stopped = (lambda x: x.detach()) if framework.name == "torch" else __import__("jax").lax.stop_gradient
    detached = line(lambda w, data: (w["in"] ** 2).sum() * stopped(w["out"][0]).sum())
    assert "gradient at w = (" in detached
    assert "is not the derivative of the loss" in detached
    assert "at least one number is needed" in line(framework.loss, {})
    assert "parameters are " in line(framework.loss, {"in": framework.array(np.arange(3))})
    assert "train_size = 0 is not allowed" in _line(framework, train_size=0)
    assert "region = -1.0 is not allowed" in _line(framework, region=-1.0)


def _line(framework: Framework, **options: Any) -> str:
    with pytest.raises(ValueError, match=r"\w") as caught:
        framework.build(**options)
    return str(caught.value)


def test_single_precision_is_cast_or_refused_with_the_remedy(
    framework: Framework, unexamined: None, caplog: pytest.LogCaptureFixture
) -> None:
    if framework.name == "torch":
        single = [parameter.float() for parameter in (framework.parameters["in"], *framework.parameters["out"])]
        with caplog.at_level(logging.WARNING, "problems"):
            problem = problems.from_torch(
                lambda w, data: framework.loss({"in": w[0], "out": w[1:]}, data), single, TASKS, constants=CONSTANTS
            )
        assert "single-precision parameters are cast to float64" in caplog.messages[0]
        np.testing.assert_array_equal(problem.start, START.astype(np.float32).astype(np.float64))
        return
    import jax

    w = framework.parameters["in"].astype("float32")
    with pytest.raises(
        ValueError, match=r'parameters are float32, must be float64: write jax.config.update\("jax_enable'
    ):
        problems.from_jax(lambda w, data: (w**2).sum(), w, TASKS)
    jax.config.update("jax_enable_x64", False)
    try:
        with pytest.raises(ValueError, match="jax_enable_x64"):
            problems.from_jax(framework.loss, framework.parameters, TASKS)
    finally:
        jax.config.update("jax_enable_x64", True)


def test_a_module_is_called_like_itself(framework: Framework, unexamined: None) -> None:
    if framework.name != "torch":
        pytest.skip("modules are PyTorch's")
    import torch

    torch.manual_seed(0)
    model = torch.nn.Sequential(torch.nn.Linear(1, H), torch.nn.Tanh(), torch.nn.Linear(H, 1))
    model[0].bias.requires_grad_(False)

    def loss(net: Any, data: Any) -> Any:
        x, y = data
        return ((net(x[:, None])[:, 0] - y) ** 2).mean()

    before = [parameter.clone() for parameter in model.parameters()]
    problem = problems.from_torch(loss, model, TASKS, constants=CONSTANTS)
    assert problem.dim == 2 * H + 1  # all but the frozen bias
    double = model.double()
    x, y = (torch.as_tensor(part) for part in TASKS[1][0])
    assert problem.inner.value(problem.start)[1] == pytest.approx(loss(double, (x, y)).item(), rel=1e-13)
    assert all(torch.equal(a.double(), b) for a, b in zip(before, model.parameters(), strict=True))


def test_where_a_framework_is_missing_one_line_names_the_extra(
    framework: Framework, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(__import__("sys").modules, framework.name, None)
    with pytest.raises(ValueError, match=rf"from_{framework.name} needs the package {framework.name}: python -m pip"):
        framework.build()
