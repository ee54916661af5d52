"""What an attack shows of many steps and tasks."""

from __future__ import annotations

import numpy as np

from verify.evidence.probing import worst_of


def test_the_worst_entry_has_the_largest_ratio_after_its_slack() -> None:
    measured = np.array([[0.8, 0.95, 0.5], [0.0, 0.3, 0.0]])
    bound = np.array([[1.0, 1.0, 2.0], [0.0, 1.0, 0.0]])
    slack = np.array([[0.1, 0.4, 0.0], [0.1, 0.0, 0.2]])
    found = np.array(worst_of(measured, bound, slack))
    np.testing.assert_array_equal(found, [[0.8, 0.3], [1.0, 1.0], [0.1, 0.0]])


def test_the_worst_entry_is_one_that_breaks_a_bound_of_zero_or_is_not_a_number() -> None:
    measured = np.array([[0.2, 5.0], [np.nan, 5.0]])
    bound = np.array([[0.0, 1.0], [1.0, 1.0]])
    found = np.array(worst_of(measured, bound, np.full((2, 2), 0.1)))
    np.testing.assert_array_equal(found, [[0.2, np.nan], [0.0, 1.0], [0.1, 0.1]])
