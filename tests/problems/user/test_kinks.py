"""Kinks are told from sharp curvature."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import problems
from problems.user.kinks import find_kink
from problems.user.loss import FunctionLoss, Functions
from problems.user.rows import Rows

W = np.random.default_rng(1).normal(size=(5, 2))


def along(phi: Any, slope: Any) -> dict[str, Any]:
    """`Σ φ((Wx)_i)`, whose Hessian is left out."""
    return {"value": lambda w: float(phi(W @ w).sum()), "gradient": lambda w: W.T @ slope(W @ w)}


def looked_at(task: dict[str, Any]) -> Any:
    a, b = np.random.default_rng(0).uniform(-1, 1, size=(2, 32, 2))
    loss = FunctionLoss.of([Functions("task 0", **task)], 0.1)
    return find_kink(loss, Rows(a, np.zeros(32, dtype=np.intp)), b)


KINKS = {
    "ReLU": along(lambda z: np.maximum(z, 0), lambda z: (z > 0).astype(float)),
    "leaky ReLU on a slope": along(
        lambda z: np.maximum(z, 0.99 * z) + z**2, lambda z: np.where(z > 0, 1, 0.99) + 2 * z
    ),
    "hinge": along(lambda z: np.maximum(1 - z, 0), lambda z: -(z < 1).astype(float)),
    "absolute value": along(np.abs, np.sign),
}
SMOOTH = {
    "linear": along(lambda z: z, np.ones_like),
    "quadratic": along(lambda z: z**2, lambda z: 2 * z),
    "sharp softplus": along(lambda z: np.logaddexp(0, 1e4 * z) / 1e4, lambda z: (1 + np.tanh(5e3 * z)) / 2),
    "√(z² + 10⁻¹²)": along(lambda z: np.sqrt(z**2 + 1e-12), lambda z: z / np.sqrt(z**2 + 1e-12)),
    "fast waves": along(lambda z: np.cos(1e5 * z) / 1e5, lambda z: -np.sin(1e5 * z)),
    "Huber": along(lambda z: np.where(abs(z) < 0.1, 5 * z**2, abs(z) - 0.05), lambda z: np.clip(10 * z, -1, 1)),
    "constant": along(lambda z: 0 * z, lambda z: 0 * z),
}  # fmt: skip


@pytest.mark.parametrize("name", KINKS)
def test_a_kink_is_found_where_it_is(name: str) -> None:
    kink = looked_at(KINKS[name])
    assert kink is not None
    z = W @ kink.w
    assert np.abs(z - (1 if name == "hinge" else 0)).min() < 1e-9
    assert kink.distance < 1e-9
    before, after = (
        KINKS[name]["gradient"](kink.w + 1e-7 * s * W[np.argmin(np.abs(z - (name == "hinge")))]) for s in (-1, 1)
    )
    assert kink.jump == pytest.approx(float(np.linalg.norm(after - before)), rel=1e-3)


@pytest.mark.parametrize("name", SMOOTH)
def test_a_smooth_loss_has_none_however_sharply_it_curves(name: str) -> None:
    assert looked_at(SMOOTH[name]) is None


@pytest.mark.parametrize("name", KINKS)
def test_one_line_says_that_the_theory_needs_smooth_losses_and_where(name: str) -> None:
    for options in ({}, {"constants": {"L": 3.0, "rho": 0.0}}):
        with pytest.raises(
            ValueError, match=r"task 0: the gradient jumps by .* of w = \(.*theory needs smooth"
        ) as caught:
            problems.from_functions([KINKS[name]], dim=2, **options)
        assert "\n" not in str(caught.value)
        assert "linear" not in str(caught.value)


def test_a_kink_of_the_test_loss_is_called_one() -> None:
    smooth, kinked = (along(lambda z: z**2, lambda z: 2 * z), KINKS["absolute value"])
    with pytest.raises(ValueError, match="task 0: test: the gradient jumps"):
        problems.from_functions([{"train": smooth, "test": kinked}], dim=2)
