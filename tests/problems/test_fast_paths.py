"""The fused meta-gradients equal the general one up to rounding, for every shape they accept, and refuse the others."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pytest

from problems.losses import cosine_path, half_angle, residual_path
from problems.losses.blocks import equal_blocks
from problems.losses.cosine_loss import RotatedCosine
from problems.losses.curvature_spline import CurvatureSpline
from problems.losses.half_angle import LIBRARY, PARTIAL_FRACTIONS, POLES, TURN, Kernel, fractions, sine_cosine
from problems.losses.linear_model import LinearModel
from problems.losses.penalty import Penalty
from problems.losses.workspace import workspace
from problems.registry import family
from problems.robust_regression import GemanMcClure, Welsch
from problems.sigmoid_classification import Sigmoid
from theory.loss import Array, Loss, TaskIndex
from theory.maml import meta_gradient

EPS = np.finfo(np.float64).eps
TASKS, D = 5, 4


@pytest.fixture(autouse=True, params=[LIBRARY, PARTIAL_FRACTIONS], ids=lambda kernel: kernel.name)
def kernel(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Either kernel, whichever machine this is."""
    monkeypatch.setattr(half_angle, "KERNEL", request.param)
    return request.param


@dataclass
class General(Loss):
    """A loss without its fast path."""

    loss: Loss

    def value(self, w: Array) -> Array:
        return self.loss.value(w)

    def gradient(self, w: Array) -> Array:
        return self.loss.gradient(w)

    def hvp(self, w: Array, v: Array) -> Array:
        return self.loss.hvp(w, v)

    def take(self, tasks: TaskIndex) -> "General":
        return General(self.loss.take(tasks))


def cosines(terms: int = 2, tasks: int = TASKS, d: int = D) -> RotatedCosine:
    rng = np.random.default_rng(71)
    rotation, _ = np.linalg.qr(rng.normal(size=(d, d)))
    frequency, amplitude = rng.uniform(0.4, 1.8, size=(2, terms, d))
    return RotatedCosine(rotation, frequency, amplitude, rng.uniform(0, 7, size=(tasks, terms, d)))


def regression(penalty: Penalty, n: int, m: int = 6, tasks: int = TASKS, d: int = D) -> tuple[LinearModel, LinearModel]:
    rng = np.random.default_rng(72)
    designs = rng.normal(size=(tasks, n, d)), rng.normal(size=(tasks, m, d))
    train, test = (LinearModel(a, 2 * rng.normal(size=a.shape[:2]), penalty) for a in designs)
    return train, test


PAIRS: dict[str, Callable[[], tuple[Loss, Loss]]] = {
    "one cosine": lambda: (cosines(1),) * 2,
    "two cosines": lambda: (cosines(2),) * 2,
    "three cosines, equal outer": lambda: (cosines(3), cosines(3)),
    "few data": lambda: regression(GemanMcClure(1.3), n=3),
    "Gram matrix": lambda: regression(Welsch(0.8), n=7),
    "many data": lambda: regression(Sigmoid(1.0), n=19),
}


@pytest.fixture(params=list(PAIRS))
def pair(request: pytest.FixtureRequest) -> tuple[Loss, Loss]:
    inner, outer = PAIRS[request.param]()
    return inner, outer


def smoothness(loss: Loss) -> float:
    if isinstance(loss, RotatedCosine):
        return float((loss.amplitude * loss.frequency**2).sum(axis=0).max())
    assert isinstance(loss, LinearModel)
    norm = np.linalg.norm(loss.design, ord=2, axis=(-2, -1)).max()
    return float(loss.penalty.curvature_sup * norm**2 / loss.design.shape[-2])


def assert_fused_equals_general(w: Array, alpha: float, N: int, inner: Loss, outer: Loss) -> None:
    fused = inner.fused_meta_gradient(w, alpha, N, outer)
    assert fused is not None
    general = meta_gradient(w, alpha, N, General(inner), General(outer))
    assert fused.shape == general.shape
    # Some 30 roundings a step, at the size of the points or of the gradients, each amplified by at most q^{2N}.
    growth = (1 + alpha * smoothness(inner)) ** (2 * N)
    slack = 30 * (N + 1) * EPS * growth * (1 + np.abs(w).max()) * (1 + np.abs(general).max())
    assert np.abs(fused - general).max() <= slack


@pytest.mark.parametrize("N", [1, 2, 7])
@pytest.mark.parametrize("lead", [(), (1,), (6,), (2, 3)])
def test_fused_equals_general_for_every_shape_of_replicas(
    pair: tuple[Loss, Loss], lead: tuple[int, ...], N: int
) -> None:
    w = np.random.default_rng(73).normal(size=(*lead, 1, D))
    assert_fused_equals_general(w, 0.06, N, *pair)


def test_fused_equals_general_where_replicas_have_tasks_of_their_own(pair: tuple[Loss, Loss]) -> None:
    rng = np.random.default_rng(74)
    chosen, w = rng.integers(TASKS, size=(6, 3)), rng.normal(size=(6, 1, D))
    inner, outer = (loss.take(chosen) for loss in pair)
    assert_fused_equals_general(w, 0.06, 4, inner, outer)


@pytest.mark.parametrize("block", [1, 60, 350])
def test_blocks_of_any_size_give_the_same(pair: tuple[Loss, Loss], block: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Blocks that do not divide the replicas or the tasks, the last of them overlapping."""
    monkeypatch.setattr(cosine_path, "BLOCK", block)
    monkeypatch.setattr(residual_path, "BLOCK", 10 * block)
    monkeypatch.setattr(residual_path, "SMALLEST_STEP", 1)
    rng = np.random.default_rng(75)
    assert_fused_equals_general(rng.normal(size=(11, 1, D)), 0.06, 3, *pair)
    chosen = rng.integers(TASKS, size=(11, 3))
    inner, outer = (loss.take(chosen) for loss in pair)
    assert_fused_equals_general(rng.normal(size=(11, 1, D)), 0.06, 3, inner, outer)


def test_no_replicas_give_no_gradients(pair: tuple[Loss, Loss]) -> None:
    assert meta_gradient(np.zeros((0, 1, D)), 0.1, 2, *pair).shape == (0, TASKS, D)


def test_the_fast_path_leaves_what_it_cannot_do_to_the_general_one(pair: tuple[Loss, Loss]) -> None:
    inner, outer = pair
    one = np.ones((2, 1, D))
    assert inner.fused_meta_gradient(one + 1j, 0.1, 2, outer) is None
    assert inner.fused_meta_gradient(np.ones((2, TASKS, D)), 0.1, 2, outer) is None
    assert inner.fused_meta_gradient(np.ones(D), 0.1, 2, outer) is None
    assert inner.fused_meta_gradient(one, 0.1, 2, General(outer)) is None
    chosen = np.zeros((3, 2), dtype=np.intp)
    assert inner.take(chosen).fused_meta_gradient(one, 0.1, 2, outer.take(chosen)) is None


def test_cosines_outside_the_range_of_the_fast_path() -> None:
    loss, w = cosines(), np.ones((2, 1, D))
    assert loss.fused_meta_gradient(w, 0.0, 2, loss) is None
    assert loss.fused_meta_gradient(w, 1e-101, 2, loss) is None
    assert loss.fused_meta_gradient(w, 0.1, 2, replace(loss, phase=loss.phase + 0.1)) is None
    still = replace(loss, frequency=loss.frequency * [[0.0], [1.0]])
    assert still.fused_meta_gradient(w, 0.1, 2, still) is None
    assert_fused_equals_general(w, 1e-99, 2, loss, loss)
    for N in (63, 64, 65, 128, 900):
        assert_fused_equals_general(w, 1e-99, N, loss, loss)
        assert_fused_equals_general(w, 1e-5, N, loss, loss)
    assert np.isfinite(meta_gradient(w, 0.02, 5000, loss, loss)).all()


def test_a_penalty_of_another_width_is_not_taken_for_the_same() -> None:
    train, _ = regression(Welsch(0.8), n=3)
    _, test = regression(Welsch(0.9), n=3)
    assert train.fused_meta_gradient(np.ones((2, 1, D)), 0.1, 2, test) is None


EXACT_TURN = 2 * (np.longdouble(np.pi) + np.longdouble(1.2246467991473532e-16))


def radians(y: Array, kernel: Kernel) -> Any:
    """The angle `y · unit` in extended precision, where the machine has it."""
    return 2 * y.astype(np.longdouble) if kernel is LIBRARY else EXACT_TURN * (y - np.rint(y))


def awkward_angles(kernel: Kernel) -> Array:
    """Zeros and poles of the tangents with their neighbours, where halves and wholes leave float64, and extremes."""
    quarters = np.arange(-400, 401) / 4 * (TURN / kernel.unit)
    near = [2.0**51, 2.0**52, 2.0**53, 1e6 / 3, 1e15]
    largest = np.finfo(np.float64).max
    points = np.concatenate([quarters, near, -np.array(near), [0.0, -0.0, 1e-300, 5e-324, 1e-310, 1e300, largest]])
    rng = np.random.default_rng(77)
    scattered = rng.uniform(-1, 1, 20_000) * 10.0 ** rng.uniform(-20, 20, 20_000)
    with np.errstate(over="ignore"):
        neighbours = np.nextafter(points, np.inf), np.nextafter(points, -np.inf)
    angles = np.concatenate([np.linspace(-20, 20, 100_001), points, *neighbours, scattered])
    return angles[np.isfinite(angles)]


def test_sine_and_cosine_from_the_tangent_are_within_1e_15_at_every_angle(kernel: Kernel) -> None:
    angles = awkward_angles(kernel)
    exact = radians(angles, kernel)
    with np.errstate(all="raise", under="ignore"):
        sine, cosine = sine_cosine(angles)
    assert np.abs(sine - np.sin(exact)).max() <= 1e-15
    assert np.abs(cosine - np.cos(exact)).max() <= 1e-15
    small = np.geomspace(1e-200, 1e-3, 50)
    np.testing.assert_allclose(sine_cosine(small)[0], np.sin(kernel.unit * small), rtol=4 * EPS)


def test_sine_and_cosine_do_not_depend_on_the_array_that_an_angle_is_in(kernel: Kernel) -> None:
    angles = awkward_angles(kernel)[-40_000:]
    sine, cosine = sine_cosine(angles)
    for part in (slice(0, 1), slice(7, 10), slice(30_000, 30_500)):
        np.testing.assert_array_equal(sine_cosine(angles[part]), (sine[part], cosine[part]))
    grid = angles[:600].reshape(20, 30)
    np.testing.assert_array_equal(sine_cosine(grid.T)[0], sine[:600].reshape(20, 30).T)
    np.testing.assert_array_equal(sine_cosine(np.array(angles[3]))[1], cosine[3])
    assert sine_cosine(np.zeros((0, 3)))[0].shape == (0, 3)


def test_sine_and_cosine_of_complex_angles(kernel: Kernel) -> None:
    angles = np.array([0.3 + 1e-20j, -40.0 + 2j])
    np.testing.assert_array_equal(sine_cosine(angles), (np.sin(kernel.unit * angles), np.cos(kernel.unit * angles)))


def test_sine_and_cosine_of_what_is_not_a_number() -> None:
    with np.errstate(invalid="ignore"):
        assert np.isnan(sine_cosine(np.array([np.nan, np.inf, -np.inf]))).all()
        assert np.isfinite(sine_cosine(np.array([np.nan, 1e7, 0.1]))[0]).tolist() == [False, True, True]


def test_the_tangent_serves_angles_that_drift_past_its_pole(kernel: Kernel) -> None:
    half_turn = 0.5 * TURN / kernel.unit
    edge = half_turn + min(kernel.drift, 100.0)
    near = half_turn + np.array([-(2**-53), 0.0, 2**-53, 2**-52, 2**-51])
    y = np.concatenate([np.linspace(-edge, edge, 50_001), near, -near])
    t, square = np.empty((2, len(y)))
    with np.errstate(all="raise"):
        kernel.tangent(y, t, square, fractions(np.empty((len(POLES), len(y)))))
    assert np.abs(t).max() < 2e16
    angle = radians(y, kernel)
    assert np.abs(2 * t / (1 + t * t) - np.sin(angle)).max() <= 1e-15
    assert np.abs(2 / (1 + t * t) - 1 - np.cos(angle)).max() <= 1e-15


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        ({"tan": {"dd": {"current": "X86_V4", "available": "X86_V4 baseline(X86_V2)"}}}, LIBRARY),
        ({"tan": {"dd": {"current": "baseline(X86_V2)", "available": "X86_V4 baseline(X86_V2)"}}}, PARTIAL_FRACTIONS),
        ({}, PARTIAL_FRACTIONS),
    ],
)
def test_the_kernel_is_what_numpy_chose(found: Any, expected: Kernel, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(np.lib.introspect, "opt_func_info", lambda **_: found)
    assert half_angle.chosen() is expected


def test_no_square_meets_the_first_pole() -> None:
    y = 0.5 + np.arange(-1000, 1001) * 2.0**-54
    assert not (np.square(y) == POLES.min()).any()


@pytest.mark.parametrize("alpha", [0.01, 0.2, 0.7, 3.0])
def test_steps_that_leave_the_range_of_the_tangent_late_soon_or_at_once(alpha: float) -> None:
    loss = cosines()
    w = np.random.default_rng(78).normal(size=(50, 1, D))
    assert_fused_equals_general(w, alpha, 4, loss, loss)


@pytest.mark.parametrize("pole", [np.pi, -3 * np.pi])
def test_a_path_that_starts_on_a_pole_of_the_tangent(pole: float) -> None:
    loss = cosines()
    w = loss.rotation @ np.linalg.solve(np.diag(loss.frequency[0]), pole - loss.phase[2, 0])
    assert_fused_equals_general(w[None, None], 0.05, 3, loss, loss)


@pytest.mark.parametrize(("total", "largest"), [(7, 3), (12, 4), (5, 100), (9, 1), (1, 1), (0, 3), (10, 0)])
def test_equal_blocks_cover_everything_with_one_length(total: int, largest: int) -> None:
    blocks: Any = equal_blocks(total, largest)
    assert len({block.stop - block.start for block in blocks}) == 1
    assert all(block.start >= 0 and block.stop - block.start <= max(1, largest) for block in blocks)
    assert sorted({k for block in blocks for k in range(total)[block]}) == list(range(total))


def test_work_arrays_do_not_overlap_and_belong_to_one_thread() -> None:
    shapes = [(2, 3), (0, 4), (5,)]
    first = workspace(*shapes)
    assert [array.shape for array in first] == shapes
    assert [array.ctypes.data % 64 for array in first] == [0] * len(shapes)  # a cache line
    for k, array in enumerate(first):
        array.fill(k)
    assert all((array == k).all() for k, array in enumerate(first))
    with ThreadPoolExecutor(max_workers=1) as thread:
        elsewhere = thread.submit(workspace, *shapes).result()
    assert not any(np.shares_memory(here, there) for here in first for there in elsewhere)
    assert np.shares_memory(first[0], workspace((1,))[0])


def test_results_do_not_change_when_the_work_arrays_are_used_again(pair: tuple[Loss, Loss]) -> None:
    w = np.random.default_rng(76).normal(size=(3, 1, D))
    first = meta_gradient(w, 0.06, 3, *pair)
    kept = first.copy()
    meta_gradient(w + 1, 0.06, 3, *pair)
    np.testing.assert_array_equal(first, kept)


def test_threads_and_settings_in_turn_do_not_mix_what_is_kept_from_call_to_call(pair: tuple[Loss, Loss]) -> None:
    rng = np.random.default_rng(79)
    settings = [(rng.normal(size=(R, 1, D)), alpha, N) for R in (1, 4) for alpha in (0.03, 0.06) for N in (2, 5)] * 3
    alone = [meta_gradient(w, alpha, N, *pair) for w, alpha, N in settings]
    again = [meta_gradient(w, alpha, N, *pair) for w, alpha, N in settings]
    with ThreadPoolExecutor(max_workers=4) as threads:
        together = list(threads.map(lambda setting: meta_gradient(setting[0], setting[1], setting[2], *pair), settings))
    np.testing.assert_equal(again, alone)
    np.testing.assert_equal(together, alone)


@pytest.mark.parametrize("v", [np.array([1.7]), np.full((2, 1), -0.3), np.float64(1.0)])
@pytest.mark.parametrize("w", [np.array([0.4]), np.array([[0.4]])])
def test_a_spline_at_one_point_answers_in_the_same_shapes(w: Array, v: Array, monkeypatch: pytest.MonkeyPatch) -> None:
    """One point that meets one loss goes another way, and nobody must notice."""
    loss = family("ramp").build(2, 0.1).inner
    gradient, second = loss.linearize(w)
    monkeypatch.setattr(CurvatureSpline, "_alone", lambda self, w: False)
    usual_gradient, usual_second = loss.linearize(w)
    np.testing.assert_array_equal(gradient, usual_gradient, strict=True)
    np.testing.assert_array_equal(second(v), usual_second(v), strict=True)


@pytest.mark.parametrize("M", [1, 5, 64, 65, 128, 1000])
@pytest.mark.parametrize("points", [7, 2000])
def test_the_segment_is_that_of_all_comparisons(M: int, points: int) -> None:
    """Knots themselves, points between them and beyond, for losses and points that broadcast."""
    rng = np.random.default_rng(M)
    knots = np.cumsum(rng.uniform(0.1, 1.0, size=(3, M)), axis=1)
    loss = CurvatureSpline.draw(knots, rng.uniform(-1, 1, size=(3, M)), anchor=M // 2, gradient=0.3)
    for x in (np.concatenate([knots[1], rng.uniform(-5, M, size=points)])[:, None], rng.uniform(-5, M, (points, 3))):
        expected = (x[..., None] >= knots).sum(axis=-1)
        np.testing.assert_array_equal(loss._segment(x, loss.index), expected)
        alone = loss.take(np.array([1]))
        np.testing.assert_array_equal(alone._segment(x[:, :1], alone.index), (x[:, :1, None] >= knots[1]).sum(axis=-1))
        single = CurvatureSpline.draw(knots[1], np.zeros(M), anchor=0)
        np.testing.assert_array_equal(single._segment(x[:, :1], single.index), (x[:, :1, None] >= knots[1]).sum(-1))
