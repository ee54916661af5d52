"""What the figures of the neighbours show is so: each method stops below its floor, and one of them on it."""

from __future__ import annotations

from figures import deployed, neighbours
from tests.figures.conftest import Compute


def test_each_method_ends_below_its_floor_and_first_order_maml_on_it(compute: Compute) -> None:
    for method in neighbours.METHODS[1:]:
        for problem in (neighbours.TYPICAL, neighbours.SHARP):
            rows = compute("neighbours", method=method, problem=problem)
            assert 0 <= rows["gradient_norm"][-1] <= rows["floor"][-1]
    rows = compute("neighbours", method="first-order", problem=neighbours.SHARP)
    assert rows["gradient_norm"][-1] > 0.99 * rows["floor"][-1]
    exact, free = (
        compute("neighbours", method=method, problem=neighbours.TYPICAL)["gradient_norm"][-1]
        for method in ("exact", "Hessian-free")
    )
    assert exact < free / 100


def test_further_steps_are_within_their_bound_and_on_it_at_the_late_bend(compute: Compute) -> None:
    for problem in (deployed.ORDINARY, deployed.SHARP):
        rows = compute("deployed", problem=problem)
        assert (rows["measured"] <= rows["bound"] * (1 + 1e-9)).all()
        assert (rows["measured"] > 0.999 * rows["bound"]).all() == (problem == deployed.SHARP)


def test_the_test_loss_falls_while_it_is_sure_to_and_rises_later(compute: Compute) -> None:
    rows = compute("deployed", problem=deployed.FINITE_SUM)
    loss, sure = rows["measured"], deployed.sure_descent(rows)
    assert 1 < sure < loss.argmin() + 1 < len(loss)
    assert loss[-1] > loss.min()
