"""The meta-gradient of the convex quadratic."""

import numpy as np

from problems.convex_quadratic import convex_quadratic
from theory.maml import meta_gradient


def test_convex_quadratic_shrinks_its_gradient_by_a_known_factor() -> None:
    problem = convex_quadratic(L=0.7)
    w = np.array([[[2.0, 5.0]]])
    found = meta_gradient(w, 0.3, 5, problem.inner, problem.outer)
    np.testing.assert_allclose(found, (1 - 0.21) ** 10 * problem.outer.gradient(w), rtol=1e-13)
    assert problem.constants.L == 0.7
    np.testing.assert_allclose(problem.outer.hvp(w, np.array([3.0, -1.0]))[0, 0], [2.1, -0.7], rtol=1e-15)
