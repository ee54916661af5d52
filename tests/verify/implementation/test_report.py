from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

from verify.implementation.assertion import assert_meta_gradient
from verify.implementation.check import Result, check
from verify.implementation.report import text, to_dict


def first_order(tasks: Any, w: np.ndarray[Any, Any], alpha: float, N: int) -> Any:
    total = np.zeros_like(w)
    for task in tasks:
        adapted = w
        for _ in range(N):
            adapted = adapted - alpha * task.train.gradient(adapted)
        total += task.test.gradient(adapted)
    return total / len(tasks)


@pytest.fixture(scope="module")
def result() -> Result:
    return check(first_order)


def test_the_table_has_every_cell_once_and_the_diagnosis_last(result: Result) -> None:
    head, _, columns, *rows, _, last = text(result).split("\n")
    assert head == "first_order (NumPy): relative error of the meta-gradient"
    assert columns.split() == ["problem", "alpha", "N", "=", "1", "N", "=", "2", "N", "=", "5"]
    shown = [float(number) for row in rows for number in row.split()[-3:]]
    np.testing.assert_allclose(shown, result.relative_error, rtol=0.05)
    assert [row[:19].strip() for row in rows] == [cell.problem for cell in result.cells[::3]]
    assert last.startswith("first-order: the inner gradients are taken for constants")
    assert max(map(len, [head, columns, *rows])) < 80


def test_json_has_all_numbers(result: Result) -> None:
    read = json.loads(json.dumps(to_dict(result)))
    assert (read["diagnosis"], read["exact"], read["framework"]) == ("first-order", False, "numpy")
    assert len(read["cells"]) == len(result.cells)
    for cell in read["cells"]:
        off = np.linalg.norm(np.subtract(cell["returned"], cell["exact"]))
        assert cell["relative_error"] == pytest.approx(off / np.linalg.norm(cell["exact"]))
        assert cell["tolerance"] < 1e-12 < off


def test_an_assertion_shows_the_table_and_the_diagnosis(result: Result) -> None:
    with pytest.raises(AssertionError) as caught:
        assert_meta_gradient(first_order)
    assert str(caught.value) == text(result)


def test_what_cannot_be_examined_is_no_failed_assertion() -> None:
    with pytest.raises(ValueError, match="framework = 'mxnet' is not allowed"):
        assert_meta_gradient(first_order, framework="mxnet")
