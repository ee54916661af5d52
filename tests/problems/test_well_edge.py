"""The bias of one inner step is attained on the edge of a well."""

import pytest

from tests.problems.enumeration import RULES, build, enumerate_at, exact_probes
from theory.paper import Paper


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("S", [1, 3, 4])
def test_the_edge_of_a_well_attains_the_bias_of_one_step(rule: str, S: int) -> None:
    problem, s = build("well-edge", 1, rule, S=S)
    at = enumerate_at(problem, s, exact_probes(problem, 1)[0])
    assert abs(at.mean - at.meta_gradient)[0] == pytest.approx(Paper(problem.constants, s).task_bias_one_step, rel=1e-9)
